//! Runs a request at once, on the one path that every run takes: queue, lease, prepare, drive.

use std::{path::Path, sync::Arc};

use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{App, AppError, Prepared, Request, Secrets, contexts, ids, prepare, worker};
use crate::{
    engine::{RunState, RunStatus, Settings, Verdict},
    plan::Plan,
    ports::{Held, Keyring, Lease, NewRun, Opened, RegistryLogin, RunRow, StoreError, Trigger},
    runner::{self, Job, LEASE, OutputRequest, Watcher, Wishes},
    spec::StepKind,
    text::Diagnostics,
};

/// The largest alias file that is read, in bytes.
const ALIAS_FILE_BYTES: usize = 256 * 1024;
/// Draws of an id before giving up; two are rarely needed.
const ID_DRAWS: usize = 5;

/// Who watches a run, and how to stop it.
#[derive(Clone)]
pub struct Live {
    /// Told what happens.
    pub watcher: Arc<dyn Watcher>,
    /// Stops the run.
    pub cancel: CancellationToken,
    /// The docker client's own logins, used where no connection is for a repository.
    pub logins: Vec<RegistryLogin>,
    /// Whether builds that say nothing else keep their cache in the registry, where other workers find it.
    pub shares_cache: bool,
}

/// Why a run is recorded.
pub(super) struct Why {
    /// In words.
    pub cause: String,
    /// What started it, when it was no person.
    pub trigger: Option<Trigger>,
    /// The run it repeats.
    pub rerun_of: Option<String>,
}

/// How a run ended.
pub struct Outcome {
    /// The run's summary as recorded.
    pub run: RunRow,
    /// How its steps ended.
    pub state: RunState,
    /// The verdict.
    pub verdict: Verdict,
}

/// A run that is recorded and claimed, not yet driven.
pub struct Queued {
    /// The run's id.
    pub id: String,
    /// What will be run.
    pub plan: Arc<Plan>,
    /// What is odd in the file, but no error.
    pub warnings: Diagnostics,
    /// What people should know of its files.
    pub remarks: Vec<String>,
    /// Keeps the context where it is.
    context: Option<Opened>,
    pub(super) request: Request,
    secrets: Secrets,
    lease: Lease,
    leased_at: Instant,
    /// Shows other careens that this process lives; a worker's lease says so for it.
    _held: Option<Box<dyn Held>>,
}

impl App {
    /// Draws an id for a new run.
    pub fn draw_id(&self) -> String {
        ids::draw(self.ports.clock.now())
    }

    /// Reads the alias files that a request's task file names, from the context or, where allowed, from the web.
    pub async fn read_alias_files(
        &self,
        request: &mut Request,
        secrets: &Secrets,
        allow_remote: bool,
    ) -> Result<(), AppError> {
        for source in prepare::alias_sources(request, secrets)? {
            let is_remote = source.contains("://");
            if is_remote && !allow_remote {
                return Err(AppError::usage(
                    format!("the alias file {source} is on another machine"),
                    "Add --allow-remote-alias if you trust it, or keep a copy beside the task file",
                ));
            }
            let text = if is_remote {
                let fetched = self.fetch.text(&source, ALIAS_FILE_BYTES).await;
                fetched.map_err(|error| AppError::Files(error.to_string()))?
            } else {
                read_alias_file(request, &source)?
            };
            request.alias_files.insert(source, text);
        }
        Ok(())
    }

    /// Checks a request and plans it; records nothing.
    pub fn prepare(&self, request: &Request, secrets: &Secrets) -> Result<Prepared, AppError> {
        prepare::prepare(request, secrets)
    }

    /// Records a run and claims it for this process. A request that cannot be run is refused before that.
    pub async fn queue(
        &self,
        request: Request,
        secrets: Secrets,
        rerun_of: Option<String>,
    ) -> Result<Queued, AppError> {
        let cause = match (&request.retry_of, &rerun_of) {
            (Some(first), _) => format!("retry of {first}"),
            (None, Some(first)) => format!("rerun of {first}"),
            (None, None) => "started by hand".to_owned(),
        };
        let why = Why {
            cause,
            trigger: None,
            rerun_of,
        };
        self.queue_for(request, secrets, &why).await
    }

