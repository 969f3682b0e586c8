//! A duty is one server's at a time, and passes on when that server goes or falls silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use careen::{
    adapters::{memory::containers::MemoryEngine, memory::store::MemoryFrames},
    app::{App, Duty},
};
use tokio_util::sync::CancellationToken;

use crate::{
    every_store::{connect, on_every_store, on_postgres_at},
    world,
};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_duty_is_one_holders_until_it_lapses_or_is_given_up() {
    on_every_store(async |store| {
        let hold = async |holder: &str, time| store.hold_duty("prune", holder, time).await.unwrap();
        assert_eq!(hold("a", LONG).await, Some(1));
        assert_eq!(hold("b", LONG).await, None);
        assert_eq!(store.hold_duty("polls", "b", LONG).await, Ok(Some(1)));
        assert_eq!(hold("a", Duration::ZERO).await, Some(1));
        assert_eq!(hold("b", LONG).await, Some(2));
        assert_eq!(hold("a", LONG).await, None);
        store.leave_duty("prune", "a").await.unwrap();
        assert_eq!(
            hold("a", LONG).await,
            None,
            "only its holder gives a duty up"
        );
        store.leave_duty("prune", "b").await.unwrap();
        assert_eq!(hold("a", LONG).await, Some(3));
    })
    .await;
}

/// A server that counts how often it worked, and how many others worked with it.
struct Server {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Work {
    now: AtomicU32,
    most: AtomicU32,
    begun: AtomicU32,
}

impl Server {
    fn start(app: Arc<App>, holder: &str, work: &Arc<Work>) -> Server {
        let stop = CancellationToken::new();
        let duty = Duty {
            hold: Duration::from_millis(900),
            ..Duty::of("count", holder)
        };
        let (stopping, work) = (stop.clone(), work.clone());
        let task = tokio::spawn(async move {
            let toil = || toil(work.clone());
            duty.tend(app, stopping, toil).await;
        });
        Server { stop, task }
    }
}

async fn toil(work: Arc<Work>) {
    struct Leaving(Arc<Work>);
    impl Drop for Leaving {
        fn drop(&mut self) {
            self.0.now.fetch_sub(1, SeqCst);
        }
    }
    work.begun.fetch_add(1, SeqCst);
    let now = work.now.fetch_add(1, SeqCst) + 1;
    work.most.fetch_max(now, SeqCst);
    let _leaving = Leaving(work);
    std::future::pending::<()>().await;
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_over_one_database_one_works_and_the_other_goes_on_when_it_is_gone() {
    on_postgres_at(async |address| {
        let folder = tempfile::tempdir().unwrap();
        let app = async || {
            let stores = (
                Arc::new(connect(&address).await),
                Arc::new(MemoryFrames::new()) as _,
            );
            Arc::new(world::app(folder.path(), &MemoryEngine::new(), stores))
        };
        let work = Arc::new(Work::default());
        let first = Server::start(app().await, "first", &work);
        until(|| work.begun.load(SeqCst) == 1).await;
        let second = Server::start(app().await, "second", &work);
        // Longer than a hold: the first keeps what it has.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(work.begun.load(SeqCst), 1);
        // As a crash: nothing is given up, the hold runs out.
        first.task.abort();
        until(|| work.begun.load(SeqCst) == 2).await;
        let third = Server::start(app().await, "third", &work);
        second.stop.cancel();
        second.task.await.unwrap();
        until(|| work.begun.load(SeqCst) == 3).await;
        assert_eq!(work.most.load(SeqCst), 1, "two worked at once");
        third.stop.cancel();
        third.task.await.unwrap();
    })
    .await;
}
