//! Runs that moved bases start: one for all that moved within a task's settle window.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::{
    App, AppError, Overrides,
    fleet::{ByFleet, Decided},
};
use crate::{
    ports::{BaseDecision, Enqueued, NewRun, TaskError, TaskRow, Trigger, TriggerKind, sha256},
    spec::reference::Reference,
    tasks::{Definition, Status},
};

/// How long a run that cannot be queued is tried before it is given up, said why.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);

impl App {
    /// Queues the runs of tasks whose bases have settled and returns how many that were.
    pub async fn start_moved(&self) -> Result<usize, AppError> {
        let now = self.ports.clock.now();
        let due = self.bases.due_moves(now).await?;
        let mut started = 0;
        for moves in due.chunk_by(|a, b| a.task == b.task) {
            started += usize::from(self.start_one(moves, now).await?);
        }
        Ok(started)
    }

    async fn start_one(
        &self,
        moves: &[BaseDecision],
        now: DateTime<Utc>,
    ) -> Result<bool, AppError> {
        let numbers: Vec<i64> = moves.iter().map(|it| it.number).collect();
        let name = &moves[0].task;
        let row = match self.tasks.task(name).await {
            Ok(row) if row.definition.status == Status::Enabled => row,
            Ok(_) => return self.give_up(&numbers, "the task is disabled now").await,
            Err(TaskError::NoSuchTask(_)) => {
                return self.give_up(&numbers, "the task is gone").await;
            }
            Err(error) => return Err(error.into()),
        };
        let images = summed_up(moves);
        let moved: Vec<(&str, &str)> = images.iter().map(|it| (it.key, it.to)).collect();
        let decided = match self.by_fleet(name, &moved).await? {
            ByFleet::Build(decided) => Some(decided),
            ByFleet::Unknown => None,
            ByFleet::Known(why) => return self.give_up(&numbers, &why).await,
            ByFleet::Retag(action) => {
                let why = self.retag_now(action).await?;
                return self.give_up(&numbers, &why).await;
            }
        };
        let run = match self
            .moved_run(&row, (&images, &numbers), decided.as_ref())
            .await
        {
            Ok(run) => run,
            Err(error) if moves.iter().any(|it| now - it.at < PATIENCE) => {
                tracing::warn!(
                    name,
                    "its bases moved, but its run is not queued yet: {error}"
                );
                return Ok(false);
            }
            Err(error) => {
                let reason = format!("its run could not be queued: {error}");
                return self.give_up(&numbers, &reason).await;
            }
        };
        let place = (&row.definition).into();
        let queued = self.bases.start_moved(&numbers, &run, &place).await?;
        if let (Some(decided), Some(queued)) = (decided, &queued) {
            self.know_queued(decided, &run.id, queued).await?;
        }
        Ok(queued.is_some_and(|it| !matches!(it, Enqueued::Known { .. })))
    }

    /// Makes the run that moves start: on exactly the digests that the fleet decided on, if it did.
    async fn moved_run(
        &self,
        row: &TaskRow,
        (images, numbers): (&[MovedImage<'_>], &[i64]),
        decided: Option<&Decided>,
    ) -> Result<NewRun, AppError> {
        let mut trigger = trigger(&row.definition.name, images, numbers);
        let Some(decided) = decided else {
            let because = (cause(images), trigger);
            return self
                .triggered_run(row, because, overrides(row, images))
                .await;
        };
        trigger.key = decided.cause_key();
        if let (Value::Object(details), Value::Object(inputs)) =
            (&mut trigger.details, json!(decided))
        {
            details.extend(inputs);
        }
        self.decided_run(row, decided, (cause(images), trigger))
            .await
    }

    async fn give_up(&self, decisions: &[i64], reason: &str) -> Result<bool, AppError> {
        self.bases.take_back(decisions, reason).await?;
        Ok(false)
    }
}

/// A base, from what it was before the first move to what it is after the last.
struct MovedImage<'a> {
    key: &'a str,
    from: &'a str,
    to: &'a str,
}

fn summed_up(moves: &[BaseDecision]) -> Vec<MovedImage<'_>> {
    let mut images: Vec<MovedImage<'_>> = Vec::new();
    for one in moves {
        match images.iter_mut().find(|it| it.key == one.key) {
            Some(image) => image.to = &one.to,
            None => images.push(MovedImage {
                key: &one.key,
                from: one.from.as_deref().unwrap_or_default(),
                to: &one.to,
            }),
        }
    }
    images
}

fn cause(images: &[MovedImage<'_>]) -> String {
    let said = |it: &MovedImage<'_>| format!("{} from {} to {}", it.key, it.from, it.to);
    let said: Vec<String> = images.iter().map(said).collect();
    let noun = if images.len() == 1 {
        "base image"
    } else {
        "base images"
    };
    format!("{noun} moved: {}", said.join(", "))
}

/// The cause of a run of which the fleet knows too little: the key is the task, what moved, and the last decision for
/// an epoch, for a set may come again.
fn trigger(task: &str, images: &[MovedImage<'_>], numbers: &[i64]) -> Trigger {
    let mut inputs: Vec<String> = images
        .iter()
        .map(|it| format!("{}={}", it.key, it.to))
        .collect();
    inputs.sort();
    let set = sha256(inputs.join("\n").as_bytes());
    let epoch = numbers.iter().max().copied().unwrap_or_default();
    let image = |it: &MovedImage<'_>| json!({ "image": it.key, "from": it.from, "to": it.to });
    let details = json!({ "images": images.iter().map(image).collect::<Vec<Value>>() });
    let key = format!("base_image/{task}/{set}/{epoch}");
    Trigger::new(TriggerKind::BaseImage, key, details)
}

/// Hands new tags of followed images to the run, where a rule says in which argument or value.
fn overrides(row: &TaskRow, images: &[MovedImage<'_>]) -> Overrides {
    let task: &Definition = &row.definition;
    let mut overrides = Overrides::default();
    for rule in task.triggers.base_image.iter().flat_map(|it| &it.follow) {
        let braces = format!("{{{}}}", rule.words());
        let image = Reference::parse(&rule.image).map(|it| format!("{}:", it.name()));
        let is_meant = |it: &&MovedImage<'_>| {
            let is_of = |image: &String| it.key.starts_with(image);
            it.key.ends_with(&braces) && image.as_ref().is_ok_and(is_of)
        };
        let (Some(name), Some(image)) = (&rule.sets, images.iter().find(is_meant)) else {
            continue;
        };
        let tag = image.to.to_owned();
        match task.build {
            Some(_) => drop(overrides.arguments.insert(name.clone(), tag)),
            None => drop(overrides.values.insert(name.clone(), tag.into())),
        }
    }
    overrides
}
