//! Takes up a run that was cut off: what the state expects meets what the engine shows.

use tokio_util::sync::CancellationToken;

use super::{
    attempt,
    dispatch::{Dispatcher, Env, Input, RunError, UnderWay},
    setup, tidy,
};
use crate::{
    engine::{Action, Event, Expected, FaultKind, Outcome, Phase, RunState, StepState},
    ports::{ContainerState, EngineError, OnWorkerLoss, Resource, State},
};

/// Feeds the loop with what is seen, and does again what was cut off before it was done. Fails when the run is to begin
/// anew instead.
pub(super) async fn recover(
    dispatcher: &mut Dispatcher,
    state: &mut RunState,
) -> Result<(), RunError> {
    let now = dispatcher.env.ports.clock.now().timestamp_millis();
    if state.phase() == Phase::Tidying {
        dispatcher.act(Action::Tidy, now);
        return Ok(());
    }
    let expected = state.expected();
    if may_begin_anew(dispatcher) && has_lost_any(dispatcher, &expected).await {
        remove_generation(dispatcher).await;
        return Err(RunError::Gone);
    }
    remove_strays(dispatcher, &expected).await;
    let has_started = has_started(dispatcher, &expected).await;
    let env = dispatcher.env.clone();
    dispatcher.setup = Some(tokio::spawn(async move {
        setup::equip_again(&env, has_started).await;
    }));
    for it in expected {
        meet(dispatcher, state, it, now).await;
    }
    forget_pulls(dispatcher, state);
    let again = state.expected_pulls().into_iter();
    for action in again.chain(state.expected_timers(now)) {
        dispatcher.act(action, now);
    }
    Ok(())
}

/// Says whether the task wants the run to begin anew when its worker is lost, and it has not yet done so.
fn may_begin_anew(dispatcher: &Dispatcher) -> bool {
    let run = &dispatcher.env.job.run;
    let place = run.placement.as_ref();
    let is_retried = place.is_some_and(|it| it.on_worker_loss == OnWorkerLoss::Retry);
    is_retried && run.generation == 1 && run.cancel_reason.is_none()
}

/// Says whether a container that ran is not there any more: a worker that was cut off stops what it runs in time.
async fn has_lost_any(dispatcher: &Dispatcher, expected: &[Expected]) -> bool {
    let env = &dispatcher.env;
    let ran = expected
        .iter()
        .filter(|it| it.is_container && !it.starting && !it.stopping);
    for it in ran {
        if matches!(
            env.ports.containers.inspect(&name_of(env, it)).await,
            Ok(None)
        ) {
            return true;
        }
    }
    false
}

/// Removes what is left of the generation; what cannot be removed now is swept later.
async fn remove_generation(dispatcher: &Dispatcher) {
    let env = &dispatcher.env;
    let labels = env.job.lasting_labels(env.ports.store.store_id());
    if let Err(error) = tidy::remove_lost(env.ports.containers.as_ref(), &labels).await {
        tracing::warn!(%error, "could not remove what a lost worker had started");
    }
}

/// The name of the container of an attempt.
fn name_of(env: &Env, it: &Expected) -> String {
    let store = env.ports.store.store_id();
    env.job.attempt_name(store, it.step, it.attempt)
}

/// Says whether a container of this run has ever started: by what is recorded, or else by what the engine shows.
async fn has_started(dispatcher: &Dispatcher, expected: &[Expected]) -> bool {
    let env = &dispatcher.env;
    if env.had_started {
        return true;
    }
    for it in expected.iter().filter(|it| it.is_container) {
        let seen = env.ports.containers.inspect(&name_of(env, it)).await;
        if seen.is_ok_and(|seen| seen.is_some_and(|seen| seen.state != State::Created)) {
            return true;
        }
    }
    false
}

