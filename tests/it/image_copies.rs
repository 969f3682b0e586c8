//! Images are copied whole, whatever the network does meanwhile.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use careen::{
    adapters::memory::registry::MemoryRegistry,
    app::{AppError, Copied, CopyRequest, CopyWatcher, Moved},
    ports::{Manifest, Registry, RegistryError, RegistryLogin, Repository, Right},
    spec::reference::Reference,
};

use crate::{
    careens::Careen,
    faulty_proxy::{Fault, Proxy},
    registries::{Kind, PASSWORD, Server, USER, logged_in, write_image, write_index},
    world::World,
};

/// Notes what became of each blob.
#[derive(Default)]
struct Notes {
    moved: Mutex<Vec<Moved>>,
    sent: Mutex<i64>,
}

impl Notes {
    fn count(&self, how: Moved) -> usize {
        let moved = self.moved.lock().unwrap();
        moved.iter().filter(|it| **it == how).count()
    }
}

impl CopyWatcher for Notes {
    fn expects(&self, _bytes: u64) {}

    fn sent(&self, bytes: i64) {
        *self.sent.lock().unwrap() += bytes;
    }

    fn blob(&self, _digest: &str, _size_bytes: u64, how: Moved) {
        self.moved.lock().unwrap().push(how);
    }
}

async fn copy(
    registry: Arc<dyn Registry>,
    (source, target): (&str, &str),
    logins: &[RegistryLogin],
) -> (Result<Copied, AppError>, Notes) {
    let mut world = World::new().await;
    world.app.ports.registry = registry;
    let request = CopyRequest {
        source: Reference::parse(source).unwrap(),
        target: Reference::parse(target).unwrap(),
        platform: None,
    };
    let notes = Notes::default();
    let copied = world.app.copy_image(&request, logins, &notes).await;
    (copied, notes)
}

fn at(host: &str, path: &str) -> Repository {
    Repository {
        host: host.to_owned(),
        path: path.to_owned(),
        login: None,
    }
}

/// Two hosts in memory, the first with an index at `a.io/team/app:v1`.
async fn two_hosts() -> (MemoryRegistry, Manifest) {
    let registry = MemoryRegistry::new();
    registry.add_host("a.io");
    registry.add_host("b.io");
    let (index, _) = write_index(&registry, (&at("a.io", "team/app"), "v1"))
        .await
        .unwrap();
    (registry, index)
}

