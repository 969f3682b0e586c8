//! What names a context: a folder, standard input, a git repository, an archive or an artifact of another machine.

mod git;

use std::fmt;

use secrecy::SecretString;

pub use git::GitRef;

/// What a context is, told from its spelling alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextRef {
    /// `/dev/null`, in any case: no files.
    Nothing,
    /// A path, as it is written.
    Folder(String),
    /// `-`: an archive, or a Dockerfile, on standard input.
    Stdin,
    /// A git repository.
    Git(GitRef),
    /// The http or https address of an archive, without login and query.
    Archive(String),
    /// An artifact of a registry, without `oci://`.
    Artifact(String),
}

/// The user and password that an address carried; never part of what is recorded.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user; empty where the address had a token alone.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// A context with what its address gave away.
#[derive(Debug, Clone)]
pub struct Written {
    /// The context, free of secrets.
    pub context: ContextRef,
    /// The login that was written into its address.
    pub login: Option<Login>,
    /// The query of an archive's address, which may be a signature.
    pub query: Option<SecretString>,
}

/// Why a spelling names no context, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misspelt {
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: &'static str,
}

impl Misspelt {
    fn new(message: impl Into<String>, hint: &'static str) -> Misspelt {
        let message = message.into();
        Misspelt { message, hint }
    }
}

/// Reads a context as it is written on a command line or in a `build`.
pub fn read(text: &str) -> Result<Written, Misspelt> {
    let plain = |context| Written {
        context,
        login: None,
        query: None,
    };
    if text.eq_ignore_ascii_case("/dev/null") {
        return Ok(plain(ContextRef::Nothing));
    }
    if text == "-" {
        return Ok(plain(ContextRef::Stdin));
    }
    if text.starts_with('-') {
        return Err(Misspelt::new(
            format!("the context {text} looks like an option"),
            "Write ./ before a folder whose name begins with a dash",
        ));
    }
    if let Some(artifact) = strip_scheme(text, "oci") {
        return artifact_of(artifact).map(plain);
    }
    if let Some(git) = git::read(text)? {
        return Ok(git);
    }
    match strip_scheme(text, "http").or_else(|| strip_scheme(text, "https")) {
        Some(_) => archive(text),
        None => not_elsewhere(text).map(plain),
    }
}

/// Says whether a context is on another machine, or comes from standard input, as far as its spelling tells.
pub fn is_elsewhere(text: &str) -> bool {
    !matches!(
        read(text),
        Ok(Written {
            context: ContextRef::Folder(_) | ContextRef::Nothing,
            ..
        })
    )
}

/// Takes a scheme off, in whatever case it is written.
fn strip_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (found, rest) = text.split_once("://")?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn artifact_of(name: &str) -> Result<ContextRef, Misspelt> {
    match super::reference::Reference::parse(name) {
        Ok(_) => Ok(ContextRef::Artifact(name.to_owned())),
        Err(error) => Err(Misspelt::new(
            format!("oci://{name} names no artifact: {error}"),
            "Write oci://HOST/REPOSITORY:TAG or …@sha256:DIGEST",
        )),
    }
}

fn archive(text: &str) -> Result<Written, Misspelt> {
    let (address, login) = without_login(text)?;
    let address = address.split('#').next().unwrap_or_default();
    let (url, query) = match address.split_once('?') {
        Some((url, query)) => (url, Some(SecretString::from(query))),
        None => (address, None),
    };
    Ok(Written {
        context: ContextRef::Archive(url.to_owned()),
        login,
        query,
    })
}

/// Takes user and password out of an address.
fn without_login(text: &str) -> Result<(String, Option<Login>), Misspelt> {
    let mut url = url::Url::parse(text).map_err(|error| {
        // The address itself may hold a password.
        Misspelt::new(
            format!("the context is no address: {error}"),
            "Write https://HOST/PATH",
        )
    })?;
    if url.username().is_empty() && url.password().is_none() {
        return Ok((url.into(), None));
    }
    let decoded = |text: &str| {
        let decoded = percent_decoded(text);
        String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
    };
    // A user alone is a token, as code hosts write it.
    let login = match url.password() {
        Some(password) => Login {
            username: decoded(url.username()),
            password: decoded(password).into(),
        },
        None => Login {
            username: String::new(),
            password: decoded(url.username()).into(),
        },
    };
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| Misspelt::new("the context's address takes no login", ""))?;
    Ok((url.into(), Some(login)))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = text
            .get(index + 1..index + 3)
            .filter(|_| bytes[index] == b'%');
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                index += 3;
            }
            None => {
                decoded.push(bytes[index]);
                index += 1;
            }
        }
    }
    decoded
}

/// A path, unless it is the spelling of something that is not opened.
fn not_elsewhere(text: &str) -> Result<ContextRef, Misspelt> {
    let helper = text
        .split_once("::")
        .is_some_and(|(name, _)| !name.contains('/'));
    if helper {
        return Err(Misspelt::new(
            format!("{text} would have git start a program"),
            "Name the repository by https or ssh",
        ));
    }
    if text.contains("://") {
        return Err(Misspelt::new(
            format!("{text} is of no kind that is opened"),
            "Write https://…, ssh://…, git@HOST:PATH, oci://… or a folder",
        ));
    }
    Ok(ContextRef::Folder(text.to_owned()))
}

impl ContextRef {
    /// The host, with its port where one is written, that a login for this context is for.
    pub fn host(&self) -> Option<String> {
        let address = match self {
            ContextRef::Git(git) => &git.url,
            ContextRef::Archive(url) => url,
            _ => return None,
        };
        if let Ok(url) = url::Url::parse(address) {
            let port = url.port().map(|port| format!(":{port}"));
            return Some(format!("{}{}", url.host_str()?, port.unwrap_or_default()));
        }
        let (_, rest) = address.split_once('@')?;
        rest.split_once(':').map(|(host, _)| host.to_owned())
    }
}

impl fmt::Display for ContextRef {
    /// Writes the context as it would be typed, without a login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContextRef::Nothing => f.write_str("/dev/null"),
            ContextRef::Stdin => f.write_str("-"),
            ContextRef::Folder(text) | ContextRef::Archive(text) => f.write_str(text),
            ContextRef::Git(git) => git.fmt(f),
            ContextRef::Artifact(name) => write!(f, "oci://{name}"),
        }
    }
}
