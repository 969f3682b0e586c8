//! What an archive is packed with, told from its first bytes.

use std::pin::Pin;

use async_compression::tokio::bufread::{BzDecoder, GzipDecoder, XzDecoder, ZstdDecoder};
use futures_util::StreamExt;
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::ReaderStream;

use crate::ports::TarStream;

/// How many first bytes tell it all.
pub const TELLING_BYTES: usize = 512;
const CHUNK_BYTES: usize = 128 * 1024;

/// The ways archives are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// A tar as it is.
    None,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

/// Tells how an archive is packed; `None` when it is no archive.
pub fn told_from(first: &[u8]) -> Option<Compression> {
    let magics: [(&[u8], Compression); 4] = [
        (b"\x1f\x8b\x08", Compression::Gzip),
        (b"BZh", Compression::Bzip2),
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"\x28\xb5\x2f\xfd", Compression::Zstd),
    ];
    let found = magics.iter().find(|(magic, _)| first.starts_with(magic));
    found
        .map(|(_, compression)| *compression)
        .or_else(|| is_tar(first).then_some(Compression::None))
}

/// Says whether a block is the header of a tar entry, or the end of an empty tar. The old formats have no magic, but
/// all have a checksum.
fn is_tar(first: &[u8]) -> bool {
    let Some(block) = first.get(..TELLING_BYTES) else {
        return false;
    };
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    let header = tar::Header::from_byte_slice(block);
    let sum = |block: &[u8]| block.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    // The checksum itself counts as blanks.
    let sum = sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..]);
    header.cksum().is_ok_and(|written| written == sum)
}

/// Unpacks as the bytes are read.
pub fn unpacked(reader: impl AsyncBufRead + Send + 'static, compression: Compression) -> TarStream {
    let reader: Pin<Box<dyn AsyncRead + Send>> = match compression {
        Compression::None => Box::pin(reader),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Compression::Bzip2 => {
            let mut decoder = BzDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Compression::Xz => {
            let mut decoder = XzDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
    };
    ReaderStream::with_capacity(reader, CHUNK_BYTES).boxed()
}

#[cfg(test)]
mod tests {
    use super::{Compression, told_from};

    #[test]
    fn an_archive_is_told_from_its_first_bytes() {
        let mut header = tar::Header::new_old();
        header.set_path("a").unwrap();
        header.set_size(0);
        header.set_cksum();
        let mut broken = header.as_bytes().to_vec();
        broken[0] = b'b';
        let html = [b"<!DOCTYPE html>".as_slice(), &[b' '; 600]].concat();
        for (first, expected) in [
            (header.as_bytes().as_slice(), Some(Compression::None)),
            (&[0; 1024], Some(Compression::None)),
            (b"\x1f\x8b\x08\0", Some(Compression::Gzip)),
            (b"BZh9", Some(Compression::Bzip2)),
            (b"\xfd7zXZ\0", Some(Compression::Xz)),
            (b"\x28\xb5\x2f\xfd", Some(Compression::Zstd)),
            (&broken, None),
            (&html, None),
            (b"FROM scratch\n", None),
            (b"PK\x03\x04", None),
            (b"", None),
        ] {
            assert_eq!(told_from(first), expected);
        }
    }
}
