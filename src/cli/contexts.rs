//! The context that a command names: a folder of this machine, or what is got from elsewhere.

use std::{
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use futures_util::StreamExt;
use secrecy::SecretString;
use tokio_util::io::ReaderStream;

use super::{CliError, Context, request::RunOptions};
use crate::{
    app::{App, AppError, ContextSecrets, find_inside},
    ports::{Access, Opened},
    spec::{
        Grant,
        context::{self, ContextRef, Login, Written},
    },
};

/// Where a token for git comes from when no option says so.
const TOKEN: &str = "CAREEN_GIT_TOKEN";
/// The same, as the name of a file.
const TOKEN_FILE: &str = "CAREEN_GIT_TOKEN_FILE";

/// A context, ready to be read.
#[derive(Default)]
pub struct Source {
    /// The folder of this machine, if it is one.
    pub folder: Option<PathBuf>,
    /// What was got from elsewhere.
    pub opened: Option<Opened>,
    /// What opened it; sealed with the run, so that it can be opened again.
    pub secrets: ContextSecrets,
}

impl Source {
    /// Finds a file of the context; one of this machine may lie outside of its folder.
    pub fn find(&self, name: &Path) -> Result<Option<PathBuf>, AppError> {
        if let Some(opened) = &self.opened {
            return find_inside(&opened.folder, &opened.directory, name);
        }
        let path = self.folder.as_ref().map(|folder| folder.join(name));
        Ok(path.filter(|path| path.is_file()))
    }
}

/// Opens the context that a word names.
pub async fn open(
    context: &Context,
    app: &App,
    (word, options): (&str, &RunOptions),
) -> Result<Source, CliError> {
    let Written {
        context: named,
        login,
        query,
    } = context::read(word).map_err(|error| CliError::usage(error.to_string(), error.hint))?;
    let secrets = ContextSecrets {
        login: login_of(&named, login, options)?,
        query,
    };
    if matches!(named, ContextRef::Nothing) {
        return Ok(Source {
            secrets,
            ..Source::default()
        });
    }
    if let ContextRef::Folder(path) = &named {
        return Ok(Source {
            folder: Some(local_folder(path)?),
            secrets,
            ..Source::default()
        });
    }
    if !context.globals.quiet {
        anstream::eprintln!("getting the context {named}");
    }
    let opened = got(app, &named, access(context, &secrets, options)?).await?;
    for remark in &opened.remarks {
        anstream::eprintln!("{}", remark.replace(char::is_control, " "));
    }
    Ok(Source {
        opened: Some(opened),
        secrets,
        ..Source::default()
    })
}

/// Gets what a context from elsewhere is now; Ctrl-C ends that and leaves nothing.
async fn got(app: &App, named: &ContextRef, access: Access) -> Result<Opened, CliError> {
    let opened = async {
        match named {
            ContextRef::Stdin => {
                let input = std::io::stdin().as_fd().try_clone_to_owned();
                let input = input.map_err(|error| AppError::Files(error.to_string()))?;
                let input = tokio::fs::File::from_std(input.into());
                app.receive_context(ReaderStream::new(input).boxed()).await
            }
            _ => app.get_context(named, &access).await,
        }
    };
    tokio::select! {
        opened = opened => Ok(opened?),
        _ = tokio::signal::ctrl_c() => Err(CliError::Canceled),
    }
}

fn access(
    context: &Context,
    secrets: &ContextSecrets,
    options: &RunOptions,
) -> Result<Access, CliError> {
    let allowed = options.allowed()?;
    let is_granted = |wanted: Grant| {
        let mut granted = allowed.iter().filter_map(|word| Grant::parse(word));
        granted.any(|grant| grant == wanted)
    };
    let (host, login) = secrets.login.clone().unzip();
    Ok(Access {
        login,
        login_host: host,
        query: secrets.query.clone(),
        registries: context.logins()?,
        allow_private: is_granted(Grant::PrivateAddress),
        allow_local: is_granted(Grant::LocalRepository),
    })
}

/// The login for a context's host: from its address, or for git the token. Where the context itself is no repository,
/// the token is for the repositories of builds on the host that `--git-token-from` names.
fn login_of(
    named: &ContextRef,
    written: Option<Login>,
    options: &RunOptions,
) -> Result<Option<(String, Login)>, CliError> {
    let host = named.host();
    if let (Some(host), Some(login)) = (&host, written) {
        return Ok(Some((host.clone(), login)));
    }
    let (token_host, token) = token(options)?;
    let is_git = matches!(named, ContextRef::Git(_));
    let host = token_host.or(host.filter(|_| is_git));
    let login = token.map(|password| Login {
        username: String::new(),
        password,
    });
    Ok(host.zip(login))
}

/// Finds the token for git, with the host it is for where that is said.
fn token(options: &RunOptions) -> Result<(Option<String>, Option<SecretString>), CliError> {
    if let Some(word) = &options.git_token_from {
        let (host, source) = match word.split_once('=') {
            Some((host, source)) => (Some(host.to_owned()), source),
            None => (None, word.as_str()),
        };
        return Ok((host, Some(super::request::secret_of("git", source)?)));
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
    let source = match (variable(TOKEN), variable(TOKEN_FILE)) {
        (Some(_), _) => format!("env:{TOKEN}"),
        (None, Some(path)) => format!("file:{path}"),
        (None, None) => return Ok((None, None)),
    };
    Ok((None, Some(super::request::secret_of("git", &source)?)))
}

/// Finds the folder of this machine that a context names; `None` for /dev/null.
pub fn context_folder(word: &str) -> Result<Option<PathBuf>, CliError> {
    match word.eq_ignore_ascii_case("/dev/null") {
        true => Ok(None),
        false => local_folder(word).map(Some),
    }
}

/// Finds a folder of this machine.
fn local_folder(word: &str) -> Result<PathBuf, CliError> {
    let folder = std::fs::canonicalize(word).map_err(|error| {
        CliError::usage(
            format!("the context {word} cannot be used: {error}"),
            "Name a folder, a repository (https://HOST/NAME.git#BRANCH), an archive's address, or /dev/null for none",
        )
    })?;
    if !folder.is_dir() {
        return Err(CliError::usage(
            format!("the context {word} is a file"),
            "Name the folder that holds it; -f names the file",
        ));
    }
    Ok(folder)
}
