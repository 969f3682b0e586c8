//! Makes buckets, containers and users in emulators, which careen itself never does.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Response};
use sha2::Sha256;

use super::emulators::Kind;

/// The requests that a moto answers before it asks for signatures: those of `make_user` and `make_bucket`.
pub const OPEN_REQUESTS: &str = "4";
/// Which version of Azure's protocol is spoken here.
const VERSION: &str = "2021-08-06";
/// The account that every azurite has, and its key, as Microsoft publishes both.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// Says for which of Amazon's services a request is; nobody looks at the signature yet.
const FOR_USERS: &str = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=a";
const ALL_OF_S3: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// Who asks.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

impl Key {
    /// A key that the emulator takes as it was started by `./dev`.
    pub fn usual(kind: Kind) -> Key {
        let (id, secret) = match kind {
            Kind::S3 => ("any", "any"),
            Kind::Azure => (ACCOUNT, ACCOUNT_KEY),
        };
        Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
        }
    }
}

/// Makes a user who may do everything in S3, with a key.
pub async fn make_user(url: &str) -> Key {
    for (action, more) in [("CreateUser", None), ("PutUserPolicy", Some(ALL_OF_S3))] {
        ask_for_users(url, action, more).await;
    }
    let made = ask_for_users(url, "CreateAccessKey", None).await;
    let text = made.text().await.expect("an answer");
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>")).expect("a key");
        rest.split_once('<').expect("its end").0.to_owned()
    };
    Key {
        id: part("AccessKeyId"),
        secret: part("SecretAccessKey"),
    }
}

async fn ask_for_users(url: &str, action: &str, policy: Option<&str>) -> Response {
    let mut form = vec![
        ("Action", action),
        ("UserName", "careen"),
        ("Version", "2010-05-08"),
    ];
    if let Some(policy) = policy {
        form.extend([("PolicyName", "all"), ("PolicyDocument", policy)]);
    }
    let pairs = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = Client::new().post(url).header("Authorization", FOR_USERS);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    well(request.body(pairs).send().await)
}

/// Makes a bucket where nobody asks for a signature.
pub async fn make_bucket(url: &str, bucket: &str) {
    well(Client::new().put(format!("{url}/{bucket}")).send().await);
}

/// Makes a container of Azure's.
pub async fn make_container(url: &str, container: &str, key: &Key) {
    let account = &key.id;
    let date = chrono::Utc::now()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let resource = format!("/{account}/{account}/{container}\nrestype:container");
    let blank = "\n".repeat(12);
    let signed = format!("PUT{blank}x-ms-date:{date}\nx-ms-version:{VERSION}\n{resource}");
    let secret = BASE64_STANDARD.decode(&key.secret).expect("a key");
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
    mac.update(signed.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let request = Client::new()
        .put(format!("{url}/{account}/{container}?restype=container"))
        .header("Authorization", format!("SharedKey {account}:{signature}"))
        .header("x-ms-date", date)
        .header("x-ms-version", VERSION)
        .header("Content-Length", "0");
    well(request.send().await);
}

#[track_caller]
fn well(answer: reqwest::Result<Response>) -> Response {
    let answer = answer.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
    answer
}
