//! Entries of a context in the words of BuildKit's file sync.

use bollard_buildkit_proto::fsutil::types::{Packet, Stat, packet::PacketType};
use sha2::{Digest, Sha256};

use crate::ports::{ContextEntry, EntryKind};

/// Permission bits and kinds as the Go language numbers them.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
const SET_USER_ID: u32 = 1 << 23;
const SET_GROUP_ID: u32 = 1 << 22;
const STICKY: u32 = 1 << 20;

/// Describes an entry. Everything belongs to root, as with docker's own command line.
pub(super) fn stat(entry: &ContextEntry) -> Stat {
    let bit = |unix: u32, go: u32| if entry.mode & unix != 0 { go } else { 0 };
    let special = bit(0o4000, SET_USER_ID) | bit(0o2000, SET_GROUP_ID) | bit(0o1000, STICKY);
    let (kind, size, link) = match &entry.kind {
        EntryKind::Folder => (FOLDER, 0, ""),
        EntryKind::File(size) => (0, *size, ""),
        EntryKind::Link(target) => (LINK, 0, target.as_str()),
    };
    Stat {
        path: entry.path.clone(),
        mode: kind | special | (entry.mode & 0o777),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        mod_time: entry.modified_nanos,
        linkname: link.to_owned(),
        ..Default::default()
    }
}

/// Describes a file that is only in memory. BuildKit takes a file of the same size and time for the same, so the time
/// is made from the content.
pub(super) fn made_up(path: &str, content: &[u8]) -> ContextEntry {
    let hash = Sha256::digest(content);
    let number = hash
        .iter()
        .take(7)
        .fold(0, |sum: i64, byte| sum << 8 | i64::from(*byte));
    ContextEntry {
        path: path.to_owned(),
        kind: EntryKind::File(content.len() as u64),
        mode: 0o644,
        modified_nanos: number,
    }
}

/// Makes the packet that tells of an entry; that of no entry ends the list.
pub(super) fn stat_packet(stat: Option<Stat>) -> Packet {
    Packet {
        stat,
        ..packet(PacketType::PacketStat)
    }
}

/// Makes a packet with a piece of a file; an empty piece ends the file.
pub(super) fn data_packet(id: u32, data: Vec<u8>) -> Packet {
    Packet {
        id,
        data,
        ..packet(PacketType::PacketData)
    }
}

/// Makes the packet that ends the exchange.
pub(super) fn fin_packet() -> Packet {
    packet(PacketType::PacketFin)
}

fn packet(kind: PacketType) -> Packet {
    Packet {
        r#type: kind as i32,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EntryKind, mode: u32) -> ContextEntry {
        ContextEntry {
            path: "a".to_string(),
            kind,
            mode,
            modified_nanos: 7,
        }
    }

    #[test]
    fn kinds_and_modes_are_told_in_gos_numbers() {
        for (kind, mode, expected) in [
            (EntryKind::File(3), 0o644, 0o644),
            (EntryKind::File(3), 0o4755, 0o755 | 1 << 23),
            (EntryKind::Folder, 0o755, 0o755 | 1 << 31),
            (
                EntryKind::Folder,
                0o3777,
                0o777 | 1 << 31 | 1 << 22 | 1 << 20,
            ),
            (EntryKind::Link("t".into()), 0o777, 0o777 | 1 << 27),
        ] {
            assert_eq!(stat(&entry(kind.clone(), mode)).mode, expected, "{kind:?}");
        }
        let link = stat(&entry(EntryKind::Link("../t".into()), 0o777));
        assert_eq!((link.linkname.as_str(), link.size), ("../t", 0));
        let file = stat(&entry(EntryKind::File(3), 0o600));
        assert_eq!((file.size, file.mod_time, file.uid), (3, 7, 0));
    }

    #[test]
    fn another_content_in_memory_has_another_time() {
        let (one, same, other) = (
            made_up("D", b"ab"),
            made_up("D", b"ab"),
            made_up("D", b"ba"),
        );
        assert_eq!(one, same);
        assert_eq!(one.kind, other.kind);
        assert_ne!(one.modified_nanos, other.modified_nanos);
        assert!(one.modified_nanos > 0);
    }
}
