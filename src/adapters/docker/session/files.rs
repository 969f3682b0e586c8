//! Lets BuildKit read the context and the Dockerfile, sending only what it lacks.

use std::sync::{Arc, OnceLock};

use bollard_buildkit_proto::{
    fsutil::types::{Packet, packet::PacketType},
    moby::filesync::packet::file_sync_server::FileSync,
};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait, metadata::MetadataMap};

use super::{
    followed::select,
    packets::made_up,
    sending::{Ask, Tree, send},
};
use crate::ports::{ContextFiles, FolderError};

/// Packets made ahead of the connection.
const PACKETS_AHEAD: usize = 32;

/// Where the reason is kept why the context could not be read, which BuildKit would only tell in words of its own.
pub(super) type Trouble = Arc<OnceLock<FolderError>>;

/// The files of one build.
#[derive(Clone)]
pub(super) struct SyncedFiles {
    context: Arc<dyn ContextFiles>,
    /// The Dockerfile's name and text.
    dockerfile: Arc<(String, Vec<u8>)>,
    trouble: Trouble,
}

impl SyncedFiles {
    /// Takes the context and the Dockerfile.
    pub(super) fn new(
        context: Arc<dyn ContextFiles>,
        dockerfile: (String, Vec<u8>),
    ) -> SyncedFiles {
        SyncedFiles {
            context,
            dockerfile: Arc::new(dockerfile),
            trouble: Trouble::default(),
        }
    }

    /// Gives where the reason of a failure is kept.
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    /// Lists what is in a folder as BuildKit names it, as far as it is meant; blocking. What the engine asks to
    /// leave out is not looked at: our own rules have left out that and more.
    fn tree(&self, folder: &str, followed: &[String]) -> Result<Tree, FolderError> {
        if folder == "dockerfile" {
            let (name, text) = &*self.dockerfile;
            return Ok(Tree::Made(made_up(name, text), text.clone()));
        }
        let entries = select(self.context.list()?, followed);
        Ok(Tree::Context(self.context.clone(), entries))
    }
}

#[async_trait]
impl FileSync for SyncedFiles {
    type DiffCopyStream = BoxStream<'static, Result<Packet, Status>>;
    type TarStreamStream = BoxStream<'static, Result<Packet, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let folder = values(request.metadata(), "dir-name").concat();
        let followed = values(request.metadata(), "followpaths");
        let (asking, mut asks) = mpsc::unbounded_channel();
        let (out, packets) = mpsc::channel(PACKETS_AHEAD);
        // The requests are taken in while the list goes out: both sides would wait for each other otherwise.
        tokio::spawn(hear(request.into_inner(), asking));
        let files = self.clone();
        tokio::task::spawn_blocking(move || {
            let sent = files
                .tree(&folder, &followed)
                .and_then(|tree| send(&tree, &mut asks, &out));
            if let Err(error) = sent {
                let _ = out.blocking_send(Err(Status::unknown(error.to_string())));
                let _ = files.trouble.set(error);
            }
        });
        Ok(Response::new(ReceiverStream::new(packets).boxed()))
    }

    async fn tar_stream(
        &self,
        _: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("files are sent one by one"))
    }
}

async fn hear(mut packets: Streaming<Packet>, asking: UnboundedSender<Ask>) {
    while let Some(Ok(packet)) = packets.next().await {
        let ask = match PacketType::try_from(packet.r#type) {
            Ok(PacketType::PacketReq) => Ask::File(packet.id),
            Ok(PacketType::PacketFin) => Ask::End,
            Ok(PacketType::PacketErr) => return,
            _ => continue,
        };
        if asking.send(ask).is_err() {
            return;
        }
    }
}

fn values(metadata: &MetadataMap, name: &str) -> Vec<String> {
    let all = metadata.get_all(name).into_iter();
    all.filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect()
}