    /// Does the same for a cause of any kind; a cause that has its run already is refused.
    pub(super) async fn queue_for(
        &self,
        mut request: Request,
        secrets: Secrets,
        why: &Why,
    ) -> Result<Queued, AppError> {
        self.room.check()?;
        let settled = self.settle(&mut request, &secrets, why.rerun_of.is_some());
        let (Prepared { plan, warnings }, context, remarks) = settled.await?;
        for _ in 0..ID_DRAWS {
            match self.record(&request, &secrets, why).await {
                // Held is the id of a run that another careen drives.
                Err(AppError::Store(StoreError::IdTaken(_) | StoreError::Held { .. })) => {
                    request.vars.id = self.draw_id();
                }
                Err(error) => return Err(error),
                Ok((held, lease, leased_at)) => {
                    return Ok(Queued {
                        id: request.vars.id.clone(),
                        plan,
                        warnings,
                        remarks,
                        context,
                        request,
                        secrets,
                        lease,
                        leased_at,
                        _held: Some(held),
                    });
                }
            }
        }
        Err(StoreError::IdTaken(request.vars.id).into())
    }

    /// Opens what a request left to be opened, plans it, and settles where its files come from.
    async fn settle(
        &self,
        request: &mut Request,
        secrets: &Secrets,
        is_rerun: bool,
    ) -> Result<(Prepared, Option<Opened>, Vec<String>), AppError> {
        let deferred = self.open_deferred(request, secrets).await?;
        let prepared = self.prepare(request, secrets)?;
        let (context, remarks) = match deferred {
            Some(opened) => {
                let remarks = opened.remarks.clone();
                (Some(opened), remarks)
            }
            None => {
                let settled = self.settle_context(request, (&prepared.plan, secrets), is_rerun);
                settled.await?
            }
        };
        Ok((prepared, context, remarks))
    }

    async fn record(
        &self,
        request: &Request,
        secrets: &Secrets,
        why: &Why,
    ) -> Result<(Box<dyn Held>, Lease, Instant), AppError> {
        let id = request.vars.id.clone();
        let held = self.hold(&id)?;
        let mut run = self.new_run(request, secrets, why.cause.clone())?;
        run.trigger.clone_from(&why.trigger);
        run.rerun_of.clone_from(&why.rerun_of);
        self.ports.store.create_run(&run).await?;
        let leased_at = Instant::now();
        let lease = self.lease(&id, false).await?;
        Ok((held, lease, leased_at))
    }

    /// Makes the record of a run to be, its secrets sealed.
    pub(super) fn new_run(
        &self,
        request: &Request,
        secrets: &Secrets,
        cause: String,
    ) -> Result<NewRun, AppError> {
        let id = request.vars.id.clone();
        let sealed = secrets
            .named()
            .map(|(name, value)| {
                let sealed = self.vault.seal(&format!("{id}/{name}"), value)?;
                Ok((name, sealed))
            })
            .collect::<Result<Vec<_>, AppError>>()?;
        Ok(NewRun {
            id,
            name: request.name(),
            cause,
            trigger: None,
            request: serde_json::to_value(request).unwrap_or_default(),
            secrets: sealed,
            rerun_of: None,
            created_at: self.ports.clock.now(),
        })
    }

    pub(super) fn hold(&self, run: &str) -> Result<Box<dyn Held>, AppError> {
        self.liveness
            .hold(run)
            .map_err(|error| AppError::Files(format!("could not lock run {run}: {error}")))?
            .ok_or_else(|| {
                AppError::Store(StoreError::Held {
                    run: run.to_owned(),
                    owner: "another careen".to_owned(),
                })
            })
    }

    pub(super) async fn lease(&self, run: &str, force: bool) -> Result<Lease, StoreError> {
        let owner = format!("process {}", std::process::id());
        self.ports.store.lease_run(run, &owner, LEASE, force).await
    }

