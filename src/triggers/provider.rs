//! Which code host a delivery comes from, by its headers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of code host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// GitHub, also of a company's own.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket, in the cloud.
    Bitbucket,
    /// Azure DevOps.
    AzureDevops,
    /// Anything that signs careen's own plain form.
    Generic,
}

/// The headers of a delivery that are kept with it; tokens and credentials are headers, too, so all others are not.
pub const KEPT_HEADERS: &[&str] = &[
    "content-type",
    "user-agent",
    "x-github-event",
    "x-github-delivery",
    "x-github-hook-id",
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-webhook-uuid",
    "idempotency-key",
    "x-gitea-event",
    "x-gitea-delivery",
    "x-forgejo-event",
    "x-forgejo-delivery",
    "x-event-key",
    "x-hook-uuid",
    "x-request-uuid",
    "x-attempt-number",
    "x-careen-event",
    "x-careen-delivery",
];

const ALL: [Provider; 6] = [
    Provider::Github,
    Provider::Gitlab,
    Provider::Gitea,
    Provider::Bitbucket,
    Provider::AzureDevops,
    Provider::Generic,
];

impl Provider {
    /// The word used in the database, the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Github => "github",
            Provider::Gitlab => "gitlab",
            Provider::Gitea => "gitea",
            Provider::Bitbucket => "bitbucket",
            Provider::AzureDevops => "azure-devops",
            Provider::Generic => "generic",
        }
    }

    /// Tells the code host from a delivery's headers. Gitea also sends the headers of GitHub, so it is asked first;
    /// Azure DevOps has no header of its own.
    pub fn of_headers(header: impl Fn(&str) -> Option<String>) -> Provider {
        let has = |name: &str| header(name).is_some();
        match () {
            () if has("x-careen-event") => Provider::Generic,
            () if has("x-gitea-event") || has("x-forgejo-event") => Provider::Gitea,
            () if has("x-github-event") => Provider::Github,
            () if has("x-gitlab-event") => Provider::Gitlab,
            () if has("x-event-key") => Provider::Bitbucket,
            () => Provider::AzureDevops,
        }
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = ALL.map(Provider::as_str);
        let found = ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is none of: {}", words.join(", ")))
    }
}

/// What happened, in the code host's word; empty when its headers do not tell.
pub fn event_name(provider: Provider, header: impl Fn(&str) -> Option<String>) -> String {
    let names: &[&str] = match provider {
        Provider::Github => &["x-github-event"],
        Provider::Gitlab => &["x-gitlab-event"],
        Provider::Gitea => &["x-forgejo-event", "x-gitea-event"],
        Provider::Bitbucket => &["x-event-key"],
        Provider::AzureDevops => &[],
        Provider::Generic => &["x-careen-event"],
    };
    names
        .iter()
        .find_map(|name| header(name))
        .unwrap_or_default()
}

/// The sender's own id of a delivery, the same when it is sent again.
pub fn delivery_id(provider: Provider, header: impl Fn(&str) -> Option<String>) -> Option<String> {
    let names: &[&str] = match provider {
        Provider::Github => &["x-github-delivery"],
        Provider::Gitlab => &["idempotency-key", "x-gitlab-event-uuid"],
        Provider::Gitea => &["x-forgejo-delivery", "x-gitea-delivery"],
        Provider::Bitbucket => &["x-request-uuid"],
        Provider::AzureDevops => &[],
        Provider::Generic => &["x-careen-delivery"],
    };
    let id = names.iter().find_map(|name| header(name))?;
    (!id.is_empty() && id.len() <= 200).then_some(id)
}