#[tokio::test]
async fn an_index_is_copied_with_all_its_images_and_shared_blobs_once() {
    let (registry, index) = two_hosts().await;
    let shared = Arc::new(registry.clone());
    let (copied, notes) = copy(shared, ("a.io/team/app:v1", "b.io/mirror/app"), &[]).await;
    let copied = copied.unwrap();
    assert_eq!(
        (copied.digest, copied.image),
        (index.digest.clone(), "b.io/mirror/app:v1".to_owned())
    );
    let there = at("b.io", "mirror/app");
    assert_eq!(registry.manifest(&there, "v1").await.unwrap(), index);
    // Two layers, and one configuration that both images share.
    assert_eq!(notes.count(Moved::Sent), 3);
    for platform in ["linux/amd64", "linux/arm64"] {
        let digest = registry
            .resolve(&there, "v1", Some(platform))
            .await
            .unwrap();
        registry.manifest(&there, &digest).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_there_is_not_sent_again_and_neighbours_share() {
    let (registry, _) = two_hosts().await;
    let shared: Arc<dyn Registry> = Arc::new(registry.clone());
    let written = registry.written_bytes();
    let near = ("a.io/team/app:v1", "a.io/team/other:v2");
    let (copied, notes) = copy(shared.clone(), near, &[]).await;
    copied.unwrap();
    assert_eq!(
        (notes.count(Moved::Mounted), registry.written_bytes()),
        (3, written)
    );
    let (copied, notes) = copy(shared, near, &[]).await;
    copied.unwrap();
    assert_eq!(notes.count(Moved::Present), 3);
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    let (registry, _) = two_hosts().await;
    let busy = RegistryError::Busy {
        host: "b.io".to_owned(),
        reason: "too many requests".to_owned(),
        retry_after: Some(Duration::from_millis(1)),
    };
    registry.fail_next_uploads([busy.clone(), busy.clone(), busy]);
    let shared = Arc::new(registry.clone());
    let (copied, notes) = copy(shared, ("a.io/team/app:one", "b.io/z"), &[]).await;
    let image = registry
        .manifest(&at("a.io", "team/app"), "one")
        .await
        .unwrap();
    assert_eq!(copied.unwrap().digest, image.digest);
    assert_eq!(notes.count(Moved::Sent), 2);
}

#[tokio::test]
async fn a_refusal_ends_the_copy_with_what_is_missing() {
    let (registry, _) = two_hosts().await;
    registry.add_user("c.io", ("reader", "secret"), &[Right::Pull]);
    let login = logged_in(at("c.io", ""), "reader", "secret").login.unwrap();
    let shared = Arc::new(registry);
    let (refused, _) = copy(shared, ("a.io/team/app:v1", "c.io/y"), &[login]).await;
    let hint = refused.unwrap_err().hint().unwrap_or_default();
    assert!(
        hint.contains("Have reader given the push right on y"),
        "{hint}"
    );
}

#[tokio::test]
async fn an_image_by_digest_is_copied_under_it() {
    let (registry, _) = two_hosts().await;
    let from = at("a.io", "team/app");
    let digest = registry
        .resolve(&from, "v1", Some("linux/arm64"))
        .await
        .unwrap();
    let shared = Arc::new(registry);
    let source = format!("a.io/team/app@{digest}");
    let (copied, _) = copy(shared, (&source, "b.io/x"), &[]).await;
    assert_eq!(copied.unwrap().image, format!("b.io/x@{digest}"));
}

/// Bytes that do not pack well and differ from each other.
fn layer(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..2_000_000).map(|_| next()).collect()
}

#[tokio::test]
async fn a_network_that_cuts_delays_and_refuses_loses_nothing() {
    let (Some(open), Some(guarded)) = (Server::start(Kind::Open), Server::start(Kind::Password))
    else {
        return;
    };
    let layers = [layer(1), layer(2), layer(3)];
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let written = write_image(&open.client(), (&open.at("big"), "v1"), &layers)
        .await
        .unwrap();
    let bad_day = [
        Fault::Answer(429, 0),
        Fault::CutAfter(20_000),
        Fault::Answer(500, 0),
        Fault::Refuse,
        Fault::Delay(Duration::from_millis(100)),
        Fault::CutAfter(500_000),
        Fault::CutAfter(1_500_000),
        Fault::Answer(503, 1),
    ];
    let from = Proxy::before(&open.host, &bad_day).await;
    let to = Proxy::before(&guarded.host, &bad_day).await;
    let pair = (
        format!("{}/big:v1", from.host),
        format!("{}/copied/big", to.host),
    );
    let login = logged_in(at(&to.host, ""), USER, PASSWORD).login.unwrap();
    let client = Arc::new(open.client());
    let (copied, notes) = copy(client, (&pair.0, &pair.1), &[login]).await;
    assert_eq!(copied.unwrap().digest, written.digest);
    // How many connections there are depends on how many the client keeps open.
    let (left, at_most) = (from.left().max(to.left()), 3);
    assert!(left <= at_most, "{left} faults were not met");
    let total: usize = layers.iter().map(|it| it.len()).sum();
    let sent = *notes.sent.lock().unwrap();
    assert!(
        sent >= total as i64 && sent < total as i64 + 1_000,
        "{sent} of {total}"
    );
    let there = logged_in(guarded.at("copied/big"), USER, PASSWORD);
    let direct = guarded.client();
    assert_eq!(direct.manifest(&there, "v1").await.unwrap(), written);
    for blob in written.contents().unwrap().blobs() {
        use futures_util::TryStreamExt;
        let stream = direct.blob(&there, blob.digest().as_ref()).await.unwrap();
        let pieces: Vec<_> = stream.try_collect().await.unwrap();
        assert_eq!(pieces.concat().len() as u64, blob.size());
    }
}

#[test]
fn the_command_copies_between_registries_of_every_kind() {
    let (Some(tls), Some(guarded)) = (Server::start(Kind::Tls), Server::start(Kind::Password))
    else {
        return;
    };
    let written = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (index, _) = write_index(&tls.client(), (&tls.at("team/app"), "v1"))
            .await
            .unwrap();
        index
    });
    let careen = Careen::new();
    let ca = careen.path("ca.pem");
    std::fs::write(&ca, tls.authority.as_ref().unwrap()).unwrap();
    let add = ["connection", "add", "--password-stdin", "-u", USER];
    careen
        .told(
            &[
                &add[..],
                &["tls", "-s", &tls.host, "--ca-file", ca.to_str().unwrap()],
            ]
            .concat(),
            "x",
        )
        .exits(0);
    let source = format!("{}/team/app:v1", tls.host);
    let (one, two) = (
        format!("{}/one", guarded.host),
        format!("{}/two:v9", guarded.host),
    );
    let refused = careen.does(&["image", "copy", &source, &one]).exits(3);
    assert!(
        refused.stderr.contains("careen connection add NAME"),
        "{}",
        refused.stderr
    );
    careen
        .told(
            &[&add[..], &["guarded", "-s", &guarded.host]].concat(),
            PASSWORD,
        )
        .exits(0);
    let copied = careen.json(&["image", "copy", &source, &one, &two]);
    for (copied, image) in copied
        .as_array()
        .unwrap()
        .iter()
        .zip([format!("{one}:v1"), two])
    {
        assert_eq!(copied["image"], image);
        assert_eq!(copied["digest"], written.digest);
    }
    assert_eq!(copied[1]["blobs"]["sent"], 3, "{copied:#}");
    careen
        .does(&["image", "copy", "A B", &one])
        .exits(2)
        .says(&["HOST/REPOSITORY:TAG"]);
}