/// Removes containers of this run that no attempt expects: made ahead, or ended and not yet removed.
async fn remove_strays(dispatcher: &Dispatcher, expected: &[Expected]) {
    let env = &dispatcher.env;
    let kept: Vec<String> = expected.iter().map(|it| name_of(env, it)).collect();
    let labels = env.job.lasting_labels(env.ports.store.store_id());
    let Ok(found) = env
        .ports
        .containers
        .list(Resource::Container, &labels)
        .await
    else {
        return;
    };
    for it in found.iter().filter(|it| !kept.contains(&it.name)) {
        let is_kept = it
            .labels
            .get(super::LABEL_POSITION)
            .and_then(|text| text.parse().ok())
            .is_some_and(|step: u32| {
                (step as usize) < env.job.plan.steps().len() && env.job.plan.step(step).keep
            });
        if !is_kept {
            let _ = env.ports.containers.remove(&it.id).await;
        }
    }
}

/// One row of the recovery table of docs/ARCHITECTURE.md.
async fn meet(dispatcher: &mut Dispatcher, state: &RunState, it: Expected, now: i64) {
    let env = dispatcher.env.clone();
    let (step, attempt) = (it.step, it.attempt);
    if !it.is_container {
        return again(dispatcher, it, now);
    }
    let name = name_of(&env, &it);
    let seen = match env.ports.containers.inspect(&name).await {
        Ok(seen) => seen,
        Err(error) => return gone(dispatcher, it, &error),
    };
    match seen {
        None if it.stopping => stopped(dispatcher, it),
        None if it.starting => dispatcher.act(Action::Start { step, attempt }, now),
        None => gone(
            dispatcher,
            it,
            &EngineError::NotFound(format!("container {name}")),
        ),
        Some(seen) if seen.state == State::Created => {
            let _ = env.ports.containers.remove(&seen.id).await;
            if it.stopping {
                stopped(dispatcher, it);
            } else {
                dispatcher.act(Action::Start { step, attempt }, now);
            }
        }
        Some(seen) => {
            attach(dispatcher, it, seen).await;
            if state.step(step).state == StepState::AwaitingHealth {
                dispatcher.act(Action::WatchHealth { step, attempt }, now);
            }
        }
    }
}

/// A pull that was being stopped has ended with its process.
fn forget_pulls(dispatcher: &Dispatcher, state: &RunState) {
    for step in 0..state.plan().steps().len() as u32 {
        let progress = state.step(step);
        if progress.attempt == 0 && matches!(progress.state, StepState::Stopping(_)) {
            let event = Event::Stopped { step, attempt: 0 };
            dispatcher.env.inbox.send(Input::event(event));
        }
    }
}

/// Builds and pushes are safe to issue again: layers come from the cache, and a push is the same twice.
fn again(dispatcher: &mut Dispatcher, it: Expected, now: i64) {
    let (step, attempt) = (it.step, it.attempt);
    if it.stopping {
        return stopped(dispatcher, it);
    }
    let event = Event::Reissued { step, attempt };
    dispatcher.env.inbox.send(Input::event(event));
    dispatcher.act(Action::Start { step, attempt }, now);
}

/// Follows a container on. One that has ended is heard out at once: its end came before any clock that went off since.
async fn attach(dispatcher: &mut Dispatcher, it: Expected, seen: ContainerState) {
    let env = dispatcher.env.clone();
    let (step, attempt) = (it.step, it.attempt);
    if it.starting {
        let image = env.ports.images.image(&seen.image_id).await.ok().flatten();
        let started = attempt::started(&env, (step, attempt), &seen.id, image.as_ref());
        env.inbox.send(started);
    }
    let stop = CancellationToken::new();
    if it.stopping {
        stop.cancel();
    }
    let following = attempt::attach(env, step, attempt, seen.id, stop.clone());
    if matches!(seen.state, State::Exited(_)) {
        return following.await;
    }
    let task = tokio::spawn(following);
    dispatcher
        .under_way
        .insert((step, attempt), UnderWay { stop, task });
}

fn stopped(dispatcher: &Dispatcher, it: Expected) {
    dispatcher.env.inbox.send(Input::event(Event::Stopped {
        step: it.step,
        attempt: it.attempt,
    }));
}

/// The container was running and is not there any more: what it did is not known.
fn gone(dispatcher: &Dispatcher, it: Expected, error: &EngineError) {
    let mut fault = attempt::lost(error);
    fault.kind = FaultKind::Lost;
    let outcome = Outcome::Faulted {
        fault,
        matched: false,
    };
    let message = attempt::ended(it.step, it.attempt, outcome);
    dispatcher.env.inbox.send(message);
}
