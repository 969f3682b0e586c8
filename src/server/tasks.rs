//! `/api/v1/tasks`: lists stored tasks.

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
    page::{Page, PageQuery},
};
use crate::ports::{Role, TaskFilter, TaskRow};

/// Which tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    /// Only tasks whose name contains this.
    contains: Option<String>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
    /// At most so many items, up to 500.
    #[param(default = 50)]
    limit: Option<u32>,
}

/// Lists tasks by name.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(TaskQuery),
    responses((status = 200, body = Page<TaskRow>), (status = 401, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<TaskQuery>,
) -> Result<Json<Page<TaskRow>>, ApiError> {
    caller.may(Role::Reader)?;
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let filter = TaskFilter {
        after: page.cursor.clone(),
        contains: query.contains,
        limit: page.one_more(),
    };
    let rows = api.app.tasks.tasks(&filter).await?;
    Ok(Json(page.cut(rows, |row| row.definition.name.clone())))
}
