//! Errors of one context, each with its kind and what to try.

use crate::{
    adapters::folder::UnpackError,
    ports::{DownloadError, OpenError, OpenFault, RegistryError},
};

/// What to write to have a private address asked.
pub const ALLOW_PRIVATE: &str = "Add --allow private-address if you trust that host";

/// Makes the errors of one context.
#[derive(Debug, Clone)]
pub struct Failing {
    context: String,
}

impl Failing {
    /// Makes errors about this context, named as typed and without a login.
    pub fn of(context: impl ToString) -> Failing {
        Failing {
            context: context.to_string(),
        }
    }

    /// Says whether the context comes on standard input.
    pub fn is_standard_input(&self) -> bool {
        self.context == "-"
    }

    /// It is hostile or not allowed.
    pub fn refused(&self, reason: impl ToString, hint: &str) -> OpenError {
        self.error(OpenFault::Refused, reason, hint)
    }

    /// It is not there.
    pub fn missing(&self, reason: impl ToString, hint: &str) -> OpenError {
        self.error(OpenFault::Missing, reason, hint)
    }

    /// Another login is needed.
    pub fn denied(&self, reason: impl ToString, hint: &str) -> OpenError {
        self.error(OpenFault::Denied, reason, hint)
    }

    /// It is not what it was.
    pub fn changed(&self, reason: impl ToString, hint: &str) -> OpenError {
        self.error(OpenFault::Changed, reason, hint)
    }

    /// Network, disk or the other machine failed.
    pub fn machine(&self, reason: impl ToString) -> OpenError {
        self.error(OpenFault::Machine, reason, "")
    }

    /// An archive could not be unpacked; a broken or hostile one is its sender's to mend.
    pub fn unpacking(&self, error: &UnpackError) -> OpenError {
        match error {
            UnpackError::Write { .. } => self.machine(error),
            _ => self.refused(error, ""),
        }
    }

    /// A download did not begin.
    pub fn downloading(&self, error: DownloadError) -> OpenError {
        match &error {
            DownloadError::Refused(reason) if reason.ends_with("not a public address") => {
                self.refused(reason, ALLOW_PRIVATE)
            }
            DownloadError::Refused(reason) => self.refused(reason, ""),
            DownloadError::Status(401 | 403) => self.denied(
                &error,
                "Check the address; a login goes into CAREEN_GIT_TOKEN",
            ),
            DownloadError::Status(404 | 410) => self.missing(&error, "Check the address"),
            DownloadError::Status(_) | DownloadError::Unreachable(_) | DownloadError::Unchanged => {
                self.machine(error)
            }
        }
    }

    /// A registry said no, or could not.
    pub fn registry(&self, error: &RegistryError) -> OpenError {
        use RegistryError as E;
        let fault = match error {
            E::NoSuchTag { .. } | E::NoSuchRepository { .. } | E::NoSuchBlob { .. } => {
                OpenFault::Missing
            }
            E::NoLogin { .. } | E::LoginRefused { .. } | E::Denied { .. } => OpenFault::Denied,
            E::Astray { .. } => OpenFault::Refused,
            _ => OpenFault::Machine,
        };
        self.error(fault, error, &error.hint())
    }

    fn error(&self, fault: OpenFault, reason: impl ToString, hint: &str) -> OpenError {
        OpenError {
            context: self.context.clone(),
            reason: reason.to_string(),
            hint: hint.to_owned(),
            fault,
        }
    }
}
