//! Serves folders with cached layers to BuildKit: it reads blobs from there and leaves blobs there.

mod blobs;
mod messages;

use std::{
    convert::Infallible,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    Stream,
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt},
};
use tonic::{
    Request, Response, Status, Streaming,
    codegen::{Body, Service, StdError, http},
    metadata::MetadataMap,
    server::{Grpc, NamedService, ServerStreamingService, StreamingService},
};
use tonic_prost::ProstCodec;

use blobs::{Blobs, Incoming};
use messages::{
    AbortRequest, Empty, Info, InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse,
    WriteAction, WriteContentRequest, WriteContentResponse,
};

const INFO: &str = "/containerd.services.content.v1.Content/Info";
const READ: &str = "/containerd.services.content.v1.Content/Read";
const WRITE: &str = "/containerd.services.content.v1.Content/Write";
const ABORT: &str = "/containerd.services.content.v1.Content/Abort";

/// What is answered, as the engine must be told beforehand.
pub(super) const METHODS: [&str; 4] = [INFO, READ, WRITE, ABORT];

/// The header by which BuildKit names a folder, and what stands before its path there.
const FOLDER: (&str, &str) = ("buildkit-attachable-store-id", "local:");

/// The most bytes of a blob in one message.
const PIECE: u64 = 1 << 20;

/// Serves these folders and no other.
#[derive(Debug, Clone)]
pub(super) struct CacheFolders(Arc<[String]>);

impl CacheFolders {
    /// Takes the folders by their paths, as BuildKit will name them.
    pub(super) fn new(folders: Vec<String>) -> CacheFolders {
        CacheFolders(folders.into())
    }

    fn named(&self, metadata: &MetadataMap) -> Result<Blobs, Status> {
        let name = metadata.get(FOLDER.0).and_then(|it| it.to_str().ok());
        let path = name.and_then(|it| it.strip_prefix(FOLDER.1));
        let known = self.0.iter().find(|it| Some(it.as_str()) == path);
        let unknown = || Status::not_found(format!("no cache folder {name:?} was given"));
        Ok(Blobs::at(Path::new(known.ok_or_else(unknown)?)))
    }

    async fn info(self, request: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
        let blobs = self.named(request.metadata())?;
        let digest = request.into_inner().digest;
        let size = blobs.size(&digest).await? as i64;
        let info = Some(Info { digest, size });
        Ok(Response::new(InfoResponse { info }))
    }

    async fn read(
        self,
        request: Request<ReadContentRequest>,
    ) -> Result<Response<BoxStream<'static, Result<ReadContentResponse, Status>>>, Status> {
        let blobs = self.named(request.metadata())?;
        let request = request.into_inner();
        let whole = blobs.size(&request.digest).await?;
        let offset = u64::try_from(request.offset).unwrap_or(0).min(whole);
        let end = match u64::try_from(request.size) {
            Ok(size @ 1..) => offset.saturating_add(size).min(whole),
            _ => whole,
        };
        let file = blobs.open(&request.digest, offset).await?;
        let pieces = stream::try_unfold((file, offset), move |(mut file, at)| async move {
            let data = blobs::read(&mut file, (end - at).min(PIECE) as usize).await?;
            let next = at + data.len() as u64;
            let offset = at as i64;
            let piece = (!data.is_empty()).then_some(ReadContentResponse { offset, data });
            Ok(piece.map(|piece| (piece, (file, next))))
        });
        Ok(Response::new(pieces.boxed()))
    }

    async fn write(
        self,
        request: Request<Streaming<WriteContentRequest>>,
    ) -> Result<Response<BoxStream<'static, Result<WriteContentResponse, Status>>>, Status> {
        let writing = Writing {
            blobs: self.named(request.metadata())?,
            incoming: None,
            total: 0,
            expected: String::new(),
        };
        Ok(Response::new(
            answers(writing, request.into_inner()).boxed(),
        ))
    }
}

