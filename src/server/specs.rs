//! `--task-specs DIR`: applies a folder of task manifests whenever one is saved.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{self, RecommendedWatcher, RecursiveMode},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::{App, AppError, Manifests};

/// Editors write a file in several steps; what happens in so short a time is one change.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// How often the folder is looked at though nothing was heard: network folders tell nothing.
const LOOK: Duration = Duration::from_secs(30);

/// Applies the folder now and after each change, until the server stops. A broken file is reported, its task stays.
pub async fn watch_specs(app: Arc<App>, folder: PathBuf, stop: CancellationToken) {
    let (sender, mut changes) = mpsc::channel(1);
    // Held for as long as changes are to be heard.
    let _watcher = listen(&folder, sender).inspect_err(|error| {
        tracing::warn!("{} cannot be watched: {error}", folder.display());
    });
    let mut last = None;
    loop {
        let seen = apply(&app, &folder).await;
        if last.as_ref() != Some(&seen) {
            report(&folder, &seen);
            last = Some(seen);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = changes.recv() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

type Watcher = Debouncer<RecommendedWatcher, RecommendedCache>;

fn listen(folder: &Path, sender: mpsc::Sender<()>) -> notify::Result<Watcher> {
    let mut watcher = new_debouncer(DEBOUNCE, None, move |_: DebounceEventResult| {
        // A change that is waiting to be looked at stands for this one, too.
        let _ = sender.try_send(());
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// What came of applying the folder: what was done, and what is wrong.
#[derive(Debug, PartialEq, Eq)]
struct Applied {
    done: Vec<String>,
    wrong: Vec<String>,
}

async fn apply(app: &App, folder: &Path) -> Applied {
    let failed = |error: AppError| Applied {
        done: Vec::new(),
        wrong: vec![error.to_string()],
    };
    let manifests = match Manifests::read(folder) {
        Ok(manifests) => manifests,
        Err(error) => return failed(error),
    };
    let mut applied = Applied {
        done: Vec::new(),
        wrong: Vec::new(),
    };
    for broken in &manifests.broken {
        let text = format!(
            "{}: {}; its task stays as it was",
            broken.file, broken.reason
        );
        applied.wrong.push(text);
    }
    let steps = match manifests.compare(app).await {
        Ok(steps) => steps,
        Err(error) => return failed(error),
    };
    for step in steps {
        // One by one: a task that cannot be stored does not hold the others back.
        match manifests.apply(app, std::slice::from_ref(&step)).await {
            Ok(()) => applied.done.push(step.to_string()),
            Err(error) => applied.wrong.push(format!("{}: {error}", step.task)),
        }
    }
    applied
}

fn report(folder: &Path, applied: &Applied) {
    for text in &applied.done {
        tracing::info!("{}: {text}", folder.display());
        anstream::eprintln!("task specs: {text}");
    }
    for text in &applied.wrong {
        tracing::error!("{}: {text}", folder.display());
        anstream::eprintln!("error: task specs: {text}");
    }
}
