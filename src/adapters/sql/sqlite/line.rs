//! The one connection of this process that writes; whoever waits for it joins the transaction that is open.
//!
//! A commit waits for the disk, so one carries the writes of many. Each is a savepoint of its own: what it gives up is
//! undone alone. Whoever has written waits once more in the same line, and the first whose turn comes again commits for
//! all who came between.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use sqlx::{Connection, SqliteConnection};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use crate::ports::StoreError;

/// The line before the connection that writes.
#[derive(Debug, Clone)]
pub(super) struct Line {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    connection: SqliteConnection,
    open: Option<Shared>,
    /// Whether the last to begin has not come to its end: what it did is still to be undone.
    is_torn: bool,
}

/// A transaction that is open, and how many writes it carries.
#[derive(Debug)]
struct Shared {
    outcome: Outcome,
    writes: usize,
}

/// How a transaction ended, once it has.
type Outcome = Arc<OnceLock<Result<(), StoreError>>>;

/// A write under way; it is undone unless it is committed.
pub(super) struct Write {
    line: Line,
    outcome: Outcome,
    is_first: bool,
    state: Option<OwnedMutexGuard<State>>,
}

impl Line {
    /// Makes the connection one that all of this process write through.
    pub fn new(connection: SqliteConnection) -> Line {
        let state = State {
            connection,
            open: None,
            is_torn: false,
        };
        Line {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Begins a write, when its turn has come.
    pub async fn begin(&self) -> Result<Write, StoreError> {
        let mut state = self.state.clone().lock_owned().await;
        state.mend().await;
        let (outcome, is_first) = state.enter().await?;
        Ok(Write {
            line: self.clone(),
            outcome,
            is_first,
            state: Some(state),
        })
    }

    /// Closes the connection, when all who write have ended; afterwards nobody can write.
    pub async fn close(self) -> Result<(), StoreError> {
        match Arc::try_unwrap(self.state) {
            Ok(state) => Ok(state.into_inner().connection.close().await?),
            Err(_) => Err(lost()),
        }
    }

    /// Commits the transaction of this outcome, unless another has done so; returns how it ended.
    async fn settle(self, outcome: Outcome) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        state.mend().await;
        if outcome.get().is_none() {
            let committed = state.run("COMMIT").await;
            state.end(committed).await;
        }
        let ended = outcome.get().cloned();
        ended.unwrap_or_else(|| Err(lost()))
    }
}

impl State {
    /// Opens a transaction or, in one that is open, a savepoint.
    async fn enter(&mut self) -> Result<(Outcome, bool), StoreError> {
        let is_first = self.open.is_none();
        let shared = self.open.get_or_insert_with(|| Shared {
            outcome: Outcome::default(),
            writes: 0,
        });
        let outcome = shared.outcome.clone();
        // Set beforehand: the statement may be carried out although nobody waits for it any more.
        self.is_torn = true;
        let begun = match is_first {
            // The write lock at once: a transaction that reads first may find that another process wrote in between.
            true => self.run("BEGIN IMMEDIATE").await,
            false => self.run("SAVEPOINT one").await,
        };
        if let Err(error) = begun {
            self.mend().await;
            return Err(error);
        }
        self.is_torn = false;
        Ok((outcome, is_first))
    }

    /// Undoes what was begun and given up, and nothing else where that can be.
    async fn mend(&mut self) {
        if !self.is_torn {
            return;
        }
        let has_others = self.open.as_ref().is_some_and(|open| open.writes > 0);
        let is_undone = self.run("ROLLBACK TO one; RELEASE one").await.is_ok();
        if !has_others || !(is_undone || self.is_in_transaction().await) {
            self.end(Err(lost())).await;
        }
        self.is_torn = false;
    }

    /// Says whether the transaction still stands. Then a savepoint that is not found was given up before it was begun,
    /// or when it had been kept already: either way the others' writes are whole.
    async fn is_in_transaction(&mut self) -> bool {
        // SQLite refuses a transaction within another; one that it lets begin is undone with the lost one.
        self.run("BEGIN").await.is_err()
    }

    async fn end(&mut self, how: Result<(), StoreError>) {
        if how.is_err() {
            // There may be no transaction any more: some errors end it by themselves.
            let _ = self.run("ROLLBACK").await;
        }
        if let Some(open) = self.open.take() {
            let _ = open.outcome.set(how);
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let done = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        Ok(done.map(drop)?)
    }
}

impl Write {
    /// Keeps what was written, when it is safe on the disk.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(state) = &mut self.state {
            if !self.is_first {
                state.run("RELEASE one").await?;
            }
            if let Some(open) = &mut state.open {
                open.writes += 1;
            }
        }
        self.state = None;
        // A task of its own: the others' writes must be committed even if nobody waits for this one any more.
        let settled = tokio::spawn(self.line.clone().settle(self.outcome.clone()));
        settled.await.unwrap_or_else(|_| Err(lost()))
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        let state = self.state.as_ref();
        &state.expect("only commit lets go of it").connection
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let state = self.state.as_mut();
        &mut state.expect("only commit lets go of it").connection
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else {
            return;
        };
        state.is_torn = true;
        drop(state);
        // Without a runtime nobody writes any more, and closing the connection undoes it.
        if let Ok(handle) = Handle::try_current() {
            drop(handle.spawn(self.line.clone().settle(self.outcome.clone())));
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").finish_non_exhaustive()
    }
}

fn lost() -> StoreError {
    StoreError::Database("the transaction was given up".to_owned())
}
