//! Errors of the API: a status, a code for programs, a message and a hint for people.

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::AppError,
    ports::{OpenFault, StoreError, TaskError},
    text::{Source, to_json},
};

/// Why a request was not done.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    /// Boxed, for results of every handler carry it.
    detail: Box<Detail>,
}

#[derive(Debug)]
struct Detail {
    code: &'static str,
    message: String,
    hint: Option<String>,
    findings: Option<Value>,
}

/// The body of an answer that says no.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: ErrorDetail,
}

/// What is wrong, and what to try.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// A word for programs; it does not change.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What is wrong with a task file, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub findings: Option<Value>,
}

impl ApiError {
    /// Makes an error.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = Box::new(Detail {
            code,
            message,
            hint: None,
            findings: None,
        });
        Self { status, detail }
    }

    /// Says what to try.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.detail.hint = Some(hint.into());
        self
    }

    /// Its status, its message and what to try, for a page that shows them.
    pub(super) fn said(&self) -> (StatusCode, &str, Option<&str>) {
        let detail = &self.detail;
        (self.status, &detail.message, detail.hint.as_deref())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(code = self.detail.code, "{}", self.detail.message);
        }
        let error = ErrorDetail {
            code: self.detail.code.to_owned(),
            message: self.detail.message,
            hint: self.detail.hint,
            findings: self.detail.findings,
        };
        (self.status, Json(ErrorBody { error })).into_response()
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let (status, code) = kind(&error);
        let findings = match &error {
            AppError::TaskFile {
                file,
                text,
                findings,
            } => Some(to_json(&Source { name: file, text }, findings)),
            _ => None,
        };
        let mut refusal = Self::new(status, code, error.to_string());
        refusal.detail.hint = error.hint();
        refusal.detail.findings = findings;
        refusal
    }
}

/// The status and the code of an error; the one place that knows.
fn kind(error: &AppError) -> (StatusCode, &'static str) {
    match error {
        AppError::TaskFile { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "task_file_invalid"),
        AppError::MissingSecrets(_) => (StatusCode::UNPROCESSABLE_ENTITY, "secret_missing"),
        AppError::Denied(_) => (StatusCode::FORBIDDEN, "not_allowed"),
        AppError::Usage { .. } => (StatusCode::BAD_REQUEST, "invalid_request"),
        AppError::Store(error) => of_store(error),
        AppError::Task(TaskError::NoSuchTask(_)) => (StatusCode::NOT_FOUND, "no_such_task"),
        AppError::Task(TaskError::NoSuchVersion(..)) => (StatusCode::NOT_FOUND, "no_such_version"),
        AppError::Task(TaskError::Exists(_)) => (StatusCode::CONFLICT, "task_exists"),
        AppError::Task(TaskError::Moved { .. }) => (StatusCode::PRECONDITION_FAILED, "task_moved"),
        AppError::Task(TaskError::Store(error)) => of_store(error),
        AppError::Engine(_) => (StatusCode::SERVICE_UNAVAILABLE, "engine_unavailable"),
        AppError::Objects(_) => (StatusCode::SERVICE_UNAVAILABLE, "objects_unavailable"),
        AppError::Registry(_) => (StatusCode::BAD_GATEWAY, "registry_failed"),
        AppError::Context(error) if error.fault == OpenFault::Machine => {
            (StatusCode::BAD_GATEWAY, "context_failed")
        }
        AppError::Context(_) => (StatusCode::UNPROCESSABLE_ENTITY, "context_refused"),
        AppError::Remote { .. } => (StatusCode::BAD_GATEWAY, "remote_failed"),
        AppError::NoRoom { .. } => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        AppError::Log(_) | AppError::Vault(_) | AppError::Run(_) | AppError::Files(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

fn of_store(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::NoSuchRun(_) => (StatusCode::NOT_FOUND, "no_such_run"),
        StoreError::Ambiguous(_) => (StatusCode::CONFLICT, "ambiguous_run"),
        StoreError::Held { .. } | StoreError::IdTaken(_) => (StatusCode::CONFLICT, "run_held"),
        StoreError::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        StoreError::Unreachable(_) | StoreError::Refused { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "database_unavailable")
        }
        StoreError::Objects(_) => (StatusCode::SERVICE_UNAVAILABLE, "objects_unavailable"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "store_failed"),
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

impl From<TaskError> for ApiError {
    fn from(error: TaskError) -> Self {
        AppError::from(error).into()
    }
}

impl From<JsonRejection> for ApiError {
    fn from(error: JsonRejection) -> Self {
        let (status, code) = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            _ => (StatusCode::BAD_REQUEST, "invalid_body"),
        };
        Self::new(status, code, error.body_text()).hint("/docs shows what the body may hold")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(error: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_query", error.body_text())
            .hint("/docs lists the parameters")
    }
}

/// A body of JSON; what is wrong with it is said as all errors are.
#[derive(Debug, axum::extract::FromRequest)]
#[from_request(via(Json), rejection(ApiError))]
pub struct Body<T>(pub T);

/// Parameters of the query; what is wrong with them is said as all errors are.
#[derive(Debug, axum::extract::FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);
