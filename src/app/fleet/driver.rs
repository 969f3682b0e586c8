//! Drives the rollouts of the fleet: whoever has the duty queues what may be built, and looks again when a build ends.
//!
//! Nothing is remembered here that matters. A pass reads what is known, queues what follows from it, and records that;
//! a build is its cause key, so a pass that was cut off, or done twice, queues nothing twice.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{App, AppError},
    building::raised,
    decided::Decided,
    images_of,
    rollouts::{names, next},
};
use crate::{
    fleet::{Action, Build, Fact, Fleet, Outcome, Rollout, RolloutState, State, admitted},
    ports::{FleetEntry, RolloutRow},
};

/// How often it is looked when nothing wakes it.
const TICK: Duration = Duration::from_secs(1);
/// The least time between two passes, so that a crowd of ends is one pass.
const PAUSE: Duration = Duration::from_millis(5);
/// What the duty of driving rollouts is called.
const NAME: &str = "fleet";
/// How long the duty stays with a server that does not say that it lives.
const DUTY: Duration = Duration::from_secs(10);
/// How soon it is said again.
const DUTY_AGAIN: Duration = Duration::from_secs(3);
/// How often tags are looked at while a rollout is under way.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How often tags are looked at while none is.
const LOOK_IDLE: Duration = Duration::from_secs(900);
/// How often what tasks make is compared with what is known.
const COMPARE_AGAIN: Duration = Duration::from_secs(600);
/// The rests after builds that errored, not failed, before each is tried again; then it is left.
const RESTS_SECONDS: [i64; 4] = [5, 15, 45, 120];
/// How many rollouts may be open at once.
const OPEN: u32 = 1000;

/// Drives rollouts under one name.
pub struct FleetDriver {
    app: Arc<App>,
    owner: String,
    /// When the duty was last taken or kept.
    on_duty: Option<Instant>,
    /// The look that is under way, and what tells that it is over.
    look: Option<JoinHandle<Instant>>,
    look_over: Arc<Notify>,
    /// When the last look that is over began.
    looked: Option<Instant>,
    /// Since when each rollout has waited for a look: before its first build, and before it is done.
    first_seen: HashMap<String, Instant>,
    over_since: HashMap<String, Instant>,
}

impl FleetDriver {
    /// Makes one; servers of one machine have names of their own, and each the same after a restart.
    pub fn new(app: Arc<App>, owner: String) -> Self {
        Self {
            app,
            owner,
            on_duty: None,
            look: None,
            look_over: Arc::default(),
            looked: None,
            first_seen: HashMap::new(),
            over_since: HashMap::new(),
        }
    }

    /// Drives rollouts until `stop`; of any number of servers one does so.
    pub async fn drive(mut self, stop: CancellationToken) {
        let mut wake_ups = self.app.queue.wake_ups();
        let mut compared: Option<Instant> = None;
        while !stop.is_cancelled() {
            wake_ups.mark_unchanged();
            if compared.is_none_or(|at| at.elapsed() > COMPARE_AGAIN) {
                compared = Some(Instant::now());
                self.compare().await;
            }
            if let Err(error) = self.pass().await {
                tracing::error!("rollouts cannot be driven, and are tried again: {error}");
                sleep(TICK).await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = wake_ups.changed() => sleep(PAUSE).await,
                () = self.look_over.notified() => {}
                () = sleep(TICK) => {}
            }
        }
        // Another takes it at once; without that it would lapse.
        if let Err(error) = self.app.duties.leave_duty(NAME, &self.owner).await {
            tracing::warn!("the duty of rollouts is not given up: {error}");
        }
    }

    /// Compares what is known of tasks with what they say: files of this machine change without a word.
    async fn compare(&self) {
        match self.app.learn_tasks().await {
            Ok(remarks) => remarks.iter().for_each(|it| tracing::info!("{it}")),
            Err(error) => tracing::error!("the fleet cannot be compared with its tasks: {error}"),
        }
    }