    /// Drives a queued run to its end, heeding wishes to cancel that others write into the store.
    pub async fn drive(&self, queued: Queued, live: Live) -> Result<Outcome, AppError> {
        let wishes = Wishes::from(live.cancel.clone());
        let heeding = worker::heed_cancel(self.queue.clone(), queued.lease.clone(), wishes.clone());
        let driving = self.drive_until(queued, live, wishes);
        tokio::select! {
            outcome = driving => outcome,
            never = heeding => match never {},
        }
    }

    /// Drives a queued run to its end, or until it is wished otherwise.
    pub(super) async fn drive_until(
        &self,
        queued: Queued,
        live: Live,
        wishes: Wishes,
    ) -> Result<Outcome, AppError> {
        let mut run = self.ports.store.run(&queued.id).await?;
        run.status = RunStatus::Preparing;
        run.started_at.get_or_insert(self.ports.clock.now());
        run.prepared = json!({
            "commit": queued.request.vars.commit,
            "branch": queued.request.vars.branch,
            "registry": queued.request.vars.registry,
            "context": queued.request.pin,
        });
        if queued.request.deferred.is_some() {
            run.prepared["text"] = json!(queued.request.text);
        }
        let kept = self.kept(&queued).await?;
        let files = self.files.join(&queued.id);
        let keyring = match queued.request.is_restricted {
            true => Keyring::new(Vec::new(), None),
            false => self.keyring(&live.logins).await?,
        };
        let keyring = keyring.within(queued.request.bounds.clone());
        let logins = logins(&keyring, &queued).await;
        let mut secrets = queued.secrets.all();
        secrets.extend(keyring.logins().map(|it| it.password.clone()));
        let own_logins = match queued.request.is_restricted {
            true => Vec::new(),
            false => keyring.all_of_host(&live.logins),
        };
        let job = Job {
            run,
            lease: queued.lease.clone(),
            leased_at: queued.leased_at,
            plan: queued.plan,
            settings: Settings {
                parallel: queued.request.parallel.max(1),
                wait_healthy: queued.request.wait_healthy,
                timeout: i64::try_from(queued.request.timeout_seconds)
                    .ok()
                    .and_then(|seconds| seconds.checked_mul(1000)),
            },
            context: queued.request.folder().map(Path::to_path_buf),
            access: contexts::access(&queued.request, &queued.secrets, &own_logins),
            pins: queued.request.pins.clone(),
            bases: queued.request.bases.clone(),
            shared_volume: queued.request.vars.shared_volume.clone(),
            registry: queued.request.registry().map(str::to_owned),
            logins,
            keyring,
            granted: queued.request.grants().collect(),
            limits: queued.request.limits.into(),
            secrets,
            outputs: outputs(&queued.request, &files),
            kept,
            shares_cache: live.shares_cache,
        };
        let task = queued.request.vars.task_name.as_str();
        let span = tracing::info_span!("run", run = queued.id, task);
        let driving = runner::run(self.ports.clone(), job, live.watcher, wishes);
        let (state, verdict) = driving.instrument(span).await?;
        drop(queued.context);
        self.ports.store.release(&queued.lease).await?;
        self.liveness.forget(&queued.id);
        let run = self.ports.store.run(&queued.id).await?;
        self.learn_from_run(&run, &queued.request.vars.task_name)
            .await;
        Ok(Outcome {
            run,
            state,
            verdict,
        })
    }

    /// Takes up an unfinished run whose process has died.
    pub async fn resume(&self, run: &str) -> Result<Queued, AppError> {
        let row = self.ports.store.run(run).await?;
        if row.status.is_ended() {
            return Err(AppError::usage(
                format!("run {run} has ended: {}", row.status),
                format!("careen runs rerun {run} runs it again"),
            ));
        }
        if row.placement.is_some() {
            return Err(AppError::usage(
                format!("run {run} is driven by workers"),
                "A worker takes it up by itself; careen runs show tells which has it",
            ));
        }
        let held = self.hold(run)?;
        // Without the engine nothing can be known of its containers, and all of them would be given up.
        self.ports.containers.info().await?;
        let leased_at = Instant::now();
        let lease = self.lease(run, true).await?;
        let queued = self.open_leased(Some(row), lease, leased_at).await?;
        Ok(Queued {
            _held: Some(held),
            ..queued
        })
    }

