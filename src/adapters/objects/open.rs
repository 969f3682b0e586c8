//! Opens the store that an address names.

use std::{str::FromStr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreScheme, RetryConfig,
    aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, local::LocalFileSystem, path::Path as Key,
};
use url::Url;

/// How long a store may be silent in the middle of an answer, or take a part; no whole object has a bound of its own.
const SILENCE: Duration = Duration::from_secs(60);
/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(5);

/// A store that is open.
pub(super) struct Opened {
    pub store: Arc<dyn ObjectStore>,
    /// The same store, asked only twice when it does not answer.
    pub hasty: Arc<dyn ObjectStore>,
    prefix: Key,
}

impl Opened {
    /// Names an object as the store does.
    pub fn key(&self, key: &str) -> Key {
        let parts = key.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Names an object as we do.
    pub fn relative(&self, key: &Key) -> String {
        let parts = key.prefix_match(&self.prefix);
        let parts = parts.map(|it| it.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>());
        parts.unwrap_or_default().join("/")
    }
}

/// Opens the store at an address; nobody is asked yet.
pub(super) fn open(address: &str, options: &[(String, String)]) -> Result<Opened, Error> {
    if !address.contains("://") {
        return folder(address);
    }
    let url = Url::parse(address).map_err(|error| unfit(&error.to_string()))?;
    let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| unknown())?;
    let with = |retry| -> Result<Arc<dyn ObjectStore>, Error> {
        match scheme {
            ObjectStoreScheme::AmazonS3 => Ok(Arc::new(s3(address, options, retry)?)),
            ObjectStoreScheme::MicrosoftAzure => Ok(Arc::new(azure(address, options, retry)?)),
            ObjectStoreScheme::Local => Ok(Arc::new(LocalFileSystem::new())),
            _ => Err(unknown()),
        }
    };
    Ok(Opened {
        store: with(RetryConfig::default())?,
        hasty: with(once_more())?,
        prefix,
    })
}

fn folder(path: &str) -> Result<Opened, Error> {
    std::fs::create_dir_all(path).map_err(|error| unfit(&error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(path)?.with_automatic_cleanup(true);
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    Ok(Opened {
        hasty: store.clone(),
        store,
        prefix: Key::default(),
    })
}

fn s3(
    address: &str,
    options: &[(String, String)],
    retry: RetryConfig,
) -> Result<impl ObjectStore, Error> {
    let new = AmazonS3Builder::new()
        .with_url(address)
        .with_client_options(client())
        .with_retry(retry);
    known(options)
        .fold(new, |builder, (key, value)| builder.with_config(key, value))
        .build()
}

fn azure(
    address: &str,
    options: &[(String, String)],
    retry: RetryConfig,
) -> Result<impl ObjectStore, Error> {
    let new = MicrosoftAzureBuilder::new()
        .with_url(address)
        .with_client_options(client())
        .with_retry(retry);
    known(options)
        .fold(new, |builder, (key, value)| builder.with_config(key, value))
        .build()
}

/// The settings that this kind of store knows.
fn known<K: FromStr>(options: &[(String, String)]) -> impl Iterator<Item = (K, &String)> {
    options
        .iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
}

/// A large object may take as long as it needs, as long as it comes on.
fn client() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE)
}

fn once_more() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 1,
        retry_timeout: CONNECT,
    }
}

fn unknown() -> Error {
    unfit("objects are kept in a folder, at s3://BUCKET/PREFIX or at az://CONTAINER/PREFIX")
}

fn unfit(what: &str) -> Error {
    Error::Generic {
        store: "address",
        source: what.into(),
    }
}
