//! Finds the known word that somebody probably meant.

/// Words longer than this are not typing mistakes of ours, and costly to compare.
const LONGEST: usize = 64;

/// Finds the candidate nearest to `word`, if one is near enough to be meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let folded = word.to_lowercase();
    let near = candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(|candidate| Some((distance(&folded, &candidate.to_lowercase())?, candidate)));
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Says how far two words are apart; `None` when nobody would mistake one for the other.
fn distance(word: &str, candidate: &str) -> Option<usize> {
    let edits = strsim::osa_distance(word, candidate);
    let few = edits <= 1 + word.chars().count() / 3 && edits < word.chars().count();
    (few || strsim::jaro_winkler(word, candidate) >= 0.85).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = [
        "cmd",
        "id",
        "retries",
        "timeout",
        "when",
        "workingDirectory",
    ];

    #[test]
    fn a_mistyped_key_finds_the_one_that_was_meant() {
        for (word, expected) in [
            ("tiemout", Some("timeout")),
            ("retry", Some("retries")),
            ("workdir", Some("workingDirectory")),
            ("workingdirectory", Some("workingDirectory")),
            ("WHEN", Some("when")),
            ("comd", Some("cmd")),
            ("banana", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, KEYS), expected, "{word}");
        }
    }

    #[test]
    fn endless_words_are_not_compared() {
        assert_eq!(did_you_mean(&"retries".repeat(1000), KEYS), None);
    }
}