    /// Makes a leased run ready to be driven, from what is recorded of it; reads its row unless that is at hand.
    pub(super) async fn open_leased(
        &self,
        row: Option<RunRow>,
        lease: Lease,
        leased_at: Instant,
    ) -> Result<Queued, AppError> {
        let row = match row {
            Some(row) => row,
            None => self.ports.store.run(&lease.run).await?,
        };
        let (mut request, secrets) = self.recorded_request(&row).await?;
        let settled = self.settle(&mut request, &secrets, row.rerun_of.is_some());
        let (Prepared { plan, warnings }, context, remarks) = settled.await?;
        Ok(Queued {
            id: row.id,
            plan,
            warnings,
            remarks,
            context,
            request,
            secrets,
            lease,
            leased_at,
            _held: None,
        })
    }

    /// Queues a recorded request again, as a run of its own.
    pub async fn rerun(&self, run: &str) -> Result<Queued, AppError> {
        let row = self.ports.store.run(run).await?;
        let (request, secrets) = self.request_again(&row).await?;
        self.queue(request, secrets, Some(run.to_owned())).await
    }

    /// Makes the request of a run that repeats this one.
    pub(super) async fn request_again(&self, row: &RunRow) -> Result<(Request, Secrets), AppError> {
        let (request, secrets) = self.recorded_request(row).await?;
        let now = self.ports.clock.now();
        let mut again = request.again(&ids::draw(now), now);
        if again.deferred.is_some() && again.pin.is_none() {
            again.pin = serde_json::from_value(row.prepared["context"].clone()).unwrap_or_default();
        }
        self.pin_builds(&mut again, &row.id).await?;
        Ok((again, secrets))
    }

    pub(super) async fn recorded_request(
        &self,
        row: &RunRow,
    ) -> Result<(Request, Secrets), AppError> {
        let request: Request = serde_json::from_value(row.request.clone()).map_err(|error| {
            AppError::Files(format!(
                "the request of run {} cannot be read: {error}",
                row.id
            ))
        })?;
        let mut secrets = Secrets::default();
        for (name, sealed) in self.ports.store.secrets(&row.id).await? {
            let value = self.vault.open(&format!("{}/{name}", row.id), &sealed)?;
            secrets.put(&name, value);
        }
        Ok((request, secrets))
    }
}

/// One login for each host. The bases of builds may be anywhere, so helpers are asked only where something is built.
async fn logins(keyring: &Keyring, queued: &Queued) -> Vec<RegistryLogin> {
    let images = runner::named_images(&queued.plan, queued.request.registry());
    let mut steps = queued.plan.steps().iter();
    match steps.any(|step| matches!(step.kind, StepKind::Build(_))) {
        true => keyring.by_host(&images).await,
        false => keyring.held_by_host(&images),
    }
}

/// Everything saved goes into the run's own folder too, so that it can be had again later.
fn outputs(request: &Request, files: &Path) -> Vec<OutputRequest> {
    request
        .outputs
        .iter()
        .map(|wish| OutputRequest {
            source: wish.source.clone(),
            folder: wish.folder.clone(),
            kept: files.to_path_buf(),
        })
        .collect()
}

fn read_alias_file(request: &Request, source: &str) -> Result<String, AppError> {
    let path = match &request.opened {
        Some(root) => contexts::find_inside(root, &request.vars.directory, Path::new(source))?
            .ok_or_else(|| AppError::Files(format!("the context has no alias file {source}")))?,
        None => request.folder().unwrap_or(Path::new(".")).join(source),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| AppError::Files(format!("alias file {}: {error}", path.display())))?;
    if text.len() > ALIAS_FILE_BYTES {
        return Err(AppError::Files(format!(
            "alias file {} is larger than {ALIAS_FILE_BYTES} bytes",
            path.display()
        )));
    }
    Ok(text)
}
