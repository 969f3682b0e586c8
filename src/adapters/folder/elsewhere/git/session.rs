//! What all talk with git servers for one context shares: limits, the way to stop, errors in words.

use std::{
    cell::Cell,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use git2::{ErrorClass, ErrorCode, RemoteCallbacks, Repository, opts};

use super::credentials::Credentials;
use crate::{
    adapters::folder::{Caps, elsewhere::failure::Failing, git::hide_settings},
    ports::{Access, OpenError},
};

/// How long a server may take to answer a connection, in milliseconds.
const CONNECT_TIMEOUT: i32 = 15_000;
/// How long a server may be silent, in milliseconds.
const SILENCE: i32 = 60_000;
/// What to try when a server wants to know who asks.
const LOGIN_HINT: &str = "Put a token into the variable CAREEN_GIT_TOKEN, or name its source with --git-token-from; for ssh, add the key to the agent";

/// Talk with git servers for the sake of one context.
pub struct Session {
    /// The address that was typed; only its host is shown the login.
    pub root_url: String,
    /// By what right it is opened.
    pub access: Access,
    /// How much the files may come to.
    pub caps: Caps,
    /// How much may be fetched.
    pub fetch_bytes: u64,
    /// Set when nobody waits for the outcome any more.
    pub is_dropped: Arc<AtomicBool>,
    /// Makes errors.
    pub failing: Failing,
}

/// What made us break a transfer off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenOff {
    /// Nothing did.
    Not,
    /// It grew too large.
    TooLarge,
    /// Nobody waits any more.
    Dropped,
}

impl Session {
    /// Makes a repository for what is fetched. No settings of the user or the machine are read, and none of the
    /// server's wishes to be asked elsewhere are followed.
    pub fn scratch(&self, folder: &Path) -> Result<Repository, OpenError> {
        let made = || {
            hide_settings()?;
            set_timeouts()?;
            let unique = folder.join(uuid::Uuid::new_v4().to_string());
            let repository = Repository::init_bare(unique)?;
            repository
                .config()?
                .set_bool("http.followRedirects", false)?;
            Ok(repository)
        };
        made().map_err(|error: git2::Error| self.failing.machine(error.message()))
    }

    /// The callbacks of one connection; `why` tells afterwards what we broke off.
    pub fn callbacks<'a>(&'a self, url: &'a str, why: &'a Cell<BrokenOff>) -> RemoteCallbacks<'a> {
        let mut callbacks = RemoteCallbacks::new();
        let mut credentials = Credentials::new(self, url);
        callbacks.credentials(move |url, user, allowed| credentials.next(url, user, allowed));
        callbacks.transfer_progress(move |progress| {
            if progress.received_bytes() as u64 > self.fetch_bytes {
                why.set(BrokenOff::TooLarge);
            } else if self.is_dropped.load(Ordering::Relaxed) {
                why.set(BrokenOff::Dropped);
            }
            why.get() == BrokenOff::Not
        });
        callbacks.sideband_progress(|_| !self.is_dropped.load(Ordering::Relaxed));
        callbacks
    }

    /// Says what went wrong with a server.
    pub fn failed(&self, error: &git2::Error, why: BrokenOff) -> OpenError {
        let message = error.message();
        let failing = &self.failing;
        match why {
            BrokenOff::TooLarge => {
                return failing.refused(
                    format!("the repository has more than {} bytes", self.fetch_bytes),
                    "",
                );
            }
            BrokenOff::Dropped => return failing.machine("nobody waits for it any more"),
            BrokenOff::Not => {}
        }
        let has_login = self.access.login.is_some();
        match (error.code(), error.class()) {
            (ErrorCode::Auth, _) if has_login => {
                failing.denied(format!("the login is not accepted: {message}"), LOGIN_HINT)
            }
            (ErrorCode::Auth, _) => {
                failing.denied("the server wants to know who asks", LOGIN_HINT)
            }
            (ErrorCode::Certificate, _) => failing.denied(
                format!("the server's identity is not known: {message}"),
                "For ssh, add the host to ~/.ssh/known_hosts; for https, to the trusted certificates",
            ),
            (_, ErrorClass::Http) if message.contains("403") => {
                failing.denied(message, LOGIN_HINT)
            }
            (_, ErrorClass::Http) if message.contains("404") => failing.missing(
                "there is no such repository, or it is not shown to strangers",
                LOGIN_HINT,
            ),
            _ if message.contains("redirect") => failing.refused(
                message,
                "Name the address that it leads to, if you trust it",
            ),
            _ => failing.machine(message),
        }
    }
}

/// Sets the time-outs of all of git in this process, once: by default it waits for ever.
fn set_timeouts() -> Result<(), git2::Error> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        // SAFETY: both are plain global numbers; we are the only ones to set them, under this lock.
        unsafe {
            opts::set_server_connect_timeout_in_milliseconds(CONNECT_TIMEOUT)?;
            opts::set_server_timeout_in_milliseconds(SILENCE)?;
        }
        *done = true;
    }
    Ok(())
}
