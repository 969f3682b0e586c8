//! Stored tasks of a server.

use async_trait::async_trait;
use reqwest::Method;
use secrecy::SecretString;

use super::Client;
use crate::{
    app::{AppError, SecretText, TaskDesk, TaskWish},
    ports::{Expected, TaskError, TaskFilter, TaskRow, TaskVersion},
    server::{Page, PutTask},
};

#[async_trait]
impl TaskDesk for Client {
    async fn put(&self, wish: TaskWish) -> Result<TaskRow, AppError> {
        let name = wish.definition.name.clone();
        let text = |(name, value): (String, SecretString)| (name, SecretText(value));
        let body = PutTask {
            definition: wish.definition,
            secrets: wish.secrets.into_iter().map(text).collect(),
            manifest: wish.manifest,
        };
        let request = self.request(Method::PUT, &["tasks", &name]).json(&body);
        let request = match wish.expected {
            Expected::Any => request,
            Expected::Nothing => request.header("if-none-match", "*"),
            Expected::Version(version) => request.header("if-match", format!("\"{version}\"")),
        };
        self.ask(request).await
    }

    async fn get(&self, name: &str) -> Result<TaskRow, AppError> {
        let request = self.request(Method::GET, &["tasks", name]);
        self.ask(request)
            .await
            .map_err(|error| missing(name, error))
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, AppError> {
        let (mut rows, mut cursor) = (Vec::new(), filter.after.clone());
        loop {
            let parameters = [
                ("limit", Some("500".to_owned())),
                ("cursor", cursor),
                ("contains", filter.contains.clone()),
            ];
            let request = self.request_with(Method::GET, &["tasks"], &parameters);
            let page: Page<TaskRow> = self.ask(request).await?;
            rows.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || filter.limit > 0 && rows.len() >= filter.limit as usize {
                break;
            }
        }
        if filter.limit > 0 {
            rows.truncate(filter.limit as usize);
        }
        Ok(rows)
    }

    async fn delete(&self, name: &str) -> Result<(), AppError> {
        let request = self.request(Method::DELETE, &["tasks", name]);
        self.send(request)
            .await
            .map_err(|error| missing(name, error))?;
        Ok(())
    }

    async fn history(&self, name: &str) -> Result<Vec<TaskVersion>, AppError> {
        let request = self.request(Method::GET, &["tasks", name, "versions"]);
        self.ask(request)
            .await
            .map_err(|error| missing(name, error))
    }

    async fn version(&self, name: &str, version: u32) -> Result<TaskVersion, AppError> {
        let number = version.to_string();
        let request = self.request(Method::GET, &["tasks", name, "versions", &number]);
        self.ask(request).await
    }
}

/// A task that is not there is the same error as here.
fn missing(name: &str, error: AppError) -> AppError {
    match error {
        AppError::Remote { status: 404, .. } => TaskError::NoSuchTask(name.to_owned()).into(),
        other => other,
    }
}
