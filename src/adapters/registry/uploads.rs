//! Sends bytes for as long as it takes; a registry that takes none of them for long is given up.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{Body, RequestBuilder, Response};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use url::Url;

use super::refusals::unsent;
use crate::ports::{BlobStream, RegistryError};

/// How long a registry may take no byte, or think after the last one.
const STANDSTILL: Duration = Duration::from_secs(300);

/// Who is to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The registry has to take what is there, or to answer.
    Theirs,
    /// The next bytes are not there yet.
    Ours,
}

/// Sends a request with these bytes.
pub(super) async fn send(
    request: RequestBuilder,
    url: &Url,
    bytes: BlobStream,
) -> Result<Response, RegistryError> {
    let (tell, turn) = watch::channel(Turn::Theirs);
    let request = request.body(Body::wrap_stream(told_of(bytes, tell)));
    tokio::select! {
        sent = request.send() => sent.map_err(|error| unsent(url, &error)),
        () = standstill(turn) => Err(RegistryError::Unreachable {
            host: url.authority().to_owned(),
            reason: "it takes no more bytes".to_owned(),
        }),
    }
}

/// The same bytes; tells whose turn it is whenever some are asked for.
fn told_of(mut bytes: BlobStream, tell: watch::Sender<Turn>) -> BlobStream {
    stream::poll_fn(move |context| {
        let polled = bytes.poll_next_unpin(context);
        tell.send_replace(match polled.is_pending() {
            true => Turn::Ours,
            false => Turn::Theirs,
        });
        polled
    })
    .boxed()
}

/// Ends once it has been the registry's turn for too long.
async fn standstill(mut turn: watch::Receiver<Turn>) {
    loop {
        let is_ours = *turn.borrow_and_update() == Turn::Ours;
        let told = match is_ours {
            true => turn.changed().await,
            false => match timeout(STANDSTILL, turn.changed()).await {
                Ok(told) => told,
                Err(_) => return,
            },
        };
        // All bytes are taken: now it has to answer.
        if told.is_err() {
            return sleep(STANDSTILL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use tokio::time::Instant;

    use super::*;
    use crate::ports::whole;

    #[tokio::test(start_paused = true)]
    async fn a_registry_is_given_up_when_it_takes_nothing() {
        let begun = Instant::now();
        let (_tell, turn) = watch::channel(Turn::Theirs);
        standstill(turn).await;
        assert_eq!(begun.elapsed(), STANDSTILL);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_come_slowly_are_nobodys_fault() {
        let slow = stream::once(async {
            sleep(10 * STANDSTILL).await;
            Ok("late".into())
        });
        let (tell, turn) = watch::channel(Turn::Theirs);
        let bytes = told_of(slow.chain(whole("last")).boxed(), tell);
        let begun = Instant::now();
        let (read, ()) = tokio::join!(bytes.try_collect::<Vec<_>>(), standstill(turn));
        assert_eq!(read.expect("bytes").concat(), b"latelast");
        assert_eq!(begun.elapsed(), 11 * STANDSTILL);
    }
}
