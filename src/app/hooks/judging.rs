//! Makes the ruling on a fact: which tasks start, on what occasion, and where the code host is told.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    app::{App, AppError, Occasion, Secrets},
    ports::{
        HookSource, Pin, Placement, Ruling, Starting, TaskDecision, TaskRow, Trigger, TriggerKind,
    },
    spec::context::{self, ContextRef, Login},
    triggers::{
        Happening, Move, PullRequest, Push, Reference, SourceFact, Start, TaskIndex, repository_key,
    },
};

/// Stands for the reference in the name of a concurrency group, so that only runs of the same one meet in it.
const REFERENCE: &str = "{ref}";

/// All that a fact is judged by.
pub struct Bench {
    tasks: BTreeMap<String, TaskRow>,
    index: TaskIndex,
    sources: Vec<HookSource>,
}

/// A fact, and how it came.
pub struct Case<'f> {
    pub fact: &'f SourceFact,
    /// The one task it may start.
    pub task: Option<&'f str>,
    /// The source it came from.
    pub source: Option<&'f str>,
    /// When a poll that saw it began, in milliseconds since 1970.
    pub seen_at: Option<i64>,
}

/// What is to be built.
struct Commit<'f> {
    reference: Reference,
    commit: &'f str,
    /// What to fetch to have it.
    fetch: String,
    before: Option<&'f str>,
    branch: &'f str,
    at: Option<i64>,
}

impl Bench {
    /// Reads what facts are judged by.
    pub async fn of(app: &App) -> Result<Bench, AppError> {
        let rows = app.tasks.tasks(&Default::default()).await?;
        let index = TaskIndex::new(rows.iter().map(|row| &row.definition));
        let named = rows
            .into_iter()
            .map(|row| (row.definition.name.clone(), row));
        Ok(Bench {
            tasks: named.collect(),
            index,
            sources: app.deliveries.sources().await?,
        })
    }

    /// Judges a fact.
    pub async fn judge(&self, app: &App, case: &Case<'_>) -> Ruling {
        let mut ruling = Ruling::none("");
        let commit = Commit::of(&case.fact.happening);
        if let Some(why) = commit.as_ref().and_then(Commit::refusal) {
            ruling.summary = why;
            return ruling;
        }
        for considered in self.index.decide(case.fact, case.task) {
            let started = match (&considered.outcome, &commit) {
                (Ok(start), Some(commit)) => {
                    let wanted = (considered.task.as_str(), considered.trigger.as_str());
                    let started = self.start(app, case, (wanted, start, commit)).await;
                    started.map_err(|error| format!("it could not be started: {error}"))
                }
                (Ok(_), None) => Err("there is nothing to build".to_owned()),
                (Err(why), _) => Err(why.clone()),
            };
            match started {
                Ok(starting) => ruling.starts.push(starting),
                Err(reason) => ruling.declined.push(TaskDecision {
                    task: considered.task,
                    trigger: considered.trigger,
                    run: None,
                    reason,
                }),
            }
        }
        ruling.summary = summary(&case.fact.happening, &ruling);
        // Of a repository that no task watches nothing is remembered.
        let is_watched = !ruling.starts.is_empty() || !ruling.declined.is_empty();
        ruling.to = is_watched
            .then(|| movement(case, commit.as_ref()))
            .flatten();
        ruling
    }