    /// Learns what has ended and queues what may be built since.
    pub async fn pass(&mut self) -> Result<(), AppError> {
        {
            let mut view = self.app.fleet.view().await?;
            self.app.learn_ends(&mut view).await?;
        }
        let open = self.app.fleet.store.rollouts(true, OPEN).await?;
        self.forget_all_but(&open);
        self.collect_look().await;
        let is_time = self.looked.is_none_or(|at| at.elapsed() > LOOK_IDLE) && self.look.is_none();
        let is_idle = open.iter().all(|it| it.state == RolloutState::Paused);
        if is_idle && !is_time || !self.has_duty().await? {
            return Ok(());
        }
        self.begin_scheduled(&open).await?;
        let mut running: Vec<RolloutRow> = open
            .into_iter()
            .filter(|it| it.state == RolloutState::Running)
            .collect();
        if running.is_empty() {
            // What is stale is known also while nothing is done about it.
            return match is_time {
                true => self.begin_look(None).await,
                false => Ok(()),
            };
        }
        self.heed_look(&running).await?;
        self.widen(&mut running).await?;
        self.try_errored_again(&running).await?;
        self.act(&running).await?;
        self.finish(running).await
    }

    async fn has_duty(&mut self) -> Result<bool, AppError> {
        if self.on_duty.is_some_and(|at| at.elapsed() < DUTY_AGAIN) {
            return Ok(true);
        }
        let asked = Instant::now();
        let held = self.app.duties.hold_duty(NAME, &self.owner, DUTY);
        self.on_duty = held.await?.map(|_| asked);
        Ok(self.on_duty.is_some())
    }

    fn forget_all_but(&mut self, open: &[RolloutRow]) {
        let is_running = |id: &String| {
            let row = open.iter().find(|it| it.id == *id);
            row.is_some_and(|it| it.state == RolloutState::Running)
        };
        self.first_seen.retain(|id, _| is_running(id));
        self.over_since.retain(|id, _| is_running(id));
        for row in open.iter().filter(|it| it.state == RolloutState::Running) {
            let seen = self.first_seen.entry(row.id.clone());
            seen.or_insert_with(Instant::now);
        }
    }

    /// Begins what is due; its id says when, so that it is begun once.
    async fn begin_scheduled(&self, open: &[RolloutRow]) -> Result<(), AppError> {
        let now = self.app.ports.clock.now();
        for row in open.iter().filter(|it| it.state == RolloutState::Scheduled) {
            let Some(schedule) = row.schedule.as_ref().filter(|it| it.next_at <= now) else {
                continue;
            };
            let is_under_way = open.iter().any(|it| {
                it.begun_by.as_ref() == Some(&row.id) && it.state == RolloutState::Running
            });
            if !is_under_way {
                self.begin_one(row, schedule.next_at).await?;
            }
            let later = next(&schedule.cron, schedule.time_zone.as_deref(), now)?;
            let moved = RolloutRow {
                schedule: Some(later),
                ..row.clone()
            };
            self.app.fleet.store.put_rollout(&moved).await?;
        }
        Ok(())
    }

    async fn begin_one(&self, row: &RolloutRow, due: DateTime<Utc>) -> Result<(), AppError> {
        let gathered = self.app.known_fleet().await?;
        let begun = RolloutRow {
            id: format!("{}-{}", row.id, due.format("%Y%m%d%H%M")),
            tasks: names(&gathered, gathered.affected(&row.bases)?),
            state: RolloutState::Running,
            schedule: None,
            begun_by: Some(row.id.clone()),
            created_at: self.app.ports.clock.now(),
            reason: None,
            version: 0,
            ..row.clone()
        };
        if begun.epoch > 0 {
            self.app.try_again(&begun.rollout()).await?;
        }
        self.app.fleet.store.put_rollout(&begun).await?;
        Ok(())
    }

    /// Takes note of a look that is over; one that broke is begun anew.
    async fn collect_look(&mut self) {
        if self.look.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(look) = self.look.take()
        {
            self.looked = look.await.ok().or(self.looked);
        }
    }

