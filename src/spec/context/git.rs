//! Spellings of git repositories: docker's, and those of the hosts that write them in ways of their own.

use std::fmt;

use super::{ContextRef, Login, Misspelt, Written, strip_scheme, without_login};

/// A git repository, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRef {
    /// Its address, without a login.
    pub url: String,
    /// A branch, tag, commit or `pull/N/head`; `None` is the default branch.
    pub reference: Option<String>,
    /// The folder that is the context; `None` is the whole.
    pub directory: Option<String>,
}

/// Reads an address that docker or ACR takes for git; `None` when it is something else.
pub(super) fn read(text: &str) -> Result<Option<Written>, Misspelt> {
    let (address, fragment) = match text.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (text, None),
    };
    let Some((url, login)) = address_of(address)? else {
        return Ok(None);
    };
    let (reference, directory) = match fragment {
        Some(fragment) => parts_of(fragment)?,
        None => (None, None),
    };
    let context = ContextRef::Git(GitRef {
        url,
        reference,
        directory,
    });
    Ok(Some(Written {
        context,
        login,
        query: None,
    }))
}

fn address_of(address: &str) -> Result<Option<(String, Option<Login>)>, Misspelt> {
    if is_web(address) {
        return match names_repository(address) {
            true => without_login(address).map(Some),
            false => Ok(None),
        };
    }
    let schemes = ["git", "ssh", "file"];
    if schemes.iter().any(|it| strip_scheme(address, it).is_some()) {
        return with_scheme(address).map(Some);
    }
    if is_scp(address) {
        return Ok(Some((address.to_owned(), None)));
    }
    if address.starts_with("github.com/") {
        return Ok(Some((format!("https://{address}"), None)));
    }
    Ok(None)
}

fn is_web(address: &str) -> bool {
    strip_scheme(address, "http").is_some() || strip_scheme(address, "https").is_some()
}

/// Says whether a web address is that of a repository: it ends in `.git`, or is of a host that writes `/_git/`.
fn names_repository(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let is_azure = host == "dev.azure.com" || host.ends_with(".visualstudio.com");
    let has_query = url.query().is_some();
    !has_query && (url.path().ends_with(".git") || (is_azure && url.path().contains("/_git/")))
}

/// Checks `git://`, `ssh://` and `file://`. The user of ssh is no secret and stays, a password goes.
fn with_scheme(address: &str) -> Result<(String, Option<Login>), Misspelt> {
    let wrong = |reason: &str| {
        Misspelt::new(
            format!("the context is no address of a repository: {reason}"),
            "Write ssh://git@HOST/PATH",
        )
    };
    let mut url = url::Url::parse(address).map_err(|error| wrong(&error.to_string()))?;
    let looks_like_option = |text: &str| text.starts_with('-');
    if looks_like_option(url.host_str().unwrap_or_default()) || looks_like_option(url.username()) {
        return Err(wrong("it begins like an option"));
    }
    let password = url.password().map(str::to_owned);
    let login = password.map(|password| Login {
        username: url.username().to_owned(),
        password: password.into(),
    });
    if login.is_some() {
        url.set_password(None)
            .map_err(|()| wrong("it takes no password"))?;
    }
    Ok((url.into(), login))
}

/// Says whether a text is `USER@HOST:PATH`, as git and docker take it.
fn is_scp(text: &str) -> bool {
    let is_name = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let parts = text
        .split_once('@')
        .and_then(|(user, rest)| Some((user, rest.split_once(':')?)));
    parts.is_some_and(|(user, (host, path))| {
        is_name(user) && is_name(host) && !path.is_empty() && !path.starts_with('-')
    })
}

/// Splits `REF[:DIR]`.
fn parts_of(fragment: &str) -> Result<(Option<String>, Option<String>), Misspelt> {
    let (reference, directory) = fragment.split_once(':').unwrap_or((fragment, ""));
    if !reference.is_empty() {
        check_reference(reference)?;
    }
    let directory = directory.trim_start_matches('/').trim_end_matches('/');
    if directory.split('/').any(|part| part == "..") || directory.contains(is_unseen) {
        return Err(Misspelt::new(
            format!(
                "the folder {} leads out of the repository",
                directory.escape_debug()
            ),
            "Write #REF:FOLDER with a folder of the repository",
        ));
    }
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != ".");
    Ok((given(reference), given(directory)))
}

/// Refuses what is no name of a branch, tag or commit, and what only looks like another one.
fn check_reference(reference: &str) -> Result<(), Misspelt> {
    let is_option = reference.starts_with('-');
    let is_forbidden = |c: char| is_unseen(c) || c.is_whitespace() || "~^:?*[\\$`".contains(c);
    let is_broken = reference.contains("..")
        || reference.contains("@{")
        || reference.ends_with(".lock")
        || reference.contains(is_forbidden);
    if is_option || is_broken {
        return Err(Misspelt::new(
            format!(
                "{} is no name of a branch, tag or commit",
                reference.escape_debug()
            ),
            "Write #main, #v1.2, #pull/7/head or a commit",
        ));
    }
    Ok(())
}

/// Says whether a character has no look of its own: controls, and the marks that turn the direction of writing.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Display for GitRef {
    /// Writes `URL#REF:DIR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        if let Some(reference) = &self.reference {
            write!(f, "#{reference}")?;
        }
        match (&self.directory, &self.reference) {
            (Some(directory), Some(_)) => write!(f, ":{directory}"),
            (Some(directory), None) => write!(f, "#:{directory}"),
            (None, _) => Ok(()),
        }
    }
}
