//! Tells code hosts how runs go. What is to be told follows from the runs as recorded, so a crash loses nothing.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, AppError},
    engine::RunStatus,
    ports::{CourierError, HookSource, Parcel, Report, RunRow},
    triggers::{CommitState, CommitStatus, StatusRequest, status_request},
};

/// Reports taken at once.
const BATCH: u32 = 50;
/// For how long a report is one server's.
const HOLD: Duration = Duration::from_secs(60);
/// How often is looked for runs that have ended.
const LOOK: Duration = Duration::from_secs(2);
/// The first wait after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// How often it is tried; the last wait is over an hour.
const TRIES: u32 = 12;
/// What stands for a report that was given up.
const GIVEN_UP: &str = "given up";
/// The longest description that every code host takes.
const DESCRIPTION: usize = 140;

/// On what terms code hosts are told.
#[derive(Debug, Clone, Default)]
pub struct ReportTerms {
    /// Where people reach this server, for links.
    pub public_url: Option<String>,
    /// Whether code hosts may be in a private network.
    pub allow_private: bool,
}

/// Tells code hosts how runs go until it is told to stop.
pub async fn report_runs(app: Arc<App>, terms: ReportTerms, stop: CancellationToken) {
    loop {
        match app.report_batch(&terms).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!("code hosts could not be told of runs: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl App {
    /// Tells what is due and says how many reports that were.
    pub async fn report_batch(&self, terms: &ReportTerms) -> Result<usize, AppError> {
        let due = self.deliveries.due_reports(BATCH, HOLD).await?;
        let sources = self.deliveries.sources().await?;
        let telling = due
            .iter()
            .map(|report| self.report(report, terms, &sources));
        for told in futures_util::future::join_all(telling).await {
            told?;
        }
        Ok(due.len())
    }

    async fn report(
        &self,
        report: &Report,
        terms: &ReportTerms,
        sources: &[HookSource],
    ) -> Result<(), AppError> {
        let run = self.ports.store.run(&report.run).await?;
        let state = state_of(&run);
        let named = report.target["source"].as_str().unwrap_or_default();
        let source = sources.iter().find(|it| it.name == named);
        let told = match source {
            Some(source) => self.tell(source, report, (&run, state, terms)).await,
            None => Err(CourierError::Refused(format!("there is no source {named}"))),
        };
        let mut next = report.clone();
        let wait = match told {
            Ok(()) => {
                (next.told, next.attempts) = (state.as_str().to_owned(), 0);
                Duration::ZERO
            }
            Err(CourierError::TryAgain(why)) if report.attempts < TRIES => {
                tracing::warn!(
                    run = run.id,
                    "a code host was not told, it is tried again: {why}"
                );
                next.attempts += 1;
                FIRST_WAIT * 2u32.saturating_pow(report.attempts)
            }
            Err(error) => {
                tracing::error!(
                    run = run.id,
                    "a code host cannot be told of the run: {error}"
                );
                GIVEN_UP.clone_into(&mut next.told);
                Duration::ZERO
            }
        };
        Ok(self.deliveries.reported(&next, wait).await?)
    }

    async fn tell(
        &self,
        source: &HookSource,
        report: &Report,
        (run, state, terms): (&RunRow, CommitState, &ReportTerms),
    ) -> Result<(), CourierError> {
        let refused = |why: &str| CourierError::Refused(why.to_owned());
        let link = terms.public_url.as_ref();
        let link = link.map(|it| format!("{}/api/v1/runs/{}", it.trim_end_matches('/'), run.id));
        let description = description(run);
        let text = |name: &str| report.target[name].as_str().unwrap_or_default();
        let status = CommitStatus {
            address: report.target["addresses"][0].as_str().unwrap_or_default(),
            commit: text("commit"),
            task: text("task"),
            state,
            description: &description,
            link: link.as_deref(),
        };
        let made = status_request(source.provider, source.api.as_deref(), &status);
        let made = made.ok_or_else(|| refused("this kind of code host takes no statuses"))?;
        let StatusRequest { url, login, body } = made;
        let token = self
            .source_token(source)
            .map_err(|error| refused(&error.to_string()))?;
        let token = token.ok_or_else(|| refused("the source has no token"))?;
        let parcel = Parcel {
            url,
            headers: vec![login.header(token.expose_secret())],
            body: body.to_string(),
            allow_private: terms.allow_private,
        };
        self.courier.carry(&parcel).await
    }
}

fn state_of(run: &RunRow) -> CommitState {
    match run.status {
        _ if run.ended_at.is_none() => CommitState::Pending,
        RunStatus::Succeeded => CommitState::Success,
        RunStatus::Failed => CommitState::Failure,
        _ => CommitState::Error,
    }
}

fn description(run: &RunRow) -> String {
    let words = match (
        &run.reason,
        run.trigger.as_ref().is_some_and(|it| it.needs_approval),
    ) {
        (_, true) => format!("run {} waits for approval", run.id),
        (Some(reason), _) => format!("run {} {}: {reason}", run.id, run.status),
        (None, _) => format!("run {} is {}", run.id, run.status),
    };
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(DESCRIPTION)
        .collect()
}