    /// Begins a look where somebody waits for it.
    async fn heed_look(&mut self, running: &[RolloutRow]) -> Result<(), AppError> {
        let since = self.first_seen.values().chain(self.over_since.values());
        let is_awaited = since.max().is_some_and(|since| Some(*since) > self.looked);
        let is_old = self.looked.is_none_or(|at| at.elapsed() > LOOK_AGAIN);
        match self.look.is_none() && (is_awaited || is_old) {
            true => self.begin_look(Some(running)).await,
            false => Ok(()),
        }
    }

    /// Looks at the tags of these rollouts, or at all, beside whatever else is done.
    async fn begin_look(&mut self, running: Option<&[RolloutRow]>) -> Result<(), AppError> {
        let fleet = self.app.known_fleet().await?.fleet;
        let images = running.map(|it| images(&fleet, it));
        let (app, over) = (self.app.clone(), self.look_over.clone());
        self.look = Some(tokio::spawn(async move {
            let begun = look(app, images).await;
            over.notify_one();
            begun
        }));
        Ok(())
    }

    /// Lets rollouts of everything stale take in what has become stale since.
    async fn widen(&self, running: &mut [RolloutRow]) -> Result<(), AppError> {
        let gathered = self.app.known_fleet().await?;
        for row in running.iter_mut().filter(|it| it.bases.is_empty()) {
            let before = row.tasks.len();
            row.tasks
                .extend(names(&gathered, gathered.fleet.outdated()));
            if row.tasks.len() > before && self.app.fleet.store.put_rollout(row).await? {
                row.version += 1;
            }
        }
        Ok(())
    }

    /// Builds again what errored: a registry that was out of reach is no word on the image.
    async fn try_errored_again(&self, running: &[RolloutRow]) -> Result<(), AppError> {
        let fleet = self.app.known_fleet().await?.fleet;
        let now = self.app.ports.clock.now();
        let tasks = running.iter().flat_map(|it| &it.tasks);
        let due = tasks.filter(|task| rest(&fleet, task).is_some_and(|until| until <= now));
        let raised = due.filter_map(|task| raised(&fleet, task, now));
        let entries: Vec<FleetEntry> = raised.map(FleetEntry::Fact).collect();
        let mut view = self.app.fleet.view().await?;
        self.app.learn_entries(&entries, &mut view).await
    }

    /// Queues and tags what may be, until nothing more may.
    async fn act(&self, running: &[RolloutRow]) -> Result<(), AppError> {
        let is_looked = |it: &&RolloutRow| self.first_seen.get(&it.id).copied() <= self.looked;
        let rollouts: Vec<Rollout> = running
            .iter()
            .filter(is_looked)
            .map(RolloutRow::rollout)
            .collect();
        loop {
            let fleet = self.app.known_fleet().await?.fleet;
            let actions: Vec<Action> = admitted(&fleet, &rollouts).into_iter().cloned().collect();
            if actions.is_empty() {
                return Ok(());
            }
            let mut is_nothing_done = true;
            for action in actions {
                let task = action.task().to_owned();
                match self.do_one(action, &rollouts).await {
                    Ok(()) => is_nothing_done = false,
                    // One that cannot be must not hold up the others.
                    Err(error) => tracing::warn!(task, "not built yet, and tried again: {error}"),
                }
            }
            if is_nothing_done {
                return Ok(());
            }
        }
    }

    async fn do_one(&self, action: Action, rollouts: &[Rollout]) -> Result<(), AppError> {
        let done = match action {
            Action::Retag { .. } => {
                let keyring = self.app.keyring(&[]).await?;
                self.app.retag(&keyring, action).await?
            }
            Action::Build {
                task,
                inputs,
                epoch,
                origin,
            } => {
                let of_it = rollouts.iter().find(|it| it.tasks.contains(&task));
                let decided = Decided {
                    rollout: of_it.map(|it| it.id.clone()),
                    task,
                    inputs,
                    epoch,
                    origin,
                };
                self.app.queue_build(decided).await?
            }
        };
        done.words.iter().for_each(|it| tracing::info!("{it}"));
        let mut view = self.app.fleet.view().await?;
        self.app.learn_entries(&done.entries, &mut view).await
    }

