//! moto, which speaks S3, and azurite, which speaks Azure Blob: the one that `./dev` started, or one of a test's own.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use careen::adapters::objects::ObjectFolder;
use tokio::net::TcpStream;

use super::buckets::{self, Key};

/// How long an emulator may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    S3,
    Azure,
}

/// Both kinds.
pub const KINDS: [Kind; 2] = [Kind::S3, Kind::Azure];

/// A bucket, or container, that only one test uses.
pub struct Store {
    pub kind: Kind,
    /// `http://HOST:PORT`, as the store is reached.
    pub url: String,
    pub bucket: String,
    pub key: Key,
    process: Option<Child>,
    /// Whether it looks at signatures.
    is_strict: bool,
}

impl Store {
    /// Makes a bucket at the store that `./dev setup stores` started; `None`, said aloud, when there is none.
    pub async fn shared(kind: Kind) -> Option<Store> {
        let url = variable(match kind {
            Kind::S3 => "CAREEN_TEST_S3",
            Kind::Azure => "CAREEN_TEST_AZURE",
        })?;
        let store = Store {
            kind,
            url,
            bucket: format!("careen-{}", uuid::Uuid::new_v4().simple()),
            key: Key::usual(kind),
            process: None,
            is_strict: false,
        };
        store.make_bucket().await;
        Some(store)
    }

    /// Starts a store of the test's own, with a bucket in it, that takes its own key alone.
    pub async fn strict(kind: Kind) -> Option<Store> {
        Self::own(kind, true).await
    }

    /// Starts a store of the test's own, with a bucket in it, whose key is the same whenever it is started.
    pub async fn restartable(kind: Kind) -> Option<Store> {
        Self::own(kind, false).await
    }

    async fn own(kind: Kind, is_strict: bool) -> Option<Store> {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = port.local_addr().expect("an address");
        drop(port);
        let mut store = Store {
            kind,
            url: format!("http://{address}"),
            bucket: "careen".to_owned(),
            key: Key::usual(kind),
            process: None,
            is_strict,
        };
        program(kind)?;
        store.start().await;
        Some(store)
    }

    /// Starts it, with what is kept nowhere else: its user and its bucket.
    pub async fn start(&mut self) {
        let port = self.url.rsplit_once(':').expect("a port").1;
        let mut command = Command::new(program(self.kind).expect("it was there"));
        let quiet = command
            .arg(port)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if self.is_strict {
            // moto asks for signatures after so many requests; Azure always does.
            quiet.env("INITIAL_NO_AUTH_ACTION_COUNT", buckets::OPEN_REQUESTS);
        }
        self.process = Some(quiet.spawn().expect("it starts"));
        let begun = Instant::now();
        let host = self.host().to_owned();
        while TcpStream::connect(&host).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "{:?} does not start", self.kind);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if self.is_strict && self.kind == Kind::S3 {
            self.key = buckets::make_user(&self.url).await;
        }
        self.make_bucket().await;
    }

    /// Kills it, with all that it keeps.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("gone");
        }
    }

    async fn make_bucket(&self) {
        match self.kind {
            Kind::S3 => buckets::make_bucket(&self.url, &self.bucket).await,
            Kind::Azure => buckets::make_container(&self.url, &self.bucket, &self.key).await,
        }
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What `CAREEN_OBJECTS` says.
    pub fn address(&self) -> String {
        // A moto that looks at signatures does not know that a plus is a space.
        let prefix = if self.is_strict {
            "of/a/test"
        } else {
            "of a test"
        };
        match self.kind {
            Kind::S3 => format!("s3://{}/{prefix}", self.bucket),
            Kind::Azure => format!("az://{}/{prefix}", self.bucket),
        }
    }

    /// The settings that are no secrets.
    pub fn settings(&self) -> Vec<(String, String)> {
        self.settings_at(&self.url)
    }

    /// The settings that are no secrets, for a store behind another address.
    pub fn settings_at(&self, url: &str) -> Vec<(String, String)> {
        let settings = match self.kind {
            Kind::S3 => vec![
                ("AWS_ENDPOINT", url.to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
            ],
            Kind::Azure => vec![
                ("AZURE_STORAGE_ENDPOINT", format!("{url}/{}", self.key.id)),
                ("AZURE_STORAGE_ACCOUNT_NAME", self.key.id.clone()),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
            ],
        };
        let settings = settings.into_iter();
        settings
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// The settings that are secrets.
    pub fn secrets(&self) -> Vec<(String, String)> {
        let secrets = match self.kind {
            Kind::S3 => vec![
                ("AWS_ACCESS_KEY_ID", &self.key.id),
                ("AWS_SECRET_ACCESS_KEY", &self.key.secret),
            ],
            Kind::Azure => vec![("AZURE_STORAGE_ACCOUNT_KEY", &self.key.secret)],
        };
        let secrets = secrets.into_iter();
        secrets
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// Opens it as careen does.
    pub fn objects(&self) -> ObjectFolder {
        self.objects_at(&self.address(), &self.url)
    }

    /// Opens another address of it, or the same behind another host.
    pub fn objects_at(&self, address: &str, url: &str) -> ObjectFolder {
        ObjectFolder::at(address, [self.settings_at(url), self.secrets()].concat())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The program that starts a store at a port.
fn program(kind: Kind) -> Option<String> {
    variable(match kind {
        Kind::S3 => "CAREEN_TEST_MOTO",
        Kind::Azure => "CAREEN_TEST_AZURITE",
    })
}

/// What `./dev` tells; without it the test is skipped, said aloud, unless it must run.
fn variable(name: &str) -> Option<String> {
    // Whoever asks for it goes on to speak HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let value = std::env::var(name).ok();
    if value.is_none() {
        let is_required = std::env::var("CAREEN_TEST_STORES").is_ok_and(|it| it == "required");
        assert!(
            !is_required,
            "CAREEN_TEST_STORES=required, and {name} is not set"
        );
        println!("skipped: {name} is not set; ./dev setup stores says it");
    }
    value
}
