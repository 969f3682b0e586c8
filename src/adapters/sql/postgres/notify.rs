//! Wakes the workers and log readers of all processes, at most some fifty times a second.
//!
//! A `NOTIFY` inside a transaction would make all commits wait for each other, so it is sent after them; what is lost
//! on the way only costs time, for everybody also looks now and then.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{mpsc, watch};

/// Where it is said that the queue has changed (no payload), or the log of a run (its id).
const CHANNEL: &str = "careen";
/// The least time between two notifications, in which more are gathered.
const GATHERING: Duration = Duration::from_millis(20);
/// How long to wait before listening again after trouble.
const REST: Duration = Duration::from_secs(1);

/// What this process tells others, and hears from them.
#[derive(Debug)]
pub(super) struct Bell {
    send: mpsc::UnboundedSender<String>,
    queue: watch::Sender<u64>,
    logs: Mutex<HashMap<String, watch::Sender<u64>>>,
}

impl Bell {
    /// Begins to tell and to listen, for as long as the bell is kept.
    pub fn hang(pool: PgPool) -> Arc<Bell> {
        let (send, gathered) = mpsc::unbounded_channel();
        let bell = Arc::new(Bell {
            send,
            queue: watch::Sender::default(),
            logs: Mutex::default(),
        });
        tokio::spawn(tell(pool.clone(), gathered));
        tokio::spawn(listen(pool, Arc::downgrade(&bell)));
        bell
    }

    /// Says that the queue has changed.
    pub fn queue_changed(&self) {
        self.heard("");
        let _ = self.send.send(String::new());
    }

    /// Says that the log of a run has grown.
    pub fn log_changed(&self, run: &str) {
        self.heard(run);
        let _ = self.send.send(run.to_owned());
    }

    /// Watches the queue.
    pub fn queue(&self) -> watch::Receiver<u64> {
        self.queue.subscribe()
    }

    /// Watches the logs of a run.
    pub fn log(&self, run: &str) -> watch::Receiver<u64> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|_, log| log.receiver_count() > 0);
        logs.entry(run.to_owned()).or_default().subscribe()
    }

    fn heard(&self, run: &str) {
        if run.is_empty() {
            return self.queue.send_modify(|count| *count += 1);
        }
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = logs.get(run) {
            log.send_modify(|count| *count += 1);
        }
    }

    /// What was said while nobody listened is not known.
    fn all_may_have_changed(&self) {
        self.queue.send_modify(|count| *count += 1);
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.values()
            .for_each(|log| log.send_modify(|count| *count += 1));
    }
}

async fn tell(pool: PgPool, mut gathered: mpsc::UnboundedReceiver<String>) {
    while let Some(first) = gathered.recv().await {
        tokio::time::sleep(GATHERING).await;
        let mut all = BTreeSet::from([first]);
        while let Ok(more) = gathered.try_recv() {
            all.insert(more);
        }
        let all: Vec<String> = all.into_iter().collect();
        let told = sqlx::query("SELECT pg_notify($1, payload) FROM UNNEST($2::text[]) AS payload")
            .bind(CHANNEL)
            .bind(all)
            .execute(&pool)
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, "could not notify; others will see it when they look");
        }
    }
}

async fn listen(pool: PgPool, bell: Weak<Bell>) {
    while bell.strong_count() > 0 {
        if let Err(error) = hear(&pool, &bell).await {
            tracing::debug!(%error, "could not listen; trying again");
            tokio::time::sleep(REST).await;
        }
    }
}

async fn hear(pool: &PgPool, bell: &Weak<Bell>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let heard = listener.try_recv().await?;
        let Some(bell) = bell.upgrade() else {
            return Ok(());
        };
        match heard {
            Some(notification) => bell.heard(notification.payload()),
            None => bell.all_may_have_changed(),
        }
    }
}
