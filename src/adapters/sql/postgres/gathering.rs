//! Gathers the writes of this process that wait for the database, so that one statement carries many of them.
//!
//! A statement of its own costs Postgres more than most of what is written by it, and each commit waits for the disk.
//! While some writes are on their way others gather; what is refused, then goes alone, so that nobody pays for another.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::ports::StoreError;

/// Writes in one statement.
const AT_ONCE: usize = 32;
/// Statements on their way at once: while one waits for the disk, the next is worked on.
const ON_THE_WAY: usize = 2;
/// How long a statement may take where nothing shorter is said: a database at work answers sooner, and a connection
/// that is dead without a word must not keep those that come later.
const PATIENCE: Duration = Duration::from_secs(30);

/// A write that one statement can carry together with others like it.
#[async_trait]
pub(super) trait Write: Sized + Send + Sync + 'static {
    /// What became of it.
    type Answer: Send;

    /// Writes them in one statement, which commits by itself; answers in the same order.
    async fn write_all(pool: &PgPool, all: &[Self]) -> sqlx::Result<Vec<Self::Answer>>;

    /// How long their statement may take.
    fn patience(_all: &[Self]) -> Duration {
        PATIENCE
    }

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
    let error = match write_in_time(pool, all).await {
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

/// A statement that is given up may be carried out all the same, as one whose connection breaks.
async fn write_in_time<W: Write>(pool: &PgPool, all: &[W]) -> sqlx::Result<Vec<W::Answer>> {
    let written = tokio::time::timeout(W::patience(all), W::write_all(pool, all)).await;
    let silence = || io::Error::new(io::ErrorKind::TimedOut, "the database does not answer");
    written.unwrap_or_else(|_| Err(silence().into()))
}

async fn write_each<W: Write>(pool: &PgPool, all: &[W]) -> Vec<Result<W::Answer, StoreError>> {
    let mut done = Vec::new();
    for one in all {
        let written = write_in_time(pool, std::slice::from_ref(one)).await;
        let answer = written.map(|mut answers| answers.pop());
        done.push(match answer {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(StoreError::Database("a write was not answered".to_owned())),
            Err(error) => Err(one.refusal(error)),
        });
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write whose statement the database never answers, or answers at once.
    struct Mute(bool);

    #[async_trait]
    impl Write for Mute {
        type Answer = ();

        async fn write_all(_: &PgPool, all: &[Mute]) -> sqlx::Result<Vec<()>> {
            if all.iter().any(|it| it.0) {
                std::future::pending::<()>().await;
            }
            Ok(vec![(); all.len()])
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_never_answers_keeps_later_writes_only_for_a_while() {
        let pool = PgPool::connect_lazy("postgres://nobody@localhost/none").expect("an address");
        let gathering = Gathering::begin(pool);
        // One after another, so that each turn has a statement that is not answered.
        let (first, second) = (gathering.write(Mute(true)), gathering.write(Mute(true)));
        tokio::pin!(first, second);
        assert!(futures_util::poll!(&mut first).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(futures_util::poll!(&mut second).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(gathering.write(Mute(false)).await, Ok(()));
        for given_up in [first.await, second.await] {
            assert!(
                matches!(given_up, Err(StoreError::Unreachable(_))),
                "{given_up:?}"
            );
        }
    }
}
