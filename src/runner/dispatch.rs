//! The loop that owns a run's state.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::AtomicBool},
};

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    Change, Job, Ports, Watcher, Wishes,
    bases::Recorded,
    carrier::Carrier,
    gate::Gate,
    hiding,
    lease::{self, Deadline, FencedFrames},
    making::Made,
    networks::Networks,
    outage::Outage,
    packing::Packing,
    record::Recorder,
    recover,
    setup::{self, Shared},
    timers::Timers,
};
use crate::{
    engine::{Event, IllegalEvent, Phase, RunState, StepState, Verdict, advance},
    logs::{Logs, Masker},
    ports::{EngineError, StoreError},
};

/// Why a run could not be driven to its end; the run itself stays as recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The record could not be written, or another worker has the run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was left as it is, so that another worker goes on.
    #[error("the run was handed over")]
    HandedOver,
    /// What it ran on this engine went with its worker, and its task wants it to begin anew.
    #[error("what the run had started is gone with its worker")]
    Gone,
    /// The recorded events make no sense; this is a bug of careen.
    #[error("the record of the run makes no sense: {0}")]
    Illegal(#[from] IllegalEvent),
    /// A recorded event cannot be read.
    #[error("event {seq} of the run cannot be read: {reason}")]
    Unreadable {
        /// Its number.
        seq: u64,
        /// Why.
        reason: String,
    },
}

/// A message to the loop.
pub(super) enum Input {
    /// Something happened; with the step's images, where they became known.
    Event(Event, Option<Value>),
    /// The lease is gone: nothing may be written or started any more.
    LeaseLost(StoreError),
    /// Another worker is to go on.
    HandOver,
}

impl Input {
    /// Something happened.
    pub fn event(event: Event) -> Self {
        Input::Event(event, None)
    }
}

/// The way to the loop, for everything that runs beside it.
#[derive(Clone)]
pub(super) struct Inbox(mpsc::UnboundedSender<Input>);

impl Inbox {
    /// Sends a message; a loop that has ended wants none.
    pub fn send(&self, input: Input) {
        let _ = self.0.send(input);
    }
}

/// What attempts share with the loop.
pub(super) struct Env {
    /// The outside.
    pub ports: Ports,
    /// The run.
    pub job: Job,
    /// Its networks and volumes.
    pub shared: Shared,
    /// Its way to files in volumes.
    pub carrier: Carrier,
    /// Opens when the volumes have their files.
    pub files: Gate,
    /// Its networks, which may not be there yet.
    pub networks: Networks,
    /// Writes logs.
    pub logs: Logs,
    /// Hides secrets.
    pub masker: Arc<Masker>,
    /// Until when anything may be started or written.
    pub deadline: Arc<Deadline>,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
    /// The way to the loop.
    pub inbox: Inbox,
    /// Layers on their way to a push that is to come.
    pub packing: Packing,
    /// What builds stood on before an earlier process was cut off.
    pub recorded_bases: Recorded,
    /// Whether an earlier process has begun the run, so that logs may be there already.
    pub is_resumed: bool,
    /// Whether an earlier process has recorded the start of a container.
    pub had_started: bool,
    /// Whether no container has started yet, so that the workspace still is the context.
    pub is_pristine: AtomicBool,
}

impl Env {
    /// Has the networks made if the step will join them: that takes as long as making its container.
    pub fn foresee(&self, step: u32) {
        if self.shared.joins_own_network(&self.job, step) {
            self.networks.want();
        }
    }

    /// Waits until all is there that a step's container needs to start.
    pub async fn ready(&self, step: u32) -> Result<(), EngineError> {
        self.files.passed().await?;
        if self.shared.joins_own_network(&self.job, step) {
            self.networks.passed().await?;
        }
        Ok(())
    }
}

/// An attempt or pull that is under way.
pub(super) struct UnderWay {
    /// Stops it.
    pub stop: CancellationToken,
    /// Ends after its last message.
    pub task: JoinHandle<()>,
}

