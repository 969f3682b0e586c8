//! Hides secrets in lines and messages.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{Engine, prelude::*};
use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const MASK: &str = "***";
/// Shorter texts are no secrets: hiding every `1` would leave no log.
const SHORTEST: usize = 4;

/// Knows the secrets of a run, and the forms in which they may show.
pub struct Masker {
    finder: Option<AhoCorasick>,
}

impl Masker {
    /// Hides these values, each of their lines, and their base64 and URL-encoded forms.
    pub fn new(secrets: &[SecretString]) -> Self {
        let mut forms: Vec<String> = secrets
            .iter()
            .flat_map(|secret| {
                let whole = secret.expose_secret();
                let parts = whole.lines().map(str::trim).chain([whole]);
                parts.flat_map(forms_of).collect::<Vec<_>>()
            })
            .filter(|form| form.len() >= SHORTEST)
            .collect();
        forms.sort();
        forms.dedup();
        // Leftmost-longest, or the tail of a longer secret would show behind a shorter one.
        let finder = (!forms.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&forms)
                    .ok()
            })
            .flatten();
        Self { finder }
    }

    /// Says whether there is anything to hide.
    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// Hides secrets in a line.
    pub fn mask<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        match &self.finder {
            Some(finder) if finder.is_match(line) => {
                let mut out = Vec::with_capacity(line.len());
                finder.replace_all_with_bytes(line, &mut out, |_, _, out| {
                    out.extend_from_slice(MASK.as_bytes());
                    true
                });
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(line),
        }
    }

    /// Hides secrets in a message.
    pub fn mask_text(&self, text: &str) -> String {
        match &self.finder {
            Some(finder) => finder.replace_all(text, &vec![MASK; finder.patterns_len()]),
            None => text.to_owned(),
        }
    }
}

fn forms_of(text: &str) -> Vec<String> {
    let url: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    vec![
        text.to_owned(),
        BASE64_STANDARD.encode(text),
        BASE64_STANDARD_NO_PAD.encode(text),
        BASE64_URL_SAFE.encode(text),
        url.replace('+', "%20"),
        url,
    ]
}
