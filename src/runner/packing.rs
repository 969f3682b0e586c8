//! Layers packed while steps run between the build of an image and its push.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::dispatch::Env;
use crate::{
    ports::{ImageInfo, Images, PackedLayer, RegistryError, Repository, Upload},
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

/// An image that is being packed.
#[derive(Clone, Default)]
struct Packed {
    /// The image, once it is known to be worth it.
    image_id: Option<String>,
    /// Its layers, those that have begun.
    layers: Vec<PackedLayer>,
    has_ended: bool,
}

/// Watches an image that is being packed, which ends when nobody does any more.
#[derive(Clone)]
struct Pack {
    packed: watch::Receiver<Packed>,
    _task: Arc<AbortOnDropHandle<()>>,
}

/// What is being packed, by the name under which it will be pushed. It ends with the run.
#[derive(Default)]
pub(super) struct Packing(Mutex<HashMap<String, Pack>>);

/// Begins to pack an image that was just built, if a push of it still waits for other steps.
pub(super) fn begin(env: &Arc<Env>, built_by: u32, tags: &[String]) {
    let awaited: Vec<&String> = tags
        .iter()
        .filter(|tag| is_awaited(env, built_by, tag))
        .collect();
    let Some(first) = awaited.first().map(|tag| tag.to_string()) else {
        return;
    };
    let (tell, packed) = watch::channel(Packed::default());
    let images = env.ports.images.clone();
    let task = tokio::spawn(async move { pack(&*images, &first, &tell).await });
    let pack = Pack {
        packed,
        _task: Arc::new(AbortOnDropHandle::new(task)),
    };
    let mut begun = env.packing.lock();
    for tag in awaited {
        begun.insert(tag.clone(), pack.clone());
    }
}

async fn pack(images: &dyn Images, reference: &str, tell: &watch::Sender<Packed>) {
    let found = images.image(reference).await.ok().flatten();
    let fits = |image: &ImageInfo| (LEAST_BYTES..=MOST_BYTES).contains(&image.size_bytes);
    if let Some(image) = found.filter(fits) {
        tell.send_modify(|packed| packed.image_id = Some(image.id));
        let (begin, mut begun) = mpsc::unbounded_channel();
        let noting = async {
            while let Some(layer) = begun.recv().await {
                tell.send_modify(|packed| packed.layers.push(layer));
            }
        };
        let (done, ()) = tokio::join!(images.pack(reference, begin), noting);
        tracing::debug!(?done, reference, "packed");
    }
    tell.send_modify(|packed| packed.has_ended = true);
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

/// Sends the layers of an image to where it will be pushed, while they are packed. It only saves time: the push sends
/// what is missing, and tells what is wrong.
pub(super) async fn send(env: &Env, reference: &str, to: &Repository) {
    let Some(pack) = env.packing.lock().get(reference).cloned() else {
        return;
    };
    let image_id = pack.image_id().await;
    // A step between may have put another image under the name.
    let now = env.ports.images.image(reference).await;
    let is_same = |now: &ImageInfo| Some(&now.id) == image_id.as_ref();
    if !now.is_ok_and(|image| image.as_ref().is_some_and(is_same)) {
        return;
    }
    let sent = pack
        .layers()
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |layer| send_one(env, to, layer))
        .await;
    if let Err(error) = sent {
        tracing::debug!(%error, reference, "a packed layer was not sent; the engine will");
    }
    // The engine knows what it packed only then.
    pack.ended().await;
}

async fn send_one(env: &Env, to: &Repository, layer: PackedLayer) -> Result<(), RegistryError> {
    if !layer.reaches(LEAST_LAYER_BYTES).await {
        return Ok(());
    }
    let registry = &env.ports.registry;
    let Some(blob) = layer.blob() else {
        let digest = async { layer.whole().await.map(|blob| blob.digest) };
        return registry
            .stream_blob(to, layer.bytes(), digest.boxed())
            .await;
    };
    if registry.has_blob(to, &blob.digest).await? {
        return Ok(());
    }
    match registry.begin_blob(to, &blob.digest, None).await? {
        Upload::Mounted => Ok(()),
        Upload::Open(upload) => registry.write_blob(to, &upload, &blob, layer.bytes()).await,
    }
}

impl Pack {
    /// Waits for what is looked for, or for the end of packing.
    async fn wait(&self, has_come: impl Fn(&Packed) -> bool) -> Packed {
        let mut packed = self.packed.clone();
        let seen = packed.wait_for(|packed| packed.has_ended || has_come(packed));
        // Whoever packed may have broken down: then what there is has to do.
        let seen = seen.await.map(|packed| packed.clone());
        seen.unwrap_or_else(|_| self.packed.borrow().clone())
    }

    async fn image_id(&self) -> Option<String> {
        self.wait(|packed| packed.image_id.is_some()).await.image_id
    }

    async fn ended(&self) {
        self.wait(|_| false).await;
    }

    /// Its layers as they begin, until all have.
    fn layers(&self) -> impl Stream<Item = PackedLayer> {
        stream::unfold(0, move |at| async move {
            let packed = self.wait(|packed| packed.layers.len() > at).await;
            let layer = packed.layers.get(at).cloned()?;
            Some((layer, at + 1))
        })
    }
}

impl Packing {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pack>> {
        // Whoever panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