    async fn start(
        &self,
        app: &App,
        case: &Case<'_>,
        ((task, trigger), start, commit): ((&str, &str), &Start, &Commit<'_>),
    ) -> Result<Starting, AppError> {
        let row = self.tasks.get(task);
        let row = row.ok_or_else(|| AppError::usage(format!("there is no task {task}"), ""))?;
        let repository = case.fact.addresses.iter().find_map(|it| repository_key(it));
        let repository = repository.unwrap_or_default();
        let source = self
            .sources
            .iter()
            .find(|it| Some(it.name.as_str()) == case.source);
        let occasion = Occasion {
            triggered_by: match commit.reference {
                Reference::PullRequest(_) => "pullrequest".to_owned(),
                _ => "commit".to_owned(),
            },
            pin: commit.pin(row, case.fact),
            branch: commit.branch.to_owned(),
            git_tag: match &commit.reference {
                Reference::Tag(tag) => tag.clone(),
                _ => String::new(),
            },
            is_restricted: start.is_restricted,
        };
        let (request, mut secrets) = app.occasional_request(row, occasion).await?;
        let mut own = row.definition.triggers.source.iter();
        let watching = own.find(|it| it.name == trigger);
        if let Some(source) = source.filter(|_| !start.is_restricted) {
            self.lend_token(app, source, (row, &mut secrets))?;
        }
        let mut run = app.new_run(&request, &secrets, start.reason.clone())?;
        let key = format!(
            "source {task} {repository} {} {}",
            commit.reference.full(),
            commit.commit
        );
        run.trigger = Some(Trigger {
            needs_approval: start.needs_approval,
            ..Trigger::new(TriggerKind::Source, key, details(case, commit, &repository))
        });
        Ok(Starting {
            trigger: trigger.to_owned(),
            reason: start.reason.clone(),
            run,
            place: place(row, &commit.reference),
            report: source.filter(|it| it.token.is_some()).map(|source| {
                // The address is the task's own: what a delivery says must not lead the source's token elsewhere.
                json!({
                    "source": source.name,
                    "addresses": [watching.map(|it| &it.repository)],
                    "commit": commit.commit,
                    "task": task,
                })
            }),
        })
    }

    /// Lets the run fetch its repository with the token of the source, if that is where its context is and no
    /// connection has a login for it.
    fn lend_token(
        &self,
        app: &App,
        source: &HookSource,
        (row, secrets): (&TaskRow, &mut Secrets),
    ) -> Result<(), AppError> {
        let written = row.definition.context.as_deref().map(context::read);
        let host = written.and_then(|it| it.ok()?.context.host());
        let Some(host) = host.filter(|_| secrets.context.login.is_none()) else {
            return Ok(());
        };
        if let Some(password) = app.source_token(source)? {
            let username = String::new();
            secrets.context.login = Some((host, Login { username, password }));
        }
        Ok(())
    }
}

impl<'f> Commit<'f> {
    fn of(happening: &'f Happening) -> Option<Commit<'f>> {
        match happening {
            Happening::Push(push) => Some(Commit::of_push(push)),
            Happening::PullRequest(request) => Some(Commit::of_request(request)),
            Happening::Ping | Happening::Deletion(_) | Happening::Other(_) => None,
        }
    }

    fn of_push(push: &'f Push) -> Commit<'f> {
        Commit {
            reference: push.reference.clone(),
            commit: &push.commit,
            fetch: push.reference.full(),
            before: push.before.as_deref(),
            branch: match &push.reference {
                Reference::Branch(name) => name,
                _ => "",
            },
            at: push.at,
        }
    }

    fn of_request(request: &'f PullRequest) -> Commit<'f> {
        Commit {
            reference: Reference::PullRequest(request.number),
            commit: &request.commit,
            fetch: match request.fetch.starts_with("pull/")
                || request.fetch.starts_with("merge-requests/")
            {
                true => format!("refs/{}", request.fetch),
                false => format!("refs/heads/{}", request.fetch),
            },
            before: request.before.as_deref(),
            branch: &request.source,
            at: request.at,
        }
    }

    /// Why nothing at all is started for it.
    fn refusal(&self) -> Option<String> {
        let is_plain = self.reference.is_plain()
            && (self.branch.is_empty() || Reference::Branch(self.branch.to_owned()).is_plain());
        let name = self.reference.short();
        (!is_plain).then(|| {
            format!(
                "the name {} holds characters that are not taken",
                name.escape_debug()
            )
        })
    }

    /// The task's context at this commit, if its context is the repository. The address is the task's own.
    fn pin(&self, row: &TaskRow, fact: &SourceFact) -> Option<Pin> {
        let written = context::read(row.definition.context.as_deref()?).ok()?;
        let ContextRef::Git(git) = written.context else {
            return None;
        };
        let own = repository_key(&git.url);
        let is_same = fact.addresses.iter().any(|it| repository_key(it) == own);
        is_same.then(|| Pin::Commit {
            url: git.url,
            reference: self.fetch.clone(),
            commit: self.commit.to_owned(),
            directory: git.directory.unwrap_or_default(),
        })
    }
}

/// What the fact says of where a reference stands.
fn movement(case: &Case<'_>, commit: Option<&Commit<'_>>) -> Option<Move> {
    let (reference, before, to, at) = match (commit, &case.fact.happening) {
        (Some(it), _) => (it.reference.full(), it.before, Some(it.commit), it.at),
        (None, Happening::Deletion(reference)) => (reference.full(), None, None, None),
        (None, _) => return None,
    };
    Some(Move {
        repository: case
            .fact
            .addresses
            .iter()
            .find_map(|it| repository_key(it))?,
        reference,
        before: before.map(str::to_owned),
        commit: to.map(str::to_owned),
        at,
        seen_at: case.seen_at,
    })
}

fn details(case: &Case<'_>, commit: &Commit<'_>, repository: &str) -> serde_json::Value {
    let mut details = json!({
        "repository": repository,
        "reference": commit.reference.full(),
        "commit": commit.commit,
        "seen_by": if case.seen_at.is_some() { "poll" } else { "delivery" },
    });
    if let Happening::PullRequest(request) = &case.fact.happening {
        details["pull_request"] = json!(request.number);
        details["fork"] = json!(request.is_fork);
        details["author"] = json!(request.author);
    }
    if let Happening::Push(push) = &case.fact.happening {
        details["author"] = json!(push.author);
    }
    details
}

/// Where the run waits; what is superseded is what is of the same reference, where the group's name says so.
fn place(row: &TaskRow, reference: &Reference) -> Placement {
    let mut place = Placement::from(&row.definition);
    if let Some(group) = &mut place.group {
        group.name = group.name.replace(REFERENCE, &reference.full());
    }
    place
}

fn summary(happening: &Happening, ruling: &Ruling) -> String {
    match happening {
        Happening::Ping => "a ping: the code host reaches this server".to_owned(),
        Happening::Deletion(reference) => {
            format!(
                "{} was deleted: there is nothing to build",
                reference.short()
            )
        }
        Happening::Other(event) => format!("{event} is no event that starts runs"),
        _ if ruling.declined.is_empty() => "no task watches this repository".to_owned(),
        _ => "no trigger of the tasks that watch this repository wants it".to_owned(),
    }
}
