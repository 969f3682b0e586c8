//! Gathers the writes of this process that wait for the database, so that one statement carries many of them.
//!
//! A statement of its own costs Postgres more than most of what is written by it, and each commit waits for the disk.
//! While some writes are on their way others gather; what is refused, then goes alone, so that nobody pays for another.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::ports::StoreError;

/// Writes in one statement.
const AT_ONCE: usize = 32;
/// Statements on their way at once: while one waits for the disk, the next is worked on.
const ON_THE_WAY: usize = 2;

/// A write that one statement can carry together with others like it.
#[async_trait]
pub(super) trait Write: Sized + Send + Sync + 'static {
    /// What became of it.
    type Answer: Send;

    /// Writes them in one statement, which commits by itself; answers in the same order.
    async fn write_all(pool: &PgPool, all: &[Self]) -> sqlx::Result<Vec<Self::Answer>>;

    /// Says what it means that this one was refused.
    fn refusal(&self, error: sqlx::Error) -> StoreError {
        error.into()
    }
}

/// Where writes of one kind gather.
#[derive(Debug)]
pub(super) struct Gathering<W: Write> {
    send: mpsc::UnboundedSender<Waiting<W>>,
}

type Waiting<W> = (W, oneshot::Sender<Result<<W as Write>::Answer, StoreError>>);

impl<W: Write> Gathering<W> {
    /// Begins to write, for as long as the gathering is kept.
    pub fn begin(pool: PgPool) -> Gathering<W> {
        let (send, gathered) = mpsc::unbounded_channel();
        tokio::spawn(write_what_gathers(pool, gathered));
        Gathering { send }
    }

    /// Writes this one, with whatever waits at the same time, and says what became of it.
    pub async fn write(&self, one: W) -> Result<W::Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        // Nobody who receives drops the answer as well.
        let _ = self.send.send((one, answer));
        let given_up = || StoreError::Unreachable("the write was given up".to_owned());
        answered.await.unwrap_or_else(|_| Err(given_up()))
    }
}

async fn write_what_gathers<W: Write>(
    pool: PgPool,
    mut gathered: mpsc::UnboundedReceiver<Waiting<W>>,
) {
    let on_the_way = Arc::new(Semaphore::new(ON_THE_WAY));
    while let Ok(turn) = on_the_way.clone().acquire_owned().await {
        let mut waiting = Vec::new();
        if gathered.recv_many(&mut waiting, AT_ONCE).await == 0 {
            return;
        }
        let pool = pool.clone();
        tokio::spawn(async move {
            carry(&pool, waiting).await;
            drop(turn);
        });
    }
}

async fn carry<W: Write>(pool: &PgPool, waiting: Vec<Waiting<W>>) {
    let (all, answers): (Vec<W>, Vec<_>) = waiting.into_iter().unzip();
    let done = write_together(pool, &all).await;
    for (answer, done) in answers.into_iter().zip(done) {
        // Whoever waited may have gone.
        let _ = answer.send(done);
    }
}

async fn write_together<W: Write>(pool: &PgPool, all: &[W]) -> Vec<Result<W::Answer, StoreError>> {
    let error = match W::write_all(pool, all).await {
        Ok(done) => return done.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if let [one] = all {
        return vec![Err(one.refusal(error))];
    }
    match StoreError::from(error) {
        // It may have been done: whoever asked has to look.
        StoreError::Unreachable(why) => all
            .iter()
            .map(|_| Err(StoreError::Unreachable(why.clone())))
            .collect(),
        _ => write_each(pool, all).await,
    }
}

async fn write_each<W: Write>(pool: &PgPool, all: &[W]) -> Vec<Result<W::Answer, StoreError>> {
    let mut done = Vec::new();
    for one in all {
        let written = W::write_all(pool, std::slice::from_ref(one)).await;
        let answer = written.map(|mut answers| answers.pop());
        done.push(match answer {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(StoreError::Database("a write was not answered".to_owned())),
            Err(error) => Err(one.refusal(error)),
        });
    }
    done
}
