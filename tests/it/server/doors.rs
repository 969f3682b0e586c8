//! What stands before the routes, over real sockets: TLS, how often, how much, how long.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use careen::{
    app::App,
    server::{Api, Listen, ServeError, Terms, serve},
};
use reqwest::{Certificate, Client, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::world::World;

/// How long a request may take here.
const TIMEOUT: Duration = Duration::from_millis(400);

/// A server that listens.
struct Listening {
    app: Arc<App>,
    address: SocketAddr,
    _world: World,
    _stop: DropGuard,
}

fn at_any_port() -> Listen {
    Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        rate: 0,
    }
}

async fn listening(listen: Listen) -> Result<Listening, ServeError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new().await;
    let app = Arc::new(world.app());
    let terms = Terms {
        timeout: TIMEOUT,
        ..Terms::default()
    };
    let mut api = Api::new(app.clone(), terms);
    api.stop = CancellationToken::new();
    let stop = api.stop.clone().drop_guard();
    let (tell, told) = tokio::sync::oneshot::channel();
    let ready = |address| {
        let _ = tell.send(address);
    };
    let mut serving = tokio::spawn(serve(api, listen, ready));
    let address = tokio::select! {
        Ok(address) = told => address,
        ended = &mut serving => return Err(ended.unwrap().unwrap_err()),
    };
    // What is wrong with a certificate is found out after the address is taken.
    if let Ok(ended) = timeout(Duration::from_millis(200), serving).await {
        return Err(ended.unwrap().unwrap_err());
    }
    Ok(Listening {
        app,
        address,
        _world: world,
        _stop: stop,
    })
}

/// A certificate for this machine and its key, as files.
fn certificate(folder: &std::path::Path) -> (PathBuf, PathBuf, Certificate) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    (chain, key, trusted)
}

#[tokio::test]
async fn with_a_certificate_only_tls_is_spoken_and_only_who_trusts_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key, trusted) = certificate(folder.path());
    let listen = Listen {
        tls: Some((chain.clone(), key)),
        ..at_any_port()
    };
    let server = listening(listen).await.unwrap();
    let url = format!("https://localhost:{}/healthz", server.address.port());
    let client = Client::builder().add_root_certificate(trusted);
    let answer = client.build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let stranger = Client::builder()
        .tls_certs_only(std::iter::empty::<Certificate>())
        .build()
        .unwrap();
    assert!(stranger.get(&url).send().await.is_err(), "nobody vouches");
    let plain = url.replace("https", "http");
    assert!(Client::new().get(plain).send().await.is_err());
    let keyless = Listen {
        tls: Some((chain.clone(), chain)),
        ..at_any_port()
    };
    let error = listening(keyless).await.err().expect("no key in there");
    assert!(error.to_string().contains("chain.pem"), "{error}");
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_when_to_come_again_but_may_still_deliver() {
    let server = listening(Listen {
        rate: 1,
        ..at_any_port()
    });
    let server = server.await.unwrap();
    let client = Client::new();
    let url = format!("http://{}/healthz", server.address);
    let mut refused = None;
    for _ in 0..600 {
        let answer = client.get(&url).send().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let refused = refused.expect("a limit");
    let wait = refused.headers()["retry-after"].to_str().unwrap();
    assert!(wait.parse::<u64>().unwrap() >= 1, "{wait}");
    let said: Value = refused.json().await.unwrap();
    assert_eq!(said["error"]["code"], "too_many_requests");
    // Deliveries come in bursts and are not sent again.
    let delivered = client.post(format!("http://{}/hooks", server.address));
    let delivered = delivered.body("{}").send().await.unwrap();
    assert_eq!(delivered.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = listening(at_any_port()).await.unwrap();
    let made = server
        .app
        .create_token("ci", careen::ports::Role::Runner, None);
    let (_, token) = made.await.unwrap();
    let url = format!("http://{}/api/v1/check", server.address);
    let check = |bytes: usize| {
        let body = json!({ "text": "x".repeat(bytes) }).to_string();
        let request = Client::new().post(&url).body(body);
        request
            .header("content-type", "application/json")
            .bearer_auth(token.expose_secret())
            .send()
    };
    let answer = check(1000).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = check(16 * 1024 * 1024 + 1).await;
    // A server may also close before all was sent.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn a_request_that_never_ends_is_answered_in_time() {
    let server = listening(at_any_port()).await.unwrap();
    let made = server
        .app
        .create_token("ci", careen::ports::Role::Runner, None);
    let (_, token) = made.await.unwrap();
    for (path, expected) in [("/api/v1/check", "408"), ("/hooks", "408")] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let token = token.expose_secret();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let began = Instant::now();
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        timeout(Duration::from_secs(5), read)
            .await
            .expect("an answer in time")
            .unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(answer, format!("HTTP/1.1 {expected}"), "{path}");
        assert!(began.elapsed() >= TIMEOUT, "{path}");
    }
}
