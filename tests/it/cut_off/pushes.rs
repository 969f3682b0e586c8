//! A worker that is cut off from its database in the middle of a push stops it before anyone else may take the run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::{over_postgres, recorded, way::Way, worker};
use careen::ports::Registry;

use crate::{
    cli::sh,
    registries::{Kind, Server},
    worker_processes::{desk, enqueue},
};

/// How long to wait for what should come at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// In seconds: what must happen before a take-over has some of them.
const LEASE: i64 = 12;
/// An upload goes fast up to here, then slowly as long as the registry is slow.
const FAST_BYTES: usize = 4 << 20;
/// What is uploaded takes minutes at the slow pace.
const LAYER_BYTES: usize = 48 << 20;
/// So much goes through every twenty milliseconds.
const PORTION_BYTES: usize = 8 << 10;

/// Stands before a registry and makes it slow for large uploads. The engine heeds nobody while it waits for a registry
/// that does not answer at all; but it publishes nothing then, either.
#[derive(Clone, Default)]
struct Slow {
    is_over: Arc<AtomicBool>,
    /// Large uploads under way.
    large: Arc<AtomicUsize>,
    /// Those that the registry has taken.
    taken: Arc<AtomicUsize>,
}

impl Slow {
    /// Begins, and says where.
    async fn before(registry: &str) -> (Slow, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let slow = Slow::default();
        let (this, registry) = (slow.clone(), registry.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (this, registry) = (this.clone(), registry.clone());
                tokio::spawn(async move {
                    let mut is_large = false;
                    // A connection that breaks is what this is for.
                    this.pass(client, &registry, &mut is_large).await.ok();
                    this.large.fetch_sub(usize::from(is_large), SeqCst);
                });
            }
        });
        (slow, host)
    }

    async fn pass(
        &self,
        mut client: TcpStream,
        registry: &str,
        is_large: &mut bool,
    ) -> std::io::Result<()> {
        let mut server = TcpStream::connect(registry).await?;
        let (mut up, mut down) = ([0; PORTION_BYTES], [0; PORTION_BYTES]);
        let mut sent = 0;
        loop {
            tokio::select! {
                count = client.read(&mut up) => {
                    let count = count?;
                    if count == 0 {
                        return Ok(());
                    }
                    sent += count;
                    if sent > FAST_BYTES && !std::mem::replace(is_large, true) {
                        self.large.fetch_add(1, SeqCst);
                    }
                    if *is_large && !self.is_over.load(SeqCst) {
                        sleep(Duration::from_millis(20)).await;
                    }
                    server.write_all(&up[..count]).await?;
                }
                count = server.read(&mut down) => {
                    let count = count?;
                    if count == 0 {
                        return Ok(());
                    }
                    let is_taken = *is_large && down.starts_with(b"HTTP/1.1 202");
                    self.taken.fetch_add(usize::from(is_taken), SeqCst);
                    client.write_all(&down[..count]).await?;
                }
            }
        }
    }

    /// Waits until so many large uploads are under way.
    async fn until_large(&self, count: usize) {
        let begun = Instant::now();
        while self.large.load(SeqCst) != count {
            assert!(begun.elapsed() < PATIENCE, "still not {count} uploads");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Builds what no registry and no cache has, and pushes it.
fn steps(image: &str) -> String {
    let unique = uuid::Uuid::new_v4();
    let write = format!(
        "printf 'FROM busybox\\nRUN head -c {LAYER_BYTES} /dev/urandom > /{unique}\\n' > Dockerfile"
    );
    format!(
        "steps:\n{}  - id: build\n    build: -t {image} .\n    when: [write]\n  - id: push\n    push: ['{image}']\n    \
         when: [build]\n",
        sh("write", &write, "")
    )
}

#[test]
fn a_worker_cut_off_from_its_database_stops_its_push_while_its_lease_still_holds() {
    let Some(registry) = Server::start(Kind::Open) else {
        return;
    };
    over_postgres(async |careen, address| {
        let way = Way::to(address).await;
        let (slow, host) = Slow::before(&registry.host).await;
        let image = format!("{host}/pushed:1");
        careen.keep_track(&image);
        enqueue(&desk(careen, Some(address)).await, &steps(&image)).await;
        let worker = worker(careen, (&way, address), LEASE);
        slow.until_large(1).await;
        way.is_cut.store(true, SeqCst);
        let before = recorded(address).await;
        assert_eq!(before.1.as_deref(), Some("one"));
        // On the same engine a take-over waits for a quarter of the lease after its end.
        while recorded(address).await.4 + LEASE * 1000 / 4 > 500 {
            sleep(Duration::from_millis(50)).await;
        }
        // What is still under way now goes through at once; what was stopped has nothing more to send.
        slow.is_over.store(true, SeqCst);
        slow.until_large(0).await;
        assert_eq!(slow.taken.load(SeqCst), 0, "the push went on");
        let (client, pushed) = (registry.client(), registry.at("pushed"));
        let published = client.manifest(&pushed, "1").await;
        assert!(published.is_err(), "it was published");
        let after = recorded(address).await;
        assert_eq!(
            (&after.0, after.2, after.3),
            (&before.0, before.2, before.3)
        );
        // Back again, the push is done by whoever has the run next.
        way.is_cut.store(false, SeqCst);
        let run = careen.end_of("latest");
        assert_eq!(run["status"], "succeeded", "{run}");
        assert!(recorded(address).await.2 > before.2, "{run}");
        let published = client.manifest(&pushed, "1").await;
        published.expect("it is published");
        drop(worker);
    });
}
