//! An engine without BuildKit: builds go to its classic builder, and that is said.

use std::path::{Path, PathBuf};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use crate::careens::Careen;

/// The engine of this machine behind a socket that knows nothing of BuildKit.
struct PlainEngine {
    folder: tempfile::TempDir,
    _serving: tokio::runtime::Runtime,
}

impl PlainEngine {
    fn start() -> Option<PlainEngine> {
        let host = std::env::var("DOCKER_HOST");
        let host = host.unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let engine = PathBuf::from(host.strip_prefix("unix://")?);
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let socket = folder.path().join("docker.sock");
        runtime.block_on(async {
            let listener = UnixListener::bind(socket).expect("a socket");
            tokio::spawn(accept(listener, engine));
        });
        Some(PlainEngine {
            folder,
            _serving: runtime,
        })
    }

    fn host(&self) -> String {
        format!(
            "unix://{}",
            self.folder.path().join("docker.sock").display()
        )
    }
}

async fn accept(listener: UnixListener, engine: PathBuf) {
    while let Ok((client, _)) = listener.accept().await {
        let engine = engine.clone();
        // A connection that breaks is its client's matter.
        tokio::spawn(async move { pass(client, &engine).await.ok() });
    }
}

/// Answers one request in the engine's place if it is about BuildKit, else hands it on.
async fn pass(mut client: UnixStream, engine: &Path) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default();
    if line.contains("/session") || line.contains("/grpc") {
        return answer(&mut client, "404 Not Found", "page not found").await;
    }
    if line.contains("/build?") && line.contains("version=2") {
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(client.read_u8().await?);
        }
        let reason = "buildkit not supported by daemon";
        return answer(&mut client, "500 Internal Server Error", reason).await;
    }
    let mut server = UnixStream::connect(engine).await?;
    // One request for each connection, or the next ones would not be looked at.
    let rest = text.split_once("\r\n").map_or("", |(_, rest)| rest);
    let rest = match line.contains("/attach") {
        true => rest.to_owned(),
        false => format!("Connection: close\r\n{rest}"),
    };
    server
        .write_all(format!("{line}\r\n{rest}").as_bytes())
        .await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn answer(client: &mut UnixStream, status: &str, message: &str) -> std::io::Result<()> {
    let body = format!("{{\"message\": \"{message}\"}}");
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

#[test]
fn the_classic_builder_is_chosen_and_said() {
    let (Some(mut careen), Some(engine)) = (Careen::on_docker(), PlainEngine::start()) else {
        return;
    };
    careen.set("DOCKER_HOST", &engine.host());
    careen.file(
        "Dockerfile",
        "FROM busybox\nARG WORD\nRUN echo $WORD > /made\n",
    );
    let image = careen.image("plain");
    careen.steps(&format!(
        "  - id: make\n    build: -t {image} --build-arg WORD=plain .\n  - id: use\n    cmd: {image} cat /made\n"
    ));
    let ran = careen.run(&[]).exits(0);
    let said = "the engine has no BuildKit: building with the classic builder";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert!(ran.stdout.contains("use  | plain"), "{}", ran.stdout);
    let secret = format!("  - build: -t {image} --secret id=a,src=Dockerfile .\n");
    careen.steps(&secret);
    careen
        .run(&[])
        .exits(1)
        .says(&["--secret needs a BuildKit session"]);
    careen.steps(&format!(
        "  - build: -t {image} --platform linux/amd64,linux/arm64 .\n"
    ));
    careen
        .run(&[])
        .exits(1)
        .says(&["for several platforms", "CAREEN_BUILDER"]);
}