/// Does something with the real helm, in a folder; `None`, said aloud, where there is no image of it.
fn helm(folder: &std::path::Path, words: &[&str]) -> Option<String> {
    const IMAGE: &str = "careen-demo/helm:latest";
    let docker = |words: &[&str]| std::process::Command::new("docker").args(words).output();
    if !docker(&["image", "inspect", IMAGE]).is_ok_and(|it| it.status.success()) {
        println!("skipped: no {IMAGE}; `./dev setup helm` makes it");
        return None;
    }
    let mount = format!("{}:/work", folder.display());
    let run = [
        "run",
        "--rm",
        "--network",
        "host",
        "-v",
        &mount,
        "-w",
        "/work",
        "-e",
        "HOME=/work",
    ];
    let done = docker(&[&run[..], &[IMAGE], words].concat()).expect("docker");
    assert!(done.status.success(), "helm {words:?}: {done:?}");
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_chart_that_helm_pushed_is_copied_and_pulled_by_helm() {
    let (Some(one), Some(two)) = (Server::start(Kind::Open), Server::start(Kind::Open)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = [&one.host, &two.host].map(|host| format!("oci://{host}/charts"));
    if helm(folder.path(), &["create", "app"]).is_none() {
        return;
    }
    helm(folder.path(), &["package", "app"]);
    helm(
        folder.path(),
        &["push", "app-0.1.0.tgz", &from, "--plain-http"],
    );
    let careen = Careen::new();
    let source = format!("{}/charts/app:0.1.0", one.host);
    let target = format!("{}/charts/app", two.host);
    let copied = careen.json(&["image", "copy", &source, &target]);
    assert_eq!(copied[0]["image"], format!("{target}:0.1.0"));
    let pull = [
        "pull",
        &format!("{to}/app"),
        "--version",
        "0.1.0",
        "--plain-http",
    ];
    std::fs::create_dir(folder.path().join("copied")).unwrap();
    helm(folder.path(), &[&pull[..], &["-d", "copied"]].concat());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("copied/app-0.1.0.tgz"), read("app-0.1.0.tgz"));
}
