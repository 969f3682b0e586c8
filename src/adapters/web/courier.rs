//! Posts messages over https, or http where the address says so, to no private network unless that is allowed.

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, redirect::Policy};
use url::Url;

use super::{
    Web,
    permitted::{Barred, permitted},
};
use crate::ports::{Courier, CourierError, Parcel};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl Courier for Web {
    async fn carry(&self, parcel: &Parcel) -> Result<(), CourierError> {
        // The address may hold a secret: it is in no message.
        let url = Url::parse(&parcel.url);
        let url = url.map_err(|error| CourierError::Refused(error.to_string()))?;
        let addresses = permitted(&url, parcel.allow_private).await;
        let status = post(&url, &addresses.map_err(barred)?, parcel)
            .await?
            .status();
        let answer = format!("the receiver answered {status}");
        match status.as_u16() {
            200..=299 => Ok(()),
            408 | 425 | 429 | 500..=599 => Err(CourierError::TryAgain(answer)),
            _ => Err(CourierError::Refused(answer)),
        }
    }
}

async fn post(
    url: &Url,
    addresses: &[SocketAddr],
    parcel: &Parcel,
) -> Result<Response, CourierError> {
    let mut client = Client::builder()
        .redirect(Policy::none())
        .timeout(TIMEOUT)
        .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses);
    if !parcel.allow_private {
        // A proxy would look the name up again, and reach what it likes.
        client = client.no_proxy();
    }
    let client = client.build();
    let client = client.map_err(|error| CourierError::Refused(error.to_string()))?;
    let mut request = client
        .post(url.clone())
        .header("content-type", "application/json")
        .header("user-agent", concat!("careen/", env!("CARGO_PKG_VERSION")))
        .body(parcel.body.clone());
    for (name, value) in &parcel.headers {
        request = request.header(name, value);
    }
    let sent = request.send().await;
    sent.map_err(|error| CourierError::TryAgain(error.without_url().to_string()))
}

fn barred(why: Barred) -> CourierError {
    match why {
        Barred::Unknown(_) => CourierError::TryAgain(why.to_string()),
        Barred::NoHost => CourierError::Refused(why.to_string()),
        Barred::Private(..) => CourierError::Refused(format!(
            "{why}; careen server --notify-private lets it go there"
        )),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{Courier, CourierError, Parcel, Web};

    fn parcel(url: String, allow_private: bool) -> Parcel {
        Parcel {
            url,
            headers: Vec::new(),
            body: "{}".to_owned(),
            allow_private,
        }
    }

    #[tokio::test]
    async fn a_private_network_is_told_nothing_unless_that_is_allowed() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{port}/?token=secret");
            let error = Web.carry(&parcel(url, false)).await.unwrap_err();
            let CourierError::Refused(why) = &error else {
                panic!("{host}: {error:?}");
            };
            assert!(why.contains("not a public address"), "{host}: {why}");
            assert!(!why.contains("secret"), "{host}: {why}");
        }
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut told = [0; 4096];
            let length = stream.read(&mut told).await.unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&told[..length]).into_owned()
        });
        let url = format!("http://127.0.0.1:{port}/allowed");
        assert_eq!(Web.carry(&parcel(url, true)).await, Ok(()));
        // The first that came at all is the one that was allowed.
        assert!(receiver.await.unwrap().starts_with("POST /allowed "));
    }
}
