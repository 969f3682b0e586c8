//! Hides secrets in what is logged or said.

use std::{borrow::Cow, collections::BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// What stands in place of a secret.
const MASK: &[u8] = b"***";
/// Anything shorter would hide ordinary text.
const SHORTEST_SECRET: usize = 4;
/// The least of a secret inside other base64 text that is not there by chance.
const SHORTEST_CORE: usize = 8;

/// Replaces secrets, each line of them, and their base64, URL and JSON forms.
#[derive(Default)]
pub struct Masker {
    patterns: Option<AhoCorasick>,
    longest: usize,
}

impl Masker {
    /// Makes a masker for these secrets; those shorter than four bytes are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Masker {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add_forms(&mut forms, secret.trim());
            for line in secret.lines() {
                add_forms(&mut forms, line.trim());
            }
        }
        // A pattern with a newline would need more than whole lines to be found; its lines are patterns of their own.
        forms.retain(|form| form.len() >= SHORTEST_SECRET && !form.contains(&b'\n'));
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
        // The longest of several that begin at one place, or the tail of a longer secret would show.
        let patterns = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms)
            .ok()
            .filter(|_| longest > 0);
        Masker { patterns, longest }
    }

    /// Masks text that consists of whole lines.
    pub fn mask<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(patterns) = &self.patterns else {
            return Cow::Borrowed(text);
        };
        let mut masked = Vec::new();
        let mut copied = 0;
        for found in patterns.find_iter(text) {
            masked.extend_from_slice(&text[copied..found.start()]);
            masked.extend_from_slice(MASK);
            copied = found.end();
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        masked.extend_from_slice(&text[copied..]);
        Cow::Owned(masked)
    }

    /// Masks a text for people.
    pub fn mask_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// How much must be known after a place to tell whether a secret spans it.
    pub(super) fn look_ahead(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// Where to cut a text that is too long: at `wanted`, or after the secret that spans it.
    pub(super) fn cut(&self, text: &[u8], wanted: usize) -> usize {
        let Some(patterns) = &self.patterns else {
            return wanted;
        };
        let spans = patterns
            .find_iter(text)
            .take_while(|found| found.start() < wanted)
            .last();
        spans.map_or(wanted, |found| found.end().max(wanted))
    }
}

fn add_forms(forms: &mut BTreeSet<Vec<u8>>, secret: &str) {
    if secret.len() < SHORTEST_SECRET {
        return;
    }
    forms.insert(secret.as_bytes().to_vec());
    let quoted = serde_json::Value::from(secret).to_string();
    forms.insert(quoted.as_bytes()[1..quoted.len() - 1].to_vec());
    let form_encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for url in [form_encoded, percent_encoded(secret)] {
        forms.insert(String::into_bytes(url));
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(secret).into_bytes());
        forms.extend(base64_cores(engine, secret));
    }
}

/// Encodes as RFC 3986 asks, all but unreserved characters.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            (byte as char).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The characters that the secret alone decides when it stands inside a longer text that is encoded, such as
/// `user:secret`: they differ by where it begins in a group of three bytes.
fn base64_cores(engine: &impl Engine, secret: &str) -> impl Iterator<Item = Vec<u8>> {
    (0..3).filter_map(move |before| {
        let text = [&[0; 2][..before], secret.as_bytes()].concat();
        let encoded = engine.encode(&text).into_bytes();
        let core = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        (core.len() >= SHORTEST_CORE).then(|| encoded[core].to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let masker = Masker::new([
            "p@ss word\"1",
            "abc",
            "line one\nline two\r\n  }",
            "longsecret",
        ]);
        for (text, expected) in [
            ("say p@ss word\"1!", "say ***!"),
            ("{\"v\":\"p@ss word\\\"1\"}", "{\"v\":\"***\"}"),
            ("?p=p%40ss+word%221&q=p%40ss%20word%221", "?p=***&q=***"),
            ("abc stays, it is too short", "abc stays, it is too short"),
            ("line one, line two\r", "***, ***\r"),
            ("}", "}"),
            ("", ""),
        ] {
            assert_eq!(masker.mask_text(text), expected);
        }
        for url_safe in [false, true] {
            let encode = |text: &str| match url_safe {
                false => STANDARD.encode(text),
                true => URL_SAFE_NO_PAD.encode(text),
            };
            assert_eq!(masker.mask_text(&encode("longsecret")), "***");
            for user in ["a:", "ab:", "abc:", "user:"] {
                let masked = masker.mask_text(&encode(&format!("{user}longsecret?")));
                assert!(masked.contains("***") && masked.len() <= 14, "{masked}");
            }
        }
    }

    #[test]
    fn the_longest_of_two_secrets_is_masked_whole() {
        let masker = Masker::new(["abcd", "abcdef"]);
        assert_eq!(masker.mask_text("abcdef abcde"), "*** ***e");
    }

    #[test]
    fn without_secrets_nothing_is_copied() {
        for masker in [Masker::default(), Masker::new(["", " ", "abc"])] {
            assert!(matches!(masker.mask(b"text"), Cow::Borrowed(b"text")));
            assert_eq!((masker.look_ahead(), masker.cut(b"text", 2)), (0, 2));
        }
    }

    #[test]
    fn a_cut_never_splits_a_secret() {
        let masker = Masker::new(["secret"]);
        let cut = |text: &str, wanted| masker.cut(text.as_bytes(), wanted);
        assert_eq!(cut("..secret..", 2), 2);
        assert_eq!(cut("..secret..", 3), 8);
        assert_eq!(cut("..secret..", 7), 8);
        assert_eq!(cut("..secret..", 8), 8);
        assert_eq!(masker.look_ahead(), "c2VjcmV0".len() - 1);
    }
}
