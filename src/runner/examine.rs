//! What a credential may do in a repository, found out by asking for each right without using it.

use serde::Serialize;

use crate::ports::{Credential, Registry, RegistryError, Repository, Right, Upload};

/// The digest of nothing that anybody keeps: asking to delete it shows whether that is allowed.
const NOBODYS: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was asked: `reachable`, `tls`, `login`, `pull`, `push` or `delete`.
    pub question: &'static str,
    /// Whether it is so; `None` when that could not be found out.
    pub answer: Option<bool>,
    /// More, in words; may be empty.
    pub note: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// What a credential may do in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examination {
    /// The registry.
    pub registry: String,
    /// The repository; empty when only the registry was asked.
    pub repository: String,
    /// The credential, in words.
    pub credential: String,
    /// The answers, in the order of the questions.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Says whether something is known to be so.
    pub fn allows(&self, question: &str) -> bool {
        let mut found = self.findings.iter();
        found.any(|it| it.question == question && it.answer == Some(true))
    }
}

/// Asks a registry about a repository, or about itself where the path is empty.
pub async fn examine(
    registry: &dyn Registry,
    at: &Repository,
    credential: Option<&Credential>,
) -> Examination {
    let mut findings = Vec::new();
    if reach(registry, at, &mut findings).await && login(registry, at, &mut findings).await {
        let rights: &[Right] = match at.path.as_str() {
            "" => &[],
            _ => &[Right::Pull, Right::Push, Right::Delete],
        };
        for right in rights {
            let asked = ask(registry, at, *right).await;
            findings.push(finding(*right, asked, credential));
        }
    }
    Examination {
        registry: at.host.clone(),
        repository: at.path.clone(),
        credential: credential.map_or("none".to_owned(), Credential::title),
        findings,
    }
}

async fn reach(registry: &dyn Registry, at: &Repository, findings: &mut Vec<Finding>) -> bool {
    let (reachable, encrypted) = match registry.reach(&at.host).await {
        Ok(true) => (yes("reachable"), yes("tls")),
        Ok(false) => {
            let note = "plain http: what is sent can be read on the way".to_owned();
            let answer = Some(false);
            (
                yes("reachable"),
                Finding {
                    answer,
                    note,
                    ..yes("tls")
                },
            )
        }
        Err(error @ RegistryError::Tls { .. }) => (yes("reachable"), no("tls", &error)),
        Err(error) => {
            findings.push(no("reachable", &error));
            return false;
        }
    };
    let is_trusted = encrypted.hint.is_empty();
    findings.extend([reachable, encrypted]);
    is_trusted
}

async fn login(registry: &dyn Registry, at: &Repository, findings: &mut Vec<Finding>) -> bool {
    let found = match (registry.ping(at).await, &at.login) {
        (Ok(()), Some(_)) => yes("login"),
        (Ok(()), None) => Finding {
            note: "none is needed to come in".to_owned(),
            ..yes("login")
        },
        // Without a login some things may still be allowed.
        (Err(error @ RegistryError::NoLogin { .. }), None) => no("login", &error),
        (Err(error), _) => {
            findings.push(no("login", &error));
            return false;
        }
    };
    findings.push(found);
    true
}

/// Asks for a right without using it.
pub(super) async fn ask(
    registry: &dyn Registry,
    at: &Repository,
    right: Right,
) -> Result<(), RegistryError> {
    match right {
        Right::Pull => registry.tags(at).await.map(drop),
        Right::Push => {
            let begun = registry.begin_blob(at, NOBODYS, None).await?;
            if let Upload::Open(upload) = begun {
                // An upload that stays open is dropped by the registry after a while.
                let _ = registry.cancel_blob(at, &upload).await;
            }
            Ok(())
        }
        Right::Delete => registry.delete_manifest(at, NOBODYS).await,
    }
}

fn finding(
    right: Right,
    asked: Result<(), RegistryError>,
    credential: Option<&Credential>,
) -> Finding {
    let question = match right {
        Right::Pull => "pull",
        Right::Push => "push",
        Right::Delete => "delete",
    };
    let limited = credential.filter(|it| it.pull_only && right != Right::Pull);
    match asked {
        // Registries look whether someone may before they look whether something is there.
        Ok(()) | Err(RegistryError::NoSuchTag { .. }) => match limited {
            Some(credential) => Finding {
                answer: Some(false),
                note: format!(
                    "the registry would, but {} is for pulls only",
                    credential.title()
                ),
                ..yes(question)
            },
            None => yes(question),
        },
        Err(error @ RegistryError::NoSuchRepository { .. }) => Finding {
            note: error.to_string(),
            ..yes(question)
        },
        // That nobody may delete is nothing to be mended for a pull or push.
        Err(error @ RegistryError::Unsupported { .. }) => Finding {
            hint: String::new(),
            ..no(question, &error)
        },
        Err(error) if error.is_passing() => Finding {
            answer: None,
            ..no(question, &error)
        },
        Err(error) => no(question, &error),
    }
}

fn yes(question: &'static str) -> Finding {
    Finding {
        question,
        answer: Some(true),
        note: String::new(),
        hint: String::new(),
    }
}

fn no(question: &'static str, error: &RegistryError) -> Finding {
    Finding {
        question,
        answer: Some(false),
        note: error.to_string(),
        hint: error.hint(),
    }
}
