//! A connection that breaks, or an engine that stops, is never taken for an exit.

use std::{path::PathBuf, sync::Arc, time::Duration};

use careen::{
    adapters::docker::DockerEngine,
    ports::{Containers, EngineError, Since},
};
use futures_util::TryStreamExt;
use tokio::{
    net::{UnixListener, UnixStream},
    task::{AbortHandle, JoinSet},
};

use super::world::{World, on_docker};

/// The engine's socket behind another one, which can be cut.
struct Proxy {
    folder: tempfile::TempDir,
    accepting: AbortHandle,
    _everything: JoinSet<()>,
}

impl Proxy {
    /// Listens; `None` where the engine is not at a Unix socket.
    fn start() -> Option<Proxy> {
        let host = std::env::var("DOCKER_HOST")
            .unwrap_or_else(|_| "unix:///var/run/docker.sock".to_string());
        let engine = PathBuf::from(host.strip_prefix("unix://")?);
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let mut everything = JoinSet::new();
        let accepting = everything.spawn(accept(listener, engine));
        Some(Proxy {
            folder,
            accepting,
            _everything: everything,
        })
    }

    fn engine(&self) -> DockerEngine {
        let socket = self.folder.path().join("docker.sock");
        DockerEngine::connect(Some(&format!("unix://{}", socket.display()))).expect("an address")
    }

    /// Cuts every connection and takes no more.
    fn cut(&self) {
        self.accepting.abort();
    }

    /// Takes no more connections, as an engine does that is about to stop.
    fn close(&self) {
        std::fs::remove_file(self.folder.path().join("docker.sock")).expect("the socket");
    }
}

async fn accept(listener: UnixListener, engine: PathBuf) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let mut server = UnixStream::connect(&engine)
            .await
            .expect("the engine's socket");
        connections.spawn(async move {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

async fn soon() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn a_cut_connection_is_told_from_an_exit() {
    on_docker(async |world: Arc<World>| {
        let Some(proxy) = Proxy::start() else {
            return;
        };
        let engine = proxy.engine();
        let id = world
            .start(&world.shell("survivor", "echo hello; sleep 60", &[]))
            .await;
        let output = engine.output(&id, Since::default()).try_collect::<Vec<_>>();
        let cutting = async {
            soon().await;
            proxy.cut();
        };
        let (exit, output, ()) = tokio::join!(engine.wait(&id), output, cutting);
        assert!(matches!(exit, Err(EngineError::Broken(_))), "{exit:?}");
        assert!(matches!(output, Err(EngineError::Broken(_))), "{output:?}");
        let later = engine.inspect(&id).await;
        assert!(
            matches!(later, Err(EngineError::Unreachable { .. })),
            "{later:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_exit_that_a_stopping_engine_reports_is_not_the_users_word() {
    on_docker(async |world: Arc<World>| {
        for (script, grace) in [("sleep 60", 0), ("trap 'exit 0' TERM; sleep 60 & wait", 20)] {
            let Some(proxy) = Proxy::start() else {
                return;
            };
            let engine = proxy.engine();
            let id = world
                .start(&world.shell(&format!("victim-{grace}"), script, &[]))
                .await;
            let stopping = async {
                soon().await;
                proxy.close();
                world
                    .containers
                    .stop(&id, Duration::from_secs(grace))
                    .await
                    .expect("stop");
            };
            let (exit, ()) = tokio::join!(engine.wait(&id), stopping);
            assert!(
                matches!(exit, Err(EngineError::Broken(_))),
                "{script}: {exit:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_engine_is_reached_over_tcp_as_well() {
    on_docker(async |world: Arc<World>| {
        let Some(proxy) = Proxy::start() else {
            return;
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let socket = proxy.folder.path().join("docker.sock");
        let _forwarding = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = UnixStream::connect(&socket)
                    .await
                    .expect("the proxy's socket");
                connections.spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        }));
        let engine = DockerEngine::connect(Some(&format!("tcp://{address}"))).expect("an address");
        let id = engine
            .create(&world.shell("remote", "exit 5", &[]))
            .await
            .expect("create");
        engine.start(&id).await.expect("start");
        assert_eq!(engine.wait(&id).await.expect("wait").code, 5);
    })
    .await;
}
