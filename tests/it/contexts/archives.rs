//! Archives of the web and of standard input become folders; whatever goes wrong leaves nothing half done.

use std::io::Write;

use bytes::Bytes;
use careen::{
    adapters::folder::{Bounds, Caps},
    ports::{Access, Contexts, OpenFault, Pin, TarStream},
};
use futures_util::{StreamExt, stream};

use super::{
    Place, near, refusal,
    servers::{WebServer, tar_of},
    text_of,
};

const FILES: [(&str, &str); 2] = [("Dockerfile", "FROM scratch\n"), ("d/a", "text")];

/// Packs with the program of this name.
fn packed(program: &str, content: &[u8]) -> Option<Vec<u8>> {
    let child = std::process::Command::new(program)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    child.stdin.take()?.write_all(content).ok()?;
    Some(child.wait_with_output().ok()?.stdout)
}

fn digest_of(pin: &Pin) -> &str {
    match pin {
        Pin::Archive { digest, .. } => digest,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_packing_is_told_from_the_bytes() {
    let tar = tar_of(&FILES);
    let mut ways = vec![
        ("tar", tar.clone()),
        ("zstd", zstd::encode_all(&tar[..], 3).unwrap()),
    ];
    for program in ["gzip", "bzip2", "xz"] {
        match packed(program, &tar) {
            Some(bytes) => ways.push((program, bytes)),
            None => println!("skipped: no {program} here"),
        }
    }
    let place = Place::new();
    for (way, bytes) in ways {
        let server = WebServer::start(bytes).await;
        let opened = place.open(&server.url("good/any-name")).await.unwrap();
        assert_eq!(text_of(&opened, "d/a"), "text", "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_recorded_by_its_digest_and_only_that_is_opened_again() {
    let server = WebServer::start(tar_of(&FILES)).await;
    let place = Place::new();
    let url = server.url("good/app.tar");
    let first = place.open(&url).await.unwrap();
    assert!(digest_of(&first.pin).starts_with("sha256:"));
    *server.content.lock().unwrap() = tar_of(&[("d/a", "changed")]);
    let again = place.contexts.reopen(&first.pin, &near()).await.unwrap();
    assert_eq!(text_of(&again, "d/a"), "text");
    assert_eq!(
        server.asked.lock().unwrap().len(),
        1,
        "what is here is not asked for"
    );
    let error = refusal(Place::new().contexts.reopen(&first.pin, &near()).await);
    assert_eq!(error.fault, OpenFault::Changed);
    assert!(error.reason.contains(digest_of(&first.pin)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_the_server_knows_to_be_here_is_not_sent_again() {
    let server = WebServer::start(tar_of(&FILES)).await;
    let place = Place::new();
    let url = server.url("marked/app.tar");
    let first = place.open(&url).await.unwrap();
    let again = place.open(&url).await.unwrap();
    assert_eq!(again.pin, first.pin);
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        ["/marked/app.tar", "/marked/app.tar unless \"mark\""]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_web_does_is_taken_or_refused() {
    let large = "x".repeat(4 << 20);
    let server = WebServer::start(tar_of(&[FILES[1], ("large", &large)])).await;
    let place = Place::new();
    for (path, expected) in [
        ("good/a", Ok(())),
        ("led/a", Ok(())),
        ("flaky/a", Ok(())),
        (
            "loop",
            Err((OpenFault::Refused, "led on more than 5 times")),
        ),
        (
            "to-file",
            Err((OpenFault::Refused, "leads from http to file")),
        ),
        ("cut/a", Err((OpenFault::Machine, "broke off"))),
        ("denied", Err((OpenFault::Denied, "403"))),
        ("gone", Err((OpenFault::Missing, "404"))),
    ] {
        server.asked.lock().unwrap().clear();
        let opened = place.open(&server.url(path)).await;
        match expected {
            Ok(()) => assert_eq!(text_of(&opened.unwrap(), "d/a"), "text", "{path}"),
            Err((fault, words)) => {
                let error = refusal(opened);
                assert_eq!(error.fault, fault, "{path}: {error}");
                assert!(error.reason.contains(words), "{path}: {error}");
            }
        }
    }
    let entries = place.entries();
    assert_eq!(entries.len(), 1, "nothing half done is left: {entries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_asked_only_where_that_is_allowed() {
    let server = WebServer::start(tar_of(&FILES)).await;
    let place = Place::new();
    for url in [
        server.url("good/a"),
        server.url("good/a").replace("127.0.0.1", "localhost"),
        server.url("good/a.git"),
        "https://169.254.169.254/latest/a.tgz".to_owned(),
        "https://[::1]/a.git".to_owned(),
        "ssh://git@10.0.0.1/a.git".to_owned(),
        "git@localhost:a".to_owned(),
    ] {
        let error = refusal(place.open_with(&url, Access::default()).await);
        assert_eq!(error.fault, OpenFault::Refused, "{error}");
        assert!(error.reason.contains("not a public address"), "{error}");
        assert!(
            error.hint.contains("--allow private-address"),
            "{}",
            error.hint
        );
    }
    assert!(server.asked.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_signatures_go_to_the_host_that_was_named_and_are_recorded_nowhere() {
    let server = WebServer::start(tar_of(&FILES)).await;
    let place = Place::new();
    let url = server
        .url("to-other?sig=hush")
        .replace("http://", "http://me:hush@");
    let opened = place.open(&url).await.unwrap();
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(asked, ["/to-other?sig=hush me:hush", "/good"]);
    assert!(!format!("{:?}", opened.pin).contains("hush"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_archives_are_refused_and_leave_nothing() {
    let bomb = zstd::encode_all(&*tar_of(&[("zeros", &"0".repeat(3 << 20))]), 3).unwrap();
    let many: Vec<_> = (0..200).map(|i| (format!("f{i}"), "")).collect();
    let many: Vec<_> = many
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let mut link = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "out", "/etc/passwd").unwrap();
    let mut cut = tar_of(&FILES);
    cut.truncate(700);
    let place = Place::with(Bounds {
        caps: Caps {
            entries: 100,
            bytes: 1 << 20,
        },
        download_bytes: 1 << 20,
        ..Bounds::default()
    });
    for (what, bytes, reason) in [
        ("a bomb", bomb, "unpacks to more than 1048576 bytes"),
        ("a crowd", tar_of(&many), "more than 100 entries"),
        (
            "a link out",
            link.into_inner().unwrap(),
            "is a link to an absolute path",
        ),
        ("a page", b"<!DOCTYPE html>".to_vec(), "it is no archive"),
        ("nothing", Vec::new(), "it is no archive"),
        ("a large one", vec![0; 2 << 20], "larger than 1048576 bytes"),
        ("half of one", cut, "the archive cannot be read"),
        (
            "a broken gzip",
            b"\x1f\x8b\x08broken".to_vec(),
            "the archive cannot be read",
        ),
    ] {
        let server = WebServer::start(bytes).await;
        let error = refusal(place.open(&server.url("good/a.tar")).await);
        assert_eq!(error.fault, OpenFault::Refused, "{what}: {error}");
        assert!(error.reason.contains(reason), "{what}: {error}");
    }
    assert!(place.entries().is_empty(), "{:?}", place.entries());
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_an_archive_or_a_dockerfile_alone() {
    let stream = |bytes: Vec<u8>| -> TarStream {
        let pieces: Vec<_> = bytes
            .chunks(100)
            .map(|c| Ok(Bytes::copy_from_slice(c)))
            .collect();
        stream::iter(pieces).boxed()
    };
    let place = Place::new();
    let opened = place
        .contexts
        .receive(stream(tar_of(&FILES)))
        .await
        .unwrap();
    assert_eq!(text_of(&opened, "d/a"), "text");
    let dockerfile = b"FROM busybox\nRUN true\n".to_vec();
    let alone = place.contexts.receive(stream(dockerfile)).await.unwrap();
    assert_eq!(text_of(&alone, "Dockerfile"), "FROM busybox\nRUN true\n");
    let again = place.contexts.reopen(&alone.pin, &near()).await.unwrap();
    assert_eq!(again.folder, alone.folder);
    for bytes in [Vec::new(), b"PK\x03\x04\0\0".to_vec()] {
        let error = refusal(place.contexts.receive(stream(bytes)).await);
        assert!(error.reason.contains("no archive"), "{error}");
    }
    let error = refusal(Place::new().contexts.reopen(&alone.pin, &near()).await);
    assert_eq!(error.fault, OpenFault::Changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_nobody_waits_for_any_more_leaves_nothing() {
    let place = Place::new();
    let endless: TarStream = stream::iter([Ok(Bytes::from_static(b"begun"))])
        .chain(stream::pending())
        .boxed();
    let waiting = place.contexts.receive(endless);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), waiting).await;
    assert!(waited.is_err());
    assert!(place.entries().is_empty(), "{:?}", place.entries());
}
