//! What a build is made from, told apart by a hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many bytes of the hash tell two sets apart.
const KEY_BYTES: usize = 16;

/// Everything that decides what a build of a task gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InputSet {
    /// What tells this version of the task from others.
    pub version: String,
    /// The commit of its source; empty where there is none.
    pub commit: String,
    /// The digest of each base, by its complete name.
    pub bases: BTreeMap<String, String>,
}

impl InputSet {
    /// The hash that stands for the set.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut put = |part: &str| {
            // The length first, so that no two sets run into the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        put(&self.version);
        put(&self.commit);
        for (image, digest) in &self.bases {
            put(image);
            put(digest);
        }
        hex(&hash.finalize()[..KEY_BYTES])
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|it| char::from(DIGITS[usize::from(it)]))
        .collect()
}
