//! Archives become folders, and hostile ones touch nothing else.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use bytes::Bytes;
use careen::{
    adapters::folder::{Caps, UnpackError, Unpacked, pack_files, unpack},
    ports::TarStream,
};
use futures_util::{StreamExt, stream};
use tar::{Builder, EntryType, Header};

use super::{Tree, everything_in, silent};

const CAPS: Caps = Caps {
    entries: 100,
    bytes: 1 << 20,
};

/// One entry of an archive, written without any of the checks that writers make.
struct Raw(EntryType, &'static str, &'static str);

fn header(kind: EntryType, name: &str, target: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

fn archive(entries: &[Raw]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for Raw(kind, name, text) in entries {
        let (target, content) = match kind {
            EntryType::Regular => ("", *text),
            _ => (*text, ""),
        };
        let header = header(*kind, name, target, content.len() as u64);
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn streamed(archive: Vec<u8>) -> TarStream {
    // Odd pieces: nothing may depend on where they end.
    let pieces: Vec<_> = archive
        .chunks(777)
        .map(|c| Ok(Bytes::copy_from_slice(c)))
        .collect();
    stream::iter(pieces).boxed()
}

/// A folder to unpack into, beside a file that nobody may touch.
fn world() -> Tree {
    let tree = Tree::new(&[
        ("victim", "untouched"),
        ("in/own", "own"),
        ("in/folder/", ""),
    ]);
    symlink(tree.path(""), tree.path("in/way-out")).unwrap();
    symlink(tree.path("victim"), tree.path("in/link-out")).unwrap();
    tree
}

async fn unpack_into(tree: &Tree, archive: Vec<u8>) -> Result<Unpacked, UnpackError> {
    let result = unpack(streamed(archive), &tree.path("in"), CAPS).await;
    let outside = |path: &std::path::PathBuf| !path.starts_with(tree.path("in"));
    let found: Vec<_> = everything_in(&tree.path(""))
        .into_iter()
        .filter(outside)
        .collect();
    assert_eq!(found, [tree.path("victim")]);
    assert_eq!(
        fs::read_to_string(tree.path("victim")).unwrap(),
        "untouched"
    );
    assert_eq!(fs::metadata(tree.path("victim")).unwrap().nlink(), 1);
    result
}

#[tokio::test]
async fn a_hostile_entry_is_refused_by_name_and_touches_nothing_outside() {
    use EntryType as E;
    let cases = [
        (
            vec![Raw(E::Regular, "/tmp/careen-x", "x")],
            "\"/tmp/careen-x\" is an absolute path",
        ),
        (
            vec![Raw(E::Regular, "../x", "x")],
            "\"../x\" has `..` in its name",
        ),
        (
            vec![Raw(E::Regular, "a/../../x", "x")],
            "\"a/../../x\" has `..`",
        ),
        (vec![Raw(E::Directory, "../d", "")], "\"../d\" has `..`"),
        (vec![Raw(E::Regular, ".", "x")], "\".\" has no name"),
        (vec![Raw(E::Symlink, "l", "..")], "\"l\" is a link out"),
        (
            vec![Raw(E::Symlink, "a/l", "../../x")],
            "\"a/l\" is a link out",
        ),
        (
            vec![Raw(E::Symlink, "l", "/etc/passwd")],
            "\"l\" is a link to an absolute path",
        ),
        (vec![Raw(E::Symlink, "l", "")], "\"l\" is a link to nowhere"),
        (
            vec![
                Raw(E::Symlink, "here", "."),
                Raw(E::Symlink, "l", "here/../x"),
            ],
            "\"l\" is a link with `..` after a name",
        ),
        (
            vec![
                Raw(E::Directory, "p", ""),
                Raw(E::Symlink, "p/q", "."),
                Raw(E::Symlink, "p/q/q/l", "../../.."),
            ],
            "\"p/q/q/l\" lies below a link",
        ),
        (
            vec![Raw(E::Regular, "way-out/x", "x")],
            "\"way-out/x\" lies below a link",
        ),
        (
            vec![Raw(E::Directory, "way-out/d", "")],
            "\"way-out/d\" lies below a link",
        ),
        (
            vec![Raw(E::Regular, "own/x", "x")],
            "\"own/x\" lies below a file",
        ),
        (
            vec![Raw(E::Link, "l", "../victim")],
            "\"l\" is a second name of something out",
        ),
        (
            vec![Raw(E::Link, "l", "/etc/passwd")],
            "\"l\" is a second name of something out",
        ),
        (
            vec![Raw(E::Link, "l", "way-out/victim")],
            "\"way-out/victim\" lies below a link",
        ),
        (
            vec![Raw(E::Link, "l", "link-out")],
            "\"l\" is a second name of no file",
        ),
        (
            vec![Raw(E::Link, "own", "own")],
            "\"own\" is a second name of no file",
        ),
        (vec![Raw(E::Char, "c", "")], "\"c\" is a device"),
        (vec![Raw(E::Block, "b", "")], "\"b\" is a device"),
        (vec![Raw(E::Fifo, "f", "")], "\"f\" is a named pipe"),
        (
            vec![Raw(E::new(b'Z'), "z", "")],
            "\"z\" is of an unknown kind",
        ),
        (
            vec![Raw(E::Regular, "a\u{1b}[2J/../x", "")],
            "a\\u{1b}[2J/../x",
        ),
    ];
    for (entries, expected) in cases {
        let tree = world();
        let error = unpack_into(&tree, archive(&entries))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_link_is_replaced_never_written_through() {
    let tree = world();
    let unpacked = unpack_into(
        &tree,
        archive(&[Raw(EntryType::Regular, "link-out", "new")]),
    )
    .await;
    assert_eq!(
        unpacked.unwrap(),
        Unpacked {
            entries: 1,
            bytes: 3
        }
    );
    assert!(
        fs::symlink_metadata(tree.path("in/link-out"))
            .unwrap()
            .is_file()
    );
    let folder = archive(&[Raw(EntryType::Directory, "way-out", "")]);
    let error = unpack_into(&tree, folder).await.unwrap_err().to_string();
    assert!(error.contains("way-out cannot be written"), "{error}");
}

#[tokio::test]
async fn a_bomb_ends_at_the_caps() {
    let many: Vec<_> = (0..101).map(|_| Raw(EntryType::Regular, "a", "")).collect();
    let error = unpack_into(&world(), archive(&many))
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the archive is refused: it has more than 100 entries"
    );

    for kind in [EntryType::Regular, EntryType::Directory, EntryType::Symlink] {
        let huge = header(kind, "a", "b", 1 << 40).as_bytes().to_vec();
        let error = unpack_into(&world(), huge).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "the archive is refused: it unpacks to more than 1048576 bytes"
        );
    }

    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
    ] {
        let mut long = header(kind, "a", "", 1 << 33).as_bytes().to_vec();
        long.resize(4 << 20, b'a');
        let error = unpack_into(&world(), long).await.unwrap_err().to_string();
        assert!(
            error.contains("a header has more than a megabyte"),
            "{error}"
        );
    }

    let mut long = Builder::new(Vec::new());
    let name = vec!["abcdefgh"; 600].join("/");
    long.append_data(
        &mut header(EntryType::Regular, "", "", 0),
        name,
        io::empty(),
    )
    .unwrap();
    let error = unpack_into(&world(), long.into_inner().unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("has a name longer than 4096 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_broken_archive_is_an_error() {
    let whole = archive(&[Raw(EntryType::Regular, "a", "text")]);
    for length in [100, 513, 515] {
        let error = unpack_into(&world(), whole[..length].to_vec())
            .await
            .unwrap_err();
        assert!(
            matches!(error, UnpackError::Archive(_)),
            "{length}: {error}"
        );
    }
    let broken = stream::iter([
        Ok(Bytes::copy_from_slice(&whole[..512])),
        Err(io::Error::other("the connection broke")),
    ]);
    let error = unpack(broken.boxed(), &world().path("in"), CAPS)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the connection broke"),
        "{error}"
    );
}

#[tokio::test]
async fn set_user_bits_are_dropped_and_closed_folders_filled() {
    let files = vec![("a/tool".to_owned(), 0o4755, b"x".to_vec())];
    let tree = world();
    unpack(pack_files(files), &tree.path("in"), CAPS)
        .await
        .unwrap();
    let mode = |name: &str| fs::metadata(tree.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("in/a/tool"), 0o755);

    let mut closed = header(EntryType::Directory, "closed", "", 0);
    closed.set_mode(0o555);
    closed.set_cksum();
    let mut made = Builder::new(Vec::new());
    made.append(&closed, io::empty()).unwrap();
    made.append(&header(EntryType::Regular, "closed/x", "", 0), io::empty())
        .unwrap();
    unpack_into(&tree, made.into_inner().unwrap())
        .await
        .unwrap();
    assert_eq!(mode("in/closed"), 0o555);
    assert!(tree.path("in/closed/x").exists());
    fs::set_permissions(tree.path("in/closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn what_was_packed_unpacks_to_the_same() {
    let long = "long-name-".repeat(20);
    let large = "0123456789".repeat(40_000);
    let tree = Tree::new(&[
        ("a", "x"),
        ("bin/run", "#!/bin/sh\n"),
        ("empty/", ""),
        ("large", &large),
        (&format!("{long}/{long}"), "y"),
        ("ünï/ø", "z"),
    ]);
    fs::set_permissions(tree.path("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../a", tree.path("bin/link")).unwrap();
    symlink(format!("{long}/{long}"), tree.path("long-link")).unwrap();
    fs::hard_link(tree.path("a"), tree.path("second-name")).unwrap();

    let back = Tree::new(&[]);
    let selection = tree.open().run_context().unwrap();
    let hash = selection.content_hash().unwrap();
    unpack(selection.tar_stream(silent()), &back.path(""), CAPS)
        .await
        .unwrap();
    let unpacked = back.open().run_context().unwrap().content_hash().unwrap();
    assert_eq!(unpacked, hash);
    let modified = |tree: &Tree| fs::metadata(tree.path("a")).unwrap().mtime();
    assert_eq!(modified(&back), modified(&tree));
}

#[tokio::test]
async fn a_second_name_shares_its_file() {
    let tree = world();
    let entries = [
        Raw(EntryType::Regular, "f", "text"),
        Raw(EntryType::Link, "d/g", "f"),
    ];
    unpack_into(&tree, archive(&entries)).await.unwrap();
    let inode = |name: &str| fs::metadata(tree.path(name)).unwrap().ino();
    assert_eq!(inode("in/f"), inode("in/d/g"));
}
