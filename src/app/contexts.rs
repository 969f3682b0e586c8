//! Where a run's files come from: opened before it is queued, recorded with it, and the same again for a rerun.

use std::path::{Path, PathBuf};

use super::{App, AppError, ContextDigest, Request, Secrets};
use crate::{
    plan::Plan,
    ports::{Access, Opened, Pin, RegistryLogin, TarStream},
    runner::{local_builds, recorded_pins},
    spec::{Grant, context::ContextRef},
};

/// What is said of a rerun whose first run kept no files.
const NOT_KEPT: &str = "the files of the first run were not kept, for they were too many; the folder is used as it is now";

impl App {
    /// Opens a context of another machine as it is now.
    pub async fn get_context(
        &self,
        context: &ContextRef,
        access: &Access,
    ) -> Result<Opened, AppError> {
        Ok(self.ports.contexts.open(context, access).await?)
    }

    /// Opens the context that comes on standard input.
    pub async fn receive_context(&self, input: TarStream) -> Result<Opened, AppError> {
        Ok(self.ports.contexts.receive(input).await?)
    }

    /// Opens what a request recorded, or keeps the folder that it names, so that a rerun finds the same.
    pub(super) async fn settle_context(
        &self,
        request: &mut Request,
        (plan, secrets): (&Plan, &Secrets),
        is_rerun: bool,
    ) -> Result<(Option<Opened>, Vec<String>), AppError> {
        if let Some(Pin::Upload { digest }) = &request.pin {
            let digest = ContextDigest::parse(digest)?;
            request.opened = Some(self.open_context(&digest).await?);
            return Ok((None, Vec::new()));
        }
        let contexts = &self.ports.contexts;
        if let Some(pin) = request
            .pin
            .clone()
            .filter(|_| is_rerun || request.context.is_none())
        {
            let opened = contexts
                .reopen(&pin, &access(request, secrets, &[]))
                .await?;
            request.opened = Some(opened.folder.clone());
            return Ok((Some(opened), Vec::new()));
        }
        let Some(folder) = request.context.clone() else {
            return Ok((None, Vec::new()));
        };
        if is_rerun || request.pin.is_some() {
            let remarks = is_rerun.then(|| NOT_KEPT.to_owned());
            return Ok((None, remarks.into_iter().collect()));
        }
        let kept = contexts.keep(&folder, &local_builds(plan)).await;
        // A full disk is no reason not to run; the rerun will say that nothing is kept.
        request.pin = kept.unwrap_or_else(|error| {
            tracing::warn!("the files are not kept for a rerun: {error}");
            None
        });
        Ok((None, Vec::new()))
    }

    /// Puts into a request what the contexts of its builds stood for in an earlier run.
    pub(super) async fn pin_builds(
        &self,
        request: &mut Request,
        run: &str,
    ) -> Result<(), AppError> {
        for step in self.ports.store.steps(run).await? {
            request.pins.extend(recorded_pins(&step.images));
        }
        Ok(())
    }
}

/// By what right the contexts of a request are opened.
pub fn access(request: &Request, secrets: &Secrets, registries: &[RegistryLogin]) -> Access {
    let login = secrets.context.login.as_ref();
    let is_granted = |wanted: Grant| request.grants().any(|grant| grant == wanted);
    Access {
        login: login.map(|(_, login)| login.clone()),
        login_host: login.map(|(host, _)| host.clone()),
        query: secrets.context.query.clone(),
        registries: registries.to_vec(),
        allow_private: is_granted(Grant::PrivateAddress),
        allow_local: is_granted(Grant::LocalRepository),
    }
}

/// What to call a context in lists: the last word of its address.
pub(super) fn short_name(pin: &Pin) -> Option<String> {
    let address = match pin {
        Pin::Commit { url, .. } => url,
        Pin::Archive { url, .. } => url.as_ref()?,
        Pin::Artifact { name, .. } => name,
        Pin::Upload { .. } | Pin::Folder { .. } => return None,
    };
    let last = address.trim_end_matches('/').rsplit(['/', ':']).next()?;
    Some(last.trim_end_matches(".git").to_owned())
}

/// Finds a file of a folder whose files others wrote: `None` if there is none, an error if a link or `..` leads out.
pub fn find_inside(root: &Path, below: &str, name: &Path) -> Result<Option<PathBuf>, AppError> {
    let path = root.join(below).join(name);
    let (Ok(path), Ok(root)) = (path.canonicalize(), root.canonicalize()) else {
        return Ok(None);
    };
    match path.starts_with(&root) {
        true => Ok(path.is_file().then_some(path)),
        false => Err(AppError::usage(
            format!("{} leads out of the context", name.display()),
            "",
        )),
    }
}
