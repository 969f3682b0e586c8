//! Images go through the engine to and from registries on bad days and over private TLS, and arrive whole.

use std::{fs, net::UdpSocket, path::PathBuf, time::Duration};

use careen::ports::Registry;
use futures_util::TryStreamExt;

use crate::{
    careens::{Careen, wait_for},
    faulty_proxy::{Fault, Proxy},
    registries::{Kind, Server},
};

/// Makes a layer that some of the faults cut in the middle, and that no cache has.
fn dockerfile() -> String {
    let unique = uuid::Uuid::new_v4();
    format!("FROM busybox\nRUN head -c 3000000 /dev/urandom > /{unique} && echo made > /made\n")
}

/// What the connections of one day suffer, one after the other.
fn bad_days() -> [Vec<Fault>; 3] {
    [
        vec![Fault::Answer(503, 0), Fault::Answer(500, 0)],
        vec![Fault::Answer(429, 1); 3],
        vec![
            Fault::Delay(Duration::from_millis(300)),
            Fault::CutAfter(200),
            Fault::CutAfter(500_000),
        ],
    ]
}

/// What a test needs: a careen on the engine, a registry, and time that passes beside them for proxies.
struct Scene {
    careen: Careen,
    server: Server,
    beside: tokio::runtime::Runtime,
}

impl Scene {
    fn set() -> Option<Scene> {
        let careen = Careen::on_docker()?;
        careen.file("Dockerfile", &dockerfile());
        Some(Scene {
            careen,
            server: Server::start(Kind::Open)?,
            beside: tokio::runtime::Runtime::new().expect("a runtime"),
        })
    }

    fn proxy(&self, faults: &[Fault]) -> Proxy {
        self.beside
            .block_on(Proxy::before(&self.server.host, faults))
    }

    /// Builds and pushes an image straight to the registry, and leaves nothing of it on the engine.
    fn base(&mut self) -> String {
        let name = self.careen.image("base");
        let image = format!("{}/{name}", self.server.host);
        self.careen.steps(&format!(
            "  - id: make\n    build: -t {image} .\n    env: [DOCKER_BUILDKIT=0]\n  - id: send\n    push: ['{image}']\n"
        ));
        self.careen.run(&[]).exits(0);
        self.careen.remove_image(&image);
        name
    }

    /// Reads a whole image from the registry itself, checking every digest.
    fn is_whole(&self, name: &str) {
        let (path, tag) = name.rsplit_once(':').expect("a tag");
        let (client, at) = (self.server.client(), self.server.at(path));
        wait_for(async {
            let manifest = client.manifest(&at, tag).await.expect("a manifest");
            let contents = manifest.contents().expect("an image");
            for blob in contents.blobs() {
                let bytes = client
                    .blob(&at, blob.digest().as_ref())
                    .await
                    .expect("a blob");
                bytes
                    .try_collect::<Vec<_>>()
                    .await
                    .expect("its right bytes");
            }
        });
    }
}

#[test]
fn a_push_through_the_engine_outlives_a_bad_day() {
    for day in bad_days() {
        let Some(mut scene) = Scene::set() else {
            return;
        };
        let proxy = scene.proxy(&day);
        let name = scene.careen.image("outage");
        let image = format!("{}/{name}", proxy.host);
        scene.careen.keep_track(&image);
        scene.careen.steps(&format!(
            "  - id: make\n    build: -t {image} .\n  - id: send\n    push: ['{image}']\n"
        ));
        scene.careen.run(&[]).exits(0);
        assert_eq!(proxy.left(), 0, "all of {day:?} was met");
        scene.is_whole(&name);
    }
}

#[test]
fn images_for_steps_and_builds_arrive_on_a_bad_day() {
    for day in bad_days() {
        let Some(mut scene) = Scene::set() else {
            return;
        };
        let base = scene.base();
        let pulled = scene.proxy(&day);
        let image = format!("{}/{base}", pulled.host);
        scene.careen.keep_track(&image);
        scene
            .careen
            .steps(&format!("  - id: use\n    cmd: {image} cat /made\n"));
        assert_eq!(scene.careen.run(&[]).exits(0).stdout, "use | made\n");
        assert_eq!(pulled.left(), 0, "all of {day:?} was met");
        scene.careen.remove_image(&image);
        let built_on = scene.proxy(&day);
        let from = format!(
            "FROM {}/{base}\nRUN cat /made && touch /more\n",
            built_on.host
        );
        scene.careen.file("Dockerfile", &from);
        let made = scene.careen.image("made");
        scene
            .careen
            .steps(&format!("  - id: make\n    build: -t {made} .\n"));
        scene.careen.run(&[]).exits(0);
        assert_eq!(built_on.left(), 0, "all of {day:?} was met");
    }
}

/// The authority that the engine trusts for one host, as long as this lives.
struct Trusted(PathBuf);

impl Trusted {
    /// `None` where this user may not tell the engine whom to trust.
    fn of(server: &Server) -> Option<Trusted> {
        let folder = PathBuf::from("/etc/docker/certs.d").join(&server.host);
        let made = fs::create_dir_all(&folder).and_then(|()| {
            let authority = server.authority.as_deref().expect("it has one");
            fs::write(folder.join("ca.crt"), authority)
        });
        if made.is_err() {
            println!("skipped: /etc/docker/certs.d is not ours to write");
        }
        made.ok().map(|()| Trusted(folder))
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An address of this machine at which engines want real certificates, as they do not at the loopback.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the system only chooses the way.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then(|| address.to_string())
}

#[test]
fn a_registry_with_a_private_authority_serves_builds_and_pushes() {
    let (Some(mut careen), Some(address)) = (Careen::on_docker(), own_address()) else {
        return;
    };
    let Some(server) = Server::start_at(Kind::Tls, &address) else {
        return;
    };
    careen.file("Dockerfile", "FROM busybox\nRUN echo made > /made\n");
    let [base, image] = ["base", "made"].map(|it| format!("{}/{}", server.host, careen.image(it)));
    for image in [&base, &image] {
        careen.keep_track(image);
    }
    let steps = |image: &str| {
        format!("  - id: make\n    build: -t {image} .\n  - id: send\n    push: ['{image}']\n")
    };
    careen.steps(&steps(&base));
    let says = ["failed to push", "--ca-file"];
    careen.run(&[]).exits(3).says(&says);
    let authority = careen.path("ca.pem");
    fs::write(&authority, server.authority.as_ref().expect("one")).expect("a file");
    let file = authority.display().to_string();
    let words = [
        "connection",
        "add",
        "tls",
        "-s",
        &server.host,
        "-u",
        "any",
        "--password-stdin",
    ];
    careen
        .told(&[&words[..], &["--ca-file", &file]].concat(), "any")
        .exits(0);
    careen
        .run(&[])
        .exits(3)
        .says(&["/etc/docker/certs.d", &server.host]);
    let Some(_trusted) = Trusted::of(&server) else {
        return;
    };
    careen.run(&[]).exits(0);
    careen.remove_image(&base);
    careen.file("Dockerfile", &format!("FROM {base}\nRUN test -s /made\n"));
    careen.steps(&steps(&image));
    careen.run(&[]).exits(0);
    let record = careen.latest().to_string();
    assert!(record.contains("sha256:"), "{record}");
    careen
        .does(&["connection", "test", &format!("{}/x", server.host)])
        .exits(0);
}
