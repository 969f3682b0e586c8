//! Archives, from the web or from standard input: taken whole, named by their digest, then unpacked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
};

use super::{
    Elsewhere,
    blocking::blocking,
    compression::{TELLING_BYTES, told_from, unpacked},
    failure::Failing,
};
use crate::{
    adapters::folder::{
        Caps, Unpacked,
        cache::{Draft, Kept},
        extract::unpack,
        open::hex,
    },
    ports::{OpenError, TarStream},
};

/// The largest text that is taken for a Dockerfile.
const DOCKERFILE_BYTES: u64 = 1024 * 1024;

/// An archive on this machine's disk, not yet unpacked.
pub struct Taken {
    draft: Draft,
    file: PathBuf,
    /// Its digest in hexadecimal digits.
    pub digest: String,
}

/// Names what an archive with this digest unpacks to.
pub fn name_of(digest: &str) -> String {
    format!("archive-{}", digest.trim_start_matches("sha256:"))
}

/// Writes a stream to a draft, hashing it.
pub async fn take(at: &Elsewhere, bytes: TarStream, failing: &Failing) -> Result<Taken, OpenError> {
    let cache = at.cache.clone();
    let draft = blocking(failing, move || cache.begin()).await?;
    let file = draft.scratch().join("archive");
    let digest = write(at, bytes, &file, failing).await?;
    Ok(Taken {
        draft,
        file,
        digest,
    })
}

/// Writes a stream to a file and returns its digest; what is more than the cap is refused.
pub async fn write(
    at: &Elsewhere,
    mut bytes: TarStream,
    path: &Path,
    failing: &Failing,
) -> Result<String, OpenError> {
    let mut file = File::create(path).await.map_err(|e| failing.machine(e))?;
    let mut hasher = Sha256::new();
    let mut count = 0;
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(|error| failing.machine(format!("it broke off: {error}")))?;
        count += chunk.len() as u64;
        if count > at.bounds.download_bytes {
            let reason = format!("it is larger than {} bytes", at.bounds.download_bytes);
            return Err(failing.refused(reason, ""));
        }
        hasher.update(&chunk);
        let written = file.write_all(&chunk).await;
        written.map_err(|error| failing.machine(error))?;
    }
    file.flush().await.map_err(|e| failing.machine(e))?;
    Ok(hex(&hasher.finalize()))
}

/// Unpacks an archive, or finds what it was unpacked to before.
pub async fn unpack_taken(
    at: &Elsewhere,
    taken: Taken,
    failing: &Failing,
) -> Result<Kept, OpenError> {
    let name = name_of(&taken.digest);
    if let Some(kept) = at.find(&name, failing).await? {
        return Ok(kept);
    }
    let tree = taken.draft.tree();
    fill(at.bounds.caps, &taken.file, &tree, failing).await?;
    at.put(taken.draft, name, failing).await
}

/// Unpacks an archive of this machine's disk into a folder.
pub async fn fill(
    caps: Caps,
    file: &Path,
    tree: &Path,
    failing: &Failing,
) -> Result<Unpacked, OpenError> {
    let mut first = Vec::new();
    let opened = File::open(file).await.map_err(|e| failing.machine(e))?;
    let mut start = opened.take(TELLING_BYTES as u64);
    start
        .read_to_end(&mut first)
        .await
        .map_err(|e| failing.machine(e))?;
    let Some(compression) = told_from(&first) else {
        return take_dockerfile(file, tree, failing).map(|()| Unpacked::default());
    };
    let opened = File::open(file).await.map_err(|e| failing.machine(e))?;
    let tar = unpacked(BufReader::with_capacity(128 * 1024, opened), compression);
    let done = unpack(tar, tree, caps).await;
    done.map_err(|error| failing.unpacking(&error))
}

/// Takes a text on standard input for a Dockerfile without any other file, as docker does.
fn take_dockerfile(file: &Path, tree: &Path, failing: &Failing) -> Result<(), OpenError> {
    let is_small = fs::metadata(file).is_ok_and(|it| (1..=DOCKERFILE_BYTES).contains(&it.len()));
    let text = match failing.is_standard_input() && is_small {
        true => fs::read_to_string(file).ok(),
        false => None,
    };
    let Some(text) = text.filter(|text| !text.contains('\0')) else {
        return Err(failing.refused(
            "it is no archive that can be read: tar, alone or packed with gzip, bzip2, xz or zstd",
            "A repository's address ends in .git, as in https://HOST/NAME.git#main",
        ));
    };
    fs::write(tree.join("Dockerfile"), text).map_err(|error| failing.machine(error))
}