fn answers(
    writing: Writing,
    messages: Streaming<WriteContentRequest>,
) -> impl Stream<Item = Result<WriteContentResponse, Status>> {
    stream::try_unfold(
        (writing, messages),
        |(mut writing, mut messages)| async move {
            let Some(message) = messages.message().await? else {
                return Ok(None);
            };
            let answer = writing.take(message).await?;
            Ok(Some((answer, (writing, messages))))
        },
    )
}

/// A blob that comes in over one stream.
struct Writing {
    blobs: Blobs,
    incoming: Option<Incoming>,
    total: i64,
    expected: String,
}

impl Writing {
    async fn take(&mut self, message: WriteContentRequest) -> Result<WriteContentResponse, Status> {
        self.expect(&message).await?;
        let mut incoming = match self.incoming.take() {
            Some(incoming) => incoming,
            None => self.blobs.begin().await?,
        };
        if !message.data.is_empty() {
            if message.offset != incoming.size() as i64 {
                return Err(Status::out_of_range(
                    "the bytes do not follow what is there",
                ));
            }
            incoming.take(&message.data).await?;
        }
        let mut answer = WriteContentResponse {
            action: message.action,
            offset: incoming.size() as i64,
            total: self.total,
            digest: String::new(),
        };
        if message.action() == WriteAction::Commit {
            if self.total > 0 && self.total != answer.offset {
                return Err(Status::failed_precondition("the blob has another size"));
            }
            answer.digest = incoming.keep(&self.expected).await?;
        } else {
            self.incoming = Some(incoming);
        }
        Ok(answer)
    }

    /// The latest words on the whole count. What is there already need not come again.
    async fn expect(&mut self, message: &WriteContentRequest) -> Result<(), Status> {
        if message.total > 0 {
            self.total = message.total;
        }
        if message.expected.is_empty() || message.expected == self.expected {
            return Ok(());
        }
        self.expected.clone_from(&message.expected);
        match self.blobs.size(&self.expected).await {
            Ok(_) => Err(Status::already_exists(format!(
                "{} is there",
                self.expected
            ))),
            Err(error) if error.code() == tonic::Code::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Reading, as the gRPC server calls it.
struct Reading(CacheFolders);

impl ServerStreamingService<ReadContentRequest> for Reading {
    type Response = ReadContentResponse;
    type ResponseStream = BoxStream<'static, Result<ReadContentResponse, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<ReadContentRequest>) -> Self::Future {
        Box::pin(self.0.clone().read(request))
    }
}

/// Writing, as the gRPC server calls it.
struct Taking(CacheFolders);

impl StreamingService<WriteContentRequest> for Taking {
    type Response = WriteContentResponse;
    type ResponseStream = BoxStream<'static, Result<WriteContentResponse, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<WriteContentRequest>>) -> Self::Future {
        Box::pin(self.0.clone().write(request))
    }
}

impl NamedService for CacheFolders {
    const NAME: &'static str = "containerd.services.content.v1.Content";
}

impl<B> Service<http::Request<B>> for CacheFolders
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let folders = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            Ok(match path.as_str() {
                INFO => {
                    let info = tower::service_fn(move |it| folders.clone().info(it));
                    Grpc::new(ProstCodec::default()).unary(info, request).await
                }
                READ => {
                    let mut grpc = Grpc::new(ProstCodec::default());
                    grpc.server_streaming(Reading(folders), request).await
                }
                WRITE => {
                    // A piece may be as large as BuildKit likes.
                    let mut grpc =
                        Grpc::new(ProstCodec::default()).max_decoding_message_size(usize::MAX);
                    grpc.streaming(Taking(folders), request).await
                }
                ABORT => {
                    // What was not kept is gone with its stream.
                    let abort = tower::service_fn(|_: Request<AbortRequest>| async {
                        Ok::<_, Status>(Response::new(Empty {}))
                    });
                    Grpc::new(ProstCodec::default()).unary(abort, request).await
                }
                _ => Status::unimplemented(path).into_http(),
            })
        })
    }
}
