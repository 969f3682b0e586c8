//! Layers packed while steps run between the build of an image and its push.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt, TryStreamExt,
    future::{BoxFuture, Shared},
    stream,
};
use tokio_util::task::AbortOnDropHandle;

use super::dispatch::Env;
use crate::{
    ports::{PackedLayer, RegistryError, Repository, Upload},
    spec::StepKind,
};

/// Images smaller than this are pushed as fast as they could be packed.
const LEAST_BYTES: u64 = 4 << 20;
/// Images larger than this are not packed: they would fill the disk for temporary files.
const MOST_BYTES: u64 = 1 << 30;
/// Layers smaller than this are left to the engine.
const LEAST_LAYER_BYTES: u64 = 1 << 20;
/// How many layers are sent at once.
const AT_ONCE: usize = 4;

/// The layers of an image, once they are packed.
#[derive(Clone, Default)]
struct Packed {
    image_id: String,
    layers: Arc<Vec<PackedLayer>>,
}

/// What is being packed, by the name under which it will be pushed. It ends with the run.
#[derive(Default)]
pub(super) struct Packing(Mutex<HashMap<String, Shared<BoxFuture<'static, Packed>>>>);

/// Begins to pack an image that was just built, if a push of it still waits for other steps.
pub(super) fn begin(env: &Arc<Env>, built_by: u32, tags: &[String]) {
    let awaited: Vec<&String> = tags
        .iter()
        .filter(|tag| is_awaited(env, built_by, tag))
        .collect();
    let Some(first) = awaited.first().map(|tag| tag.to_string()) else {
        return;
    };
    let ports = env.ports.clone();
    let packing = async move {
        let Ok(Some(image)) = ports.images.image(&first).await else {
            return Packed::default();
        };
        if !(LEAST_BYTES..=MOST_BYTES).contains(&image.size_bytes) {
            return Packed::default();
        }
        let layers = ports.images.pack(&first).await.unwrap_or_default();
        Packed {
            image_id: image.id,
            layers: Arc::new(layers),
        }
    };
    let task = AbortOnDropHandle::new(tokio::spawn(packing));
    let packed = task.map(Result::unwrap_or_default).boxed().shared();
    let mut begun = env.packing.lock();
    for tag in awaited {
        begun.insert(tag.clone(), packed.clone());
    }
}

/// Says whether a push of this image waits for more than its build.
fn is_awaited(env: &Env, built_by: u32, tag: &String) -> bool {
    let plan = &env.job.plan;
    let pushes = (0..)
        .zip(plan.steps())
        .filter(|(_, step)| match &step.kind {
            StepKind::Push(push) => push.images.contains(tag),
            StepKind::Build(_) | StepKind::Cmd(_) => false,
        });
    let mut waiting = pushes.map(|(position, _)| position);
    waiting.any(|position| plan.parents(position).any(|parent| parent != built_by))
}

/// Sends what was packed of an image to where it will be pushed. It only saves time: the push sends what is missing,
/// and tells what is wrong.
pub(super) async fn send(env: &Env, reference: &str, to: &Repository) {
    let Some(packed) = env.packing.lock().get(reference).cloned() else {
        return;
    };
    let packed = packed.await;
    // A step between may have put another image under the name.
    let now = env.ports.images.image(reference).await;
    if !now.is_ok_and(|image| image.is_some_and(|it| it.id == packed.image_id)) {
        return;
    }
    let large = packed
        .layers
        .iter()
        .filter(|layer| layer.blob.size_bytes >= LEAST_LAYER_BYTES);
    let sent = stream::iter(large.map(Ok))
        .try_for_each_concurrent(AT_ONCE, |layer| send_one(env, to, layer))
        .await;
    if let Err(error) = sent {
        tracing::debug!(%error, reference, "a packed layer was not sent; the engine will");
    }
}

async fn send_one(env: &Env, to: &Repository, layer: &PackedLayer) -> Result<(), RegistryError> {
    let (registry, blob) = (&env.ports.registry, &layer.blob);
    if registry.has_blob(to, &blob.digest).await? {
        return Ok(());
    }
    match registry.begin_blob(to, &blob.digest, None).await? {
        Upload::Mounted => Ok(()),
        Upload::Open(upload) => registry.write_blob(to, &upload, blob, layer.bytes()).await,
    }
}

impl Packing {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Shared<BoxFuture<'static, Packed>>>> {
        // Whoever panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