/// The loop's own things.
pub(super) struct Dispatcher {
    pub env: Arc<Env>,
    pub timers: Timers,
    /// Attempts under way, services included; pulls are attempt 0.
    pub under_way: HashMap<(u32, u32), UnderWay>,
    /// Containers made ahead.
    pub foreseen: HashMap<(u32, u32), JoinHandle<Option<Made>>>,
    /// Makes volumes and networks and fills the volumes; once that has begun, it is never left half-way.
    pub setup: Option<JoinHandle<()>>,
    /// Steps that have not ended and need the run's networks; `None` once those are being removed.
    pub on_networks: Option<HashSet<u32>>,
    /// Removals that nobody waits for before the end.
    pub removals: JoinSet<()>,
    recorder: Recorder,
    messages: mpsc::UnboundedReceiver<Input>,
}

/// Drives a run to its end and says how it ended. A run with recorded events is taken up where it was.
pub async fn run(
    ports: Ports,
    job: Job,
    watcher: Arc<dyn Watcher>,
    wishes: Wishes,
) -> Result<(RunState, Verdict), RunError> {
    let (send, messages) = mpsc::unbounded_channel();
    let recorded = ports.store.events(&job.run.id, job.run.generation).await?;
    let had_started = recorded.iter().any(|event| event.kind == "started");
    let recorded_bases = Recorded::of(&recorded);
    let shared = Shared::of(&job, ports.store.store_id());
    let deadline = Arc::new(Deadline::new(&job.lease, job.leased_at));
    let (mut recorder, state) = Recorder::open(&ports, &job, recorded, deadline.clone())?;
    if state.phase() != Phase::New {
        recorder.take_over(ports.store.steps(&job.run.id).await?);
    }
    let frames = FencedFrames {
        frames: ports.frames.clone(),
        outage: Outage {
            deadline: deadline.clone(),
            run: job.run.id.clone(),
        },
    };
    let env = Arc::new(Env {
        logs: Logs::new(Arc::new(frames)),
        deadline,
        masker: Arc::new(Masker::new(
            job.secrets.iter().map(ExposeSecret::expose_secret),
        )),
        ports,
        job,
        shared,
        carrier: Carrier::default(),
        files: Gate::default(),
        networks: Networks::default(),
        watcher,
        inbox: Inbox(send),
        packing: Packing::default(),
        recorded_bases,
        is_resumed: state.phase() != Phase::New,
        had_started,
        is_pristine: AtomicBool::new(state.phase() == Phase::New),
    });
    let dispatcher = Dispatcher {
        on_networks: Some(env.shared.on_networks(&env.job)),
        env,
        timers: Timers::default(),
        under_way: HashMap::new(),
        foreseen: HashMap::new(),
        setup: None,
        removals: JoinSet::new(),
        recorder,
        messages,
    };
    dispatcher.drive(state, wishes).await
}

impl Dispatcher {
    async fn drive(
        mut self,
        mut state: RunState,
        wishes: Wishes,
    ) -> Result<(RunState, Verdict), RunError> {
        let mut guards = self.stand_guard(wishes);
        let outcome = async {
            self.begin_or_recover(&mut state).await?;
            while state.phase() != Phase::Ended {
                let inputs = self.drain().await;
                state = self.turn(state, inputs).await?;
            }
            Ok(state)
        }
        .await;
        guards.abort_all();
        let state = match outcome {
            Ok(state) => state,
            Err(error) => {
                self.leave(&error).await;
                return Err(error);
            }
        };
        let verdict = state.verdict().cloned().ok_or(IllegalEvent {
            event: "tidied",
            subject: "the run".to_owned(),
            state: "without a verdict".to_owned(),
        })?;
        Ok((state, verdict))
    }

    async fn begin_or_recover(&mut self, state: &mut RunState) -> Result<(), RunError> {
        if state.phase() != Phase::New {
            return recover::recover(self, state).await;
        }
        for kept in &self.env.job.kept {
            // Cut off before it began, an earlier process may have recorded it.
            if state.step(kept.step).state == StepState::Waiting {
                let (step, run) = (kept.step, kept.run.clone());
                let event = Event::Kept { step, run };
                let images = Some(kept.images.clone());
                self.env.inbox.send(Input::Event(event, images));
            }
        }
        let env = self.env.clone();
        let setup = tokio::spawn(async move {
            match setup::make_volumes(&env.ports, &env.job, &env.shared).await {
                Ok(()) => {
                    env.inbox.send(Input::event(Event::Begun));
                    setup::equip(&env).await;
                }
                Err(error) => {
                    let fault = super::explain::fault(&error);
                    env.inbox.send(Input::event(Event::SetupFailed { fault }));
                }
            }
        });
        self.setup = Some(setup);
        Ok(())
    }

