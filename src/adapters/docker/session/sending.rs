//! The sender's half of BuildKit's file sync: descriptions of all that is there, then the files it asks for.

use std::io::{self, Read};

use bollard_buildkit_proto::fsutil::types::Packet;
use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tonic::Status;

use super::packets::{data_packet, fin_packet, stat, stat_packet};
use crate::ports::{ContextEntry, ContextFiles, FolderError};

/// How much of a file goes into one packet.
const PIECE_BYTES: usize = 32 * 1024;

/// What the receiver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The content of the entry with this number in the list.
    File(u32),
    /// Nothing more.
    End,
}

/// What is sent: a list, and where its contents are.
pub(super) enum Tree {
    /// Files of the context.
    Context(std::sync::Arc<dyn ContextFiles>, Vec<ContextEntry>),
    /// One file in memory.
    Made(ContextEntry, Vec<u8>),
}

impl Tree {
    fn entries(&self) -> &[ContextEntry] {
        match self {
            Tree::Context(_, entries) => entries,
            Tree::Made(entry, _) => std::slice::from_ref(entry),
        }
    }

    fn open(&self, entry: &ContextEntry) -> Result<Box<dyn Read + Send + '_>, FolderError> {
        match self {
            Tree::Made(_, content) => Ok(Box::new(content.as_slice())),
            Tree::Context(files, _) => files.open(entry)?.map(|it| it as Box<dyn Read + Send>).ok_or_else(|| {
                FolderError(format!(
                    "{} went away while the context was sent; try again when nothing writes to it",
                    entry.path
                ))
            }),
        }
    }
}

/// Sends the list, then what is asked for, until the end is asked for or nobody listens; blocking.
pub(super) fn send(
    tree: &Tree,
    asks: &mut UnboundedReceiver<Ask>,
    out: &Sender<Result<Packet, Status>>,
) -> Result<(), FolderError> {
    let say = |packet| out.blocking_send(Ok(packet)).is_ok();
    let listens = tree
        .entries()
        .iter()
        .all(|entry| say(stat_packet(Some(stat(entry)))));
    if !listens || !say(stat_packet(None)) {
        return Ok(());
    }
    while let Some(ask) = asks.blocking_recv() {
        let Ask::File(number) = ask else {
            say(fin_packet());
            break;
        };
        let entry = usize::try_from(number)
            .ok()
            .and_then(|number| tree.entries().get(number));
        let entry = entry.ok_or_else(|| {
            FolderError(format!(
                "the builder asks for entry {number} of the context, which there is not"
            ))
        })?;
        if !send_file(tree.open(entry)?, |piece| say(data_packet(number, piece)))
            .map_err(|error| FolderError(format!("cannot read {}: {error}", entry.path)))?
        {
            break;
        }
    }
    Ok(())
}

/// Sends a file in pieces, an empty one last; `false` once nobody listens.
fn send_file(mut content: impl Read, mut say: impl FnMut(Vec<u8>) -> bool) -> io::Result<bool> {
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        content
            .by_ref()
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece)?;
        let is_last = piece.is_empty();
        if !say(piece) {
            return Ok(false);
        }
        if is_last {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bollard_buildkit_proto::fsutil::types::packet::PacketType;
    use tokio::sync::mpsc;

    use super::*;
    use crate::ports::EntryKind;

    /// A context of files that hold their own names, but for those that have gone.
    struct Names;

    impl ContextFiles for Names {
        fn key(&self) -> String {
            "names".to_string()
        }

        fn dockerfile(&self) -> Result<(String, Vec<u8>), FolderError> {
            Err(FolderError("there is none".to_string()))
        }

        fn list(&self) -> Result<Vec<ContextEntry>, FolderError> {
            Ok(Vec::new())
        }

        fn open(&self, entry: &ContextEntry) -> Result<Option<Box<dyn Read + Send>>, FolderError> {
            let content = entry.path.repeat(PIECE_BYTES);
            let is_there = entry.path != "gone";
            Ok(is_there.then(|| Box::new(io::Cursor::new(content)) as Box<dyn Read + Send>))
        }
    }

    /// Sends a folder, two files and a link to a receiver that asks this, and writes down what it gets.
    fn sent(asks: &[Ask]) -> (Vec<String>, Result<(), FolderError>) {
        let entry = |path: &str, kind| ContextEntry {
            path: path.to_string(),
            kind,
            mode: 0o755,
            modified_nanos: 1,
        };
        let entries = vec![
            entry("d", EntryKind::Folder),
            entry("d/f", EntryKind::File(3 * PIECE_BYTES as u64)),
            entry("gone", EntryKind::File(1)),
            entry("l", EntryKind::Link("d/f".to_string())),
        ];
        let (asking, mut heard) = mpsc::unbounded_channel();
        asks.iter().for_each(|ask| asking.send(*ask).expect("open"));
        drop(asking);
        let (out, mut packets) = mpsc::channel(100);
        let ended = send(&Tree::Context(Arc::new(Names), entries), &mut heard, &out);
        drop(out);
        let mut words = Vec::new();
        while let Some(Ok(packet)) = packets.blocking_recv() {
            let kind = PacketType::try_from(packet.r#type).expect("a kind");
            words.push(match (kind, packet.stat) {
                (PacketType::PacketStat, Some(stat)) => format!("stat {}", stat.path),
                (PacketType::PacketStat, None) => "end of list".to_string(),
                (PacketType::PacketData, _) => format!("{} {}", packet.id, packet.data.len()),
                (kind, _) => format!("{kind:?}"),
            });
        }
        (words, ended)
    }

    const LIST: [&str; 5] = ["stat d", "stat d/f", "stat gone", "stat l", "end of list"];

    #[test]
    fn the_list_comes_first_and_a_context_that_is_known_costs_no_more() {
        let (words, ended) = sent(&[Ask::End]);
        assert_eq!(words, [&LIST[..], &["PacketFin"]].concat());
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn a_file_that_is_asked_for_comes_in_pieces_and_ends_with_an_empty_one() {
        let (words, _) = sent(&[Ask::File(1), Ask::End, Ask::File(1)]);
        let expected = ["1 32768", "1 32768", "1 32768", "1 0", "PacketFin"];
        assert_eq!(words[LIST.len()..], expected);
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (ask, reason) in [
            (Ask::File(2), "gone went away"),
            (Ask::File(9), "entry 9 of the context"),
        ] {
            let (words, ended) = sent(&[ask]);
            assert_eq!(words, LIST);
            let error = ended.expect_err("it is not there").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
