//! A registry on this machine's own address that takes layers, and never a manifest.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::ports::{Blob, Growth, PackedLayer};

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The registry; it is gone when it is dropped.
pub(super) struct Counter {
    port: u16,
    shelf: Arc<Shelf>,
    asked: Mutex<Option<oneshot::Receiver<()>>>,
    _server: AbortOnDropHandle<()>,
}

/// What was brought.
struct Shelf {
    /// A name that nobody else on this machine can guess.
    repository: String,
    /// Told of the first question about an image.
    asked: Mutex<Option<oneshot::Sender<()>>>,
    /// How many bytes came of each layer that is not whole yet, by the numbers of their uploads.
    open: Mutex<HashMap<String, (u64, watch::Sender<Growth>)>>,
    /// Told of each layer that begins.
    layers: mpsc::UnboundedSender<PackedLayer>,
}

impl Counter {
    /// Opens one on a free port; each layer goes to `layers` when it begins.
    pub(super) async fn open(layers: mpsc::UnboundedSender<PackedLayer>) -> io::Result<Counter> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (tell, asked) = oneshot::channel();
        let shelf = Arc::new(Shelf {
            repository: format!("careen-packing-{}", Uuid::new_v4().simple()),
            asked: Mutex::new(Some(tell)),
            open: Mutex::default(),
            layers,
        });
        let router = Router::new().fallback(answer).with_state(shelf.clone());
        let serving = async move {
            // It serves until it is dropped.
            let _ = axum::serve(listener, router).await;
        };
        Ok(Counter {
            port,
            shelf,
            asked: Mutex::new(Some(asked)),
            _server: AbortOnDropHandle::new(tokio::spawn(serving)),
        })
    }

    /// The repository to push to, as references name it.
    pub(super) fn repository(&self) -> String {
        format!("127.0.0.1:{}/{}", self.port, self.shelf.repository)
    }

    /// Ends once the engine has asked for the first layer, or can ask no more.
    pub(super) fn asked(&self) -> impl Future<Output = ()> + Send + 'static {
        let asked = hold(&self.asked).take();
        async move {
            if let Some(asked) = asked {
                let _ = asked.await;
            }
        }
    }

    /// Takes no more layers. Those that are not whole by now never will be: whoever reads them waits no longer.
    pub(super) fn close(self) {
        hold(&self.shelf.open).clear();
        // Whoever waits for a question waits no longer.
        drop(hold(&self.shelf.asked).take());
    }
}

async fn answer(State(shelf): State<Arc<Shelf>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let Some(rest) = path.strip_prefix("/v2/") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(rest) = rest.strip_prefix(&format!("{}/", shelf.repository)) else {
        let is_greeting = rest.is_empty();
        let status = [StatusCode::NOT_FOUND, StatusCode::OK][usize::from(is_greeting)];
        return status.into_response();
    };
    if let Some(asked) = hold(&shelf.asked).take() {
        let _ = asked.send(());
    }
    let upload = rest.strip_prefix("blobs/uploads/");
    let method = request.method().clone();
    match (method, upload) {
        (Method::POST, Some(_)) => accepted(&shelf, &Uuid::new_v4().simple().to_string(), 0),
        (Method::PATCH, Some(number)) => match shelf.take_in(number, request.into_body()).await {
            Ok(bytes) => accepted(&shelf, number, bytes),
            Err(error) => (StatusCode::INSUFFICIENT_STORAGE, error.to_string()).into_response(),
        },
        (Method::PUT, Some(number)) => shelf.finish(number, request.uri().query()),
        // A layer with a digest is known to some registry already: nothing to pack.
        (Method::HEAD, None) if rest.starts_with("blobs/") => StatusCode::OK.into_response(),
        (Method::HEAD | Method::GET, None) => StatusCode::NOT_FOUND.into_response(),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

fn accepted(shelf: &Shelf, number: &str, bytes: u64) -> Response {
    let place = format!("/v2/{}/blobs/uploads/{number}", shelf.repository);
    let range = format!("0-{}", bytes.saturating_sub(1));
    let upload = HeaderName::from_static("docker-upload-uuid");
    let headers = [
        (header::LOCATION, place),
        (header::RANGE, range),
        (upload, number.to_owned()),
    ];
    (StatusCode::ACCEPTED, headers).into_response()
}

impl Shelf {
    /// Writes what comes into a file without a name, and counts it.
    async fn take_in(&self, number: &str, body: Body) -> io::Result<u64> {
        let file = tempfile::tempfile()?;
        let mut writer = tokio::fs::File::from_std(file.try_clone()?);
        let (layer, tell) = PackedLayer::begin(file);
        // Nobody takes layers any more when the run has ended.
        let _ = self.layers.send(layer);
        let mut pieces = body.into_data_stream();
        let mut bytes = 0;
        while let Some(piece) = pieces.try_next().await.map_err(io::Error::other)? {
            writer.write_all(&piece).await?;
            writer.flush().await?;
            bytes += piece.len() as u64;
            tell.send_replace(Growth::Bytes(bytes));
        }
        hold(&self.open).insert(number.to_owned(), (bytes, tell));
        Ok(bytes)
    }

    /// Says that a layer is whole.
    fn finish(&self, number: &str, query: Option<&str>) -> Response {
        let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let digest = pairs.find(|(name, _)| name == "digest");
        let brought = hold(&self.open).remove(number);
        let (Some((_, digest)), Some((size_bytes, tell))) = (digest, brought) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let digest = digest.into_owned();
        let place = format!("/v2/{}/blobs/{digest}", self.repository);
        let headers = [(header::LOCATION, place), (DIGEST, digest.clone())];
        tell.send_replace(Growth::Whole(Blob { digest, size_bytes }));
        (StatusCode::CREATED, headers).into_response()
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
