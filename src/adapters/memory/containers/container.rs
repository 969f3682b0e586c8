//! One container of the engine in memory.

use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::Notify, time::Instant};

use crate::ports::{ContainerSpec, ContainerState, Exit, State};

use super::{Behaviour, files::Files};

/// A container. It outlives its removal for those who wait for it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) spec: ContainerSpec,
    pub(super) image_id: String,
    pub(super) behaviour: Arc<Behaviour>,
    /// What was put into it outside of its volumes.
    pub(super) files: Mutex<Files>,
    life: Mutex<Life>,
    ended: Notify,
}

/// Where it stands. A running container holds its end, which comes by itself when its time is over.
#[derive(Debug, Clone)]
enum Life {
    Created,
    Running {
        since: (Instant, DateTime<Utc>),
        until: Instant,
        exit: Exit,
    },
    Exited {
        started_at: DateTime<Utc>,
        exit: Exit,
    },
}

impl Container {
    /// Makes a container that has not started.
    pub(super) fn new(
        id: String,
        spec: ContainerSpec,
        image_id: String,
        behaviour: Arc<Behaviour>,
    ) -> Container {
        Container {
            id,
            spec,
            image_id,
            behaviour,
            files: Mutex::default(),
            life: Mutex::new(Life::Created),
            ended: Notify::new(),
        }
    }

    /// Starts it, unless it runs; a container that has ended runs again, as on a real engine.
    pub(super) fn start(&self, since: (Instant, DateTime<Utc>), code: i64) -> bool {
        let mut life = self.life();
        if matches!(*life, Life::Running { .. }) {
            return false;
        }
        let sleep = self.behaviour.sleep;
        *life = Life::Running {
            since,
            until: since.0 + sleep,
            exit: Exit {
                code,
                out_of_memory: self.behaviour.out_of_memory,
                at: Some(since.1 + TimeDelta::from_std(sleep).unwrap_or_default()),
            },
        };
        true
    }

    /// Ends it before its time, if it runs.
    pub(super) fn end(&self, code: i64, at: DateTime<Utc>) {
        let mut life = self.life();
        if let Life::Running { since, .. } = &*life {
            *life = Life::Exited {
                started_at: since.1,
                exit: Exit {
                    code,
                    out_of_memory: false,
                    at: Some(at),
                },
            };
            self.ended.notify_waiters();
        }
    }

    /// Waits for its end; `None` when it was never started.
    pub(super) async fn wait(&self) -> Option<Exit> {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            let until = match &*self.life() {
                Life::Created => return None,
                Life::Exited { exit, .. } => return Some(exit.clone()),
                Life::Running { until, .. } => *until,
            };
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Says whether it runs now.
    pub(super) fn is_running(&self) -> bool {
        matches!(*self.life(), Life::Running { .. })
    }

    /// Says when it was started last.
    pub(super) fn started_at(&self) -> Option<DateTime<Utc>> {
        match &*self.life() {
            Life::Created => None,
            Life::Running { since, .. } => Some(since.1),
            Life::Exited { started_at, .. } => Some(*started_at),
        }
    }

    /// What inspecting it shows.
    pub(super) fn inspect(&self) -> ContainerState {
        let state = match &*self.life() {
            Life::Created => State::Created,
            Life::Exited { exit, .. } => State::Exited(exit.clone()),
            Life::Running { since, .. } => State::Running {
                healthy: self.health(since.0),
            },
        };
        ContainerState {
            id: self.id.clone(),
            name: self.spec.name.clone(),
            labels: self.spec.labels.clone(),
            image_id: self.image_id.clone(),
            state,
        }
    }

    fn health(&self, since: Instant) -> Option<bool> {
        let after = self.behaviour.healthy_after?;
        (since.elapsed() >= after).then_some(true)
    }

    /// Its life as of now: an end whose time has come has come.
    fn life(&self) -> MutexGuard<'_, Life> {
        let mut life = self
            .life
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        if let Life::Running { since, until, exit } = &*life
            && *until <= Instant::now()
        {
            *life = Life::Exited {
                started_at: since.1,
                exit: exit.clone(),
            };
        }
        life
    }
}
