//! One attempt of a `push` step: its images, some at once, each with patience.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use backon::Retryable;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    attempt::{ended, unlogged},
    dispatch::{Env, Input},
    images,
    logging::{self, LogSink},
    packing, registry_faults, unchanged, unchanged_lists,
};
use crate::{
    engine::{Event, Outcome},
    ports::{EngineError, PushedImage, Repository, Right},
    spec::{Push, StepKind, reference::Reference},
};

/// How many images are pushed at once.
const AT_ONCE: usize = 4;

/// Pushes and reports `Ended` with the digests, or `Stopped`.
pub(super) async fn run(env: Arc<Env>, step: u32, attempt: u32, stop: CancellationToken) {
    let StepKind::Push(push) = &env.job.plan.step(step).kind else {
        return;
    };
    let (sink, log) = match logging::open(&env, step, attempt).await {
        Ok(log) => logging::sink(&env, step, log),
        Err(error) => {
            return env.inbox.send(unlogged(step, attempt, &error));
        }
    };
    let done = tokio::select! {
        done = push_all(&env, push, &sink) => Some(done),
        () = stop.cancelled() => None,
    };
    drop(sink);
    let _ = log.await;
    env.inbox.send(match done {
        None => Input::event(Event::Stopped { step, attempt }),
        Some(Ok(images)) => {
            let outcome = Outcome::Exited {
                code: 0,
                cause: None,
                matched: true,
            };
            let event = Event::Ended {
                step,
                attempt,
                outcome,
            };
            Input::Event(event, Some(Value::Array(images)))
        }
        Some(Err(error)) => {
            let outcome = registry_faults::refused(&env, step, (Right::Push, &error)).await;
            ended(step, attempt, outcome)
        }
    });
}

/// Pushes some images at once; their layers go up side by side anyway.
async fn push_all(env: &Arc<Env>, push: &Push, sink: &LogSink) -> Result<Vec<Value>, EngineError> {
    stream::iter(push.images.clone())
        .map(|reference| async move {
            if let Some(digest) = unchanged::held(env, &reference).await {
                sink.say(&format!(
                    "Not pushed: {reference} holds {digest}, which has the same content"
                ));
                return Ok(json!({ "image": reference, "digest": digest }));
            }
            let before = unchanged_lists::held(env, &reference).await;
            let image = push_one(env, &reference, sink).await?;
            if let Some(before) = before
                && let Some(digest) = unchanged_lists::put_back(env, &before, &image.digest).await
            {
                sink.say(&format!(
                    "Put back: {reference} holds {digest} again, which has the same content on every platform"
                ));
                return Ok(json!({ "image": reference, "digest": digest }));
            }
            sink.say(&format!("Successfully pushed image: {reference}"));
            Ok(json!({ "image": reference, "digest": image.digest }))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn push_one(
    env: &Arc<Env>,
    reference: &str,
    sink: &LogSink,
) -> Result<PushedImage, EngineError> {
    let credential = env.job.credential(reference, Right::Push).await;
    if let Some(found) = credential.as_ref().filter(|it| it.pull_only) {
        return Err(EngineError::Unauthorized {
            reference: reference.to_owned(),
            reason: format!("{} is for pulls only", found.title()),
        });
    }
    let login = credential.as_ref().map(|it| &it.login);
    let image = Reference::parse(reference).ok();
    if let Some(image) = &image {
        packing::send(env, reference, &Repository::of(image, login)).await;
    }
    let tries = AtomicU32::new(0);
    let tried = || async {
        let number = tries.fetch_add(1, Ordering::Relaxed) + 1;
        if number > 1 {
            images::heed(&env.ports, image.clone(), login, Right::Push).await;
        }
        sink.say(&format!("Pushing image: {reference}, attempt {number}"));
        env.ports.images.push(reference, login, sink).await
    };
    tried
        .retry(images::patience())
        .when(images::is_passing)
        .await
}