    /// Waits for the next message and takes all that are there.
    async fn drain(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        inputs.extend(self.messages.recv().await);
        while let Ok(input) = self.messages.try_recv() {
            inputs.push(input);
        }
        inputs
    }

    /// Advances through the messages, records, tells, acts.
    async fn turn(
        &mut self,
        mut state: RunState,
        inputs: Vec<Input>,
    ) -> Result<RunState, RunError> {
        let now = self.env.ports.clock.now();
        let mut events = Vec::with_capacity(inputs.len());
        let mut actions = Vec::new();
        for input in inputs {
            let (mut event, images) = match input {
                Input::Event(event, images) => (event, images),
                Input::LeaseLost(error) => return Err(error.into()),
                Input::HandOver => return Err(RunError::HandedOver),
            };
            // What is being removed has nothing more to say.
            if state.phase() == Phase::Tidying && event != Event::Tidied {
                continue;
            }
            hiding::hide(&self.env.masker, &mut event);
            if let (Some(step), Some(mut images)) = (event.step(), images) {
                hiding::hide_in(&self.env.masker, &mut images);
                self.recorder.images(step, images);
            }
            let (next, wanted) = advance(state, &event, now.timestamp_millis())?;
            state = next;
            self.recorder.event(&event, &wanted, now);
            actions.extend(wanted);
            events.push(event);
        }
        if events.is_empty() {
            return Ok(state);
        }
        let touched = self.recorder.commit(&mut state, now).await?;
        self.env.watcher.changed(&Change {
            at: now.timestamp_millis(),
            events: &events,
            touched: &touched,
            state: &state,
        });
        self.release_networks(&state, &events);
        for action in actions {
            self.act(action, now.timestamp_millis());
        }
        self.forget_finished();
        Ok(state)
    }

    /// Lets the networks go after the last step that needs them, when no container is starting: both take the engine
    /// long.
    fn release_networks(&mut self, state: &RunState, events: &[Event]) {
        let Some(on_networks) = &mut self.on_networks else {
            return;
        };
        for step in events.iter().filter_map(Event::step) {
            if matches!(state.step(step).state, StepState::Ended(_)) {
                on_networks.remove(&step);
            }
        }
        let starts = |step| state.step(step).state == StepState::Starting;
        let steps = 0..self.env.job.plan.steps().len() as u32;
        if on_networks.is_empty() && !steps.into_iter().any(starts) {
            self.on_networks = None;
            let env = self.env.clone();
            self.removals
                .spawn(async move { setup::remove_networks(&env).await });
        }
    }

    fn forget_finished(&mut self) {
        self.under_way.retain(|_, it| !it.task.is_finished());
        while self.removals.try_join_next().is_some() {}
    }

    /// Keeps the lease alive and listens for wishes.
    fn stand_guard(&self, wishes: Wishes) -> JoinSet<()> {
        let mut guards = JoinSet::new();
        let (inbox, wish) = (self.env.inbox.clone(), wishes.clone());
        guards.spawn(async move {
            let reason = wish.canceled().await;
            inbox.send(Input::event(Event::CancelRequested { reason }));
        });
        let inbox = self.env.inbox.clone();
        guards.spawn(async move {
            wishes.handed_over().await;
            inbox.send(Input::HandOver);
        });
        guards.spawn(lease::keep(self.env.clone()));
        guards
    }

    /// Stops everything at once without writing a word. Containers that run are left to whoever goes on, or removed
    /// when nobody can.
    async fn leave(mut self, error: &RunError) {
        self.foreseen.values().for_each(JoinHandle::abort);
        self.setup.iter().for_each(JoinHandle::abort);
        self.under_way.values().for_each(|it| it.task.abort());
        let removes = !matches!(error, RunError::HandedOver) && lease::may_remove(&self.env).await;
        for ((step, attempt), _) in self.under_way.drain() {
            if attempt > 0 && removes {
                let store = self.env.ports.store.store_id();
                let name = self.env.job.attempt_name(store, step, attempt);
                let _ = self.env.ports.containers.remove(&name).await;
            }
        }
    }
}