    /// Ends rollouts of which nothing more comes, once a look has shown that no base moved meanwhile.
    async fn finish(&mut self, running: Vec<RolloutRow>) -> Result<(), AppError> {
        let fleet = self.app.known_fleet().await?.fleet;
        for row in running {
            let progress = row.rollout().progress(&fleet);
            let is_resting = row.tasks.iter().any(|it| rest(&fleet, it).is_some());
            if !progress.is_over() || is_resting {
                self.over_since.remove(&row.id);
                continue;
            }
            let since = *self
                .over_since
                .entry(row.id.clone())
                .or_insert_with(Instant::now);
            if self.looked.is_some_and(|at| at >= since) {
                let done = RolloutRow {
                    state: RolloutState::Done,
                    ended_at: Some(self.app.ports.clock.now()),
                    reason: Some(format!(
                        "{} of {} tasks are what they should be",
                        progress.fresh,
                        row.tasks.len()
                    )),
                    ..row
                };
                self.app.fleet.store.put_rollout(&done).await?;
            }
        }
        Ok(())
    }
}

/// Looks at tags; gives when it began. What cannot be looked at stays as it was.
async fn look(app: Arc<App>, images: Option<BTreeSet<String>>) -> Instant {
    let begun = Instant::now();
    let looked = async {
        let keyring = app.keyring(&[]).await?;
        app.look_at_tags(&keyring, images).await
    };
    match looked.await {
        Ok(remarks) => remarks
            .iter()
            .for_each(|it| tracing::warn!("not looked at: {it}")),
        Err(error) => tracing::error!("tags of the fleet cannot be looked at: {error}"),
    }
    begun
}

/// The images of the rollouts' tasks, and all they stand on.
fn images(fleet: &Fleet, running: &[RolloutRow]) -> BTreeSet<String> {
    if running.iter().any(|it| it.bases.is_empty()) {
        return images_of(fleet, fleet.graph().order().iter().copied());
    }
    let tasks = running.iter().flat_map(|it| &it.tasks);
    let mut ids: Vec<_> = tasks.filter_map(|it| fleet.graph().task(it)).collect();
    ids.extend(fleet.graph().ancestors(&ids));
    images_of(fleet, ids)
}

/// When a task whose build errored is to be tried again; `None` for one that is not.
fn rest(fleet: &Fleet, task: &str) -> Option<DateTime<Utc>> {
    let State::Failed { run, .. } = &fleet.standing(fleet.graph().task(task)?).state else {
        return None;
    };
    let builds = &fleet.facts().task(task)?.builds;
    let last = builds.iter().find(|it| it.run == *run)?;
    let is_errored = |it: &&Build| {
        let outcome = it.end.as_ref().map(|(outcome, _)| outcome);
        let errored = |it: &Outcome| {
            matches!(
                it,
                Outcome::Failed {
                    is_errored: true,
                    ..
                }
            )
        };
        it.key == last.key && outcome.is_some_and(errored)
    };
    let (_, at) = last.end.as_ref().filter(|_| is_errored(&last))?;
    let tries = builds.iter().rev().take_while(is_errored).count();
    let rest = RESTS_SECONDS.get(tries.checked_sub(1)?)?;
    Some(*at + TimeDelta::seconds(*rest))
}

impl App {
    /// Records that a tag was seen to hold a digest, by whoever looked.
    pub(in super::super) async fn know_seen(
        &self,
        image: &str,
        digest: &str,
    ) -> Result<(), AppError> {
        let mut view = self.fleet.view().await?;
        let is_ours = view.fleet.graph().maker(image).is_some();
        let known = view.fleet.facts().tag(image);
        if !is_ours || known.is_some_and(|it| it.digest == digest) {
            return Ok(());
        }
        let seen = Fact::Seen {
            image: image.to_owned(),
            digest: digest.to_owned(),
            at: self.ports.clock.now(),
        };
        self.learn_entries(&[seen.into()], &mut view).await
    }
}
