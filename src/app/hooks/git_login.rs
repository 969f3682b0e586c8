//! The login of a connection, lent to a repository on the connection's own server.

use crate::{
    app::{App, AppError},
    spec::context::{self, Login},
    tasks::Definition,
};

impl App {
    /// The login for a task's context, where one of its source triggers names a connection for the context's host.
    pub(in crate::app) async fn context_login(
        &self,
        task: &Definition,
    ) -> Result<Option<(String, Login)>, AppError> {
        let written = task.context.as_deref().map(context::read);
        let Some(host) = written.and_then(|it| it.ok()?.context.host()) else {
            return Ok(None);
        };
        let triggers = task.triggers.source.iter();
        for name in triggers.filter_map(|it| it.connection.as_deref()) {
            let server = self.connection(name).await?.server;
            if server.eq_ignore_ascii_case(&host) {
                let login = self.git_login(name, &host).await?;
                return Ok(Some((host, login)));
            }
        }
        Ok(None)
    }

    /// Opens the login of a connection for a repository on this host.
    pub(super) async fn git_login(&self, connection: &str, host: &str) -> Result<Login, AppError> {
        let found = self.connection(connection).await?;
        if !found.server.eq_ignore_ascii_case(host) {
            return Err(AppError::usage(
                format!(
                    "connection {connection} is for {}, the repository is on {host}",
                    found.server
                ),
                format!("careen connection add NAME --server {host} makes one for it"),
            ));
        }
        let credential = self.credential(found).await?.ok_or_else(|| {
            AppError::usage(
                format!("connection {connection} stands for a login that is not there"),
                format!("careen connection update {connection} --password-stdin gives it one"),
            )
        })?;
        Ok(Login {
            username: credential.login.username,
            password: credential.login.password,
        })
    }
}
