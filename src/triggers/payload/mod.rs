//! What the bodies of deliveries say, code host by code host.

mod azure;
mod bitbucket;
mod generic;
mod gitea;
mod github;
mod gitlab;
mod reading;

use serde_json::Value;

use super::{Happening, Provider, SourceFact};

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON, or nested too deep.
    #[error("its body is not JSON: {0}")]
    NoJson(String),
    /// A field that is needed is not there, or is not what it should be.
    #[error("its body says nothing fit at {0}")]
    Field(&'static str),
}

/// Reads what a delivery says happened, at least one thing. `event` is its event by the headers.
pub fn read(provider: Provider, event: &str, body: &[u8]) -> Result<Vec<SourceFact>, Unreadable> {
    // GitHub may send a form in place of JSON; its one field is the same JSON.
    let form = body.strip_prefix(b"payload=").map(form_field);
    let body = form.as_deref().unwrap_or(body);
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Unreadable::NoJson(error.to_string()))?;
    let one = |fact| vec![fact];
    match provider {
        Provider::Github => github::read(event, &value).map(one),
        Provider::Gitea => gitea::read(event, &value).map(one),
        Provider::Gitlab => gitlab::read(event, &value).map(one),
        Provider::Bitbucket => bitbucket::read(event, &value),
        Provider::AzureDevops => azure::read(&value),
        Provider::Generic => generic::read(event, &value).map(one),
    }
}

/// Facts of one repository.
fn facts(addresses: &[String], happenings: Vec<Happening>) -> Vec<SourceFact> {
    let fact = |happening| SourceFact {
        addresses: addresses.to_vec(),
        happening,
    };
    happenings.into_iter().map(fact).collect()
}

fn form_field(encoded: &[u8]) -> Vec<u8> {
    let mut fields = url::form_urlencoded::parse(encoded);
    let first = fields.next().map(|(name, _)| name.into_owned());
    first.unwrap_or_default().into_bytes()
}

/// A fact that starts nothing.
fn other(addresses: Vec<String>, event: &str) -> SourceFact {
    SourceFact {
        addresses,
        happening: Happening::Other(event.to_owned()),
    }
}
