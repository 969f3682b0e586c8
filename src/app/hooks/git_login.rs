//! The login of a connection, lent to a repository on the connection's own server.

use crate::{
    app::{App, AppError},
    spec::context::Login,
};

impl App {
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
