//! Runs specs on the engine in memory, through the library.

use std::{collections::BTreeMap, time::Duration};

use careen::{
    adapters::memory::containers::Behaviour,
    app::{AppError, OutputWish, Request, Secrets},
    spec::values,
    text::{Level, Source, to_json},
};

use super::{
    RUN, Spec, TASK_SPECS,
    expected::{Expected, ExpectedStep, Options},
    registry,
    seen::{Seen, SeenRun, findings_text, read_files},
};
use crate::world::World;

/// How long a container runs of which nothing is said.
const SLEEP_MS: u64 = 100;

/// Runs a spec and tells how it ended.
pub async fn run(spec: &Spec) -> Seen {
    let world = World::new().await;
    for (id, step) in &spec.expected.steps {
        world.engine.behave(id, behaviour(step));
    }
    let mut request = world.request(&spec.text);
    apply(&spec.expected.options, &mut request);
    let saved = outputs(&spec.expected, &world, &mut request);
    let id = request.vars.id.clone();
    let secrets = secrets(&spec.expected);
    let (outcome, warnings) = match world.run(request, secrets).await {
        Ok(done) => done,
        Err(error) => return Seen::Refused(text_of(&error)),
    };
    assert_eq!(outcome.run.id, id);
    let pushed = world.engine.pushed().into_iter().map(|(name, _)| name);
    let left_over = world.engine.left_over().into_iter().map(|(_, name)| name);
    let warnings = warnings.iter().filter(|it| it.level == Level::Warning);
    Seen::Ran(Box::new(SeenRun {
        warnings: warnings.map(|it| it.message.clone()).collect(),
        files: read_files(&saved),
        pushed: pushed.map(|name| name.replace(&id, RUN)).collect(),
        left_over: left_over.collect(),
        ..SeenRun::read(&world.app, &id).await
    }))
}

fn behaviour(step: &ExpectedStep) -> Behaviour {
    let fake = &step.fake;
    let said = step.log_is.as_ref().unwrap_or(&step.log);
    let lines = || said.iter().map(|line| format!("{line}\n")).collect();
    let file = fake.file.as_deref().and_then(|file| file.split_once('='));
    Behaviour {
        exit_code: fake.exit.or(step.exit).unwrap_or(0),
        sleep: Duration::from_millis(fake.sleep.unwrap_or(SLEEP_MS)),
        output: fake.output.clone().unwrap_or_else(lines),
        out_of_memory: fake.out_of_memory,
        fail_times: fake.fail_times,
        start_error: fake.start_error,
        file: file.map(|(path, text)| (path.to_owned(), text.to_owned())),
        ..Behaviour::default()
    }
}

/// Does to a request what the command line does.
fn apply(options: &Options, request: &mut Request) {
    let context = options.context.as_ref();
    request.context = context.map(|folder| format!("{TASK_SPECS}/{folder}").into());
    let read = |file: &String| {
        let folder = context.map_or(TASK_SPECS.into(), |it| format!("{TASK_SPECS}/{it}"));
        std::fs::read_to_string(format!("{folder}/{file}")).expect("a values file")
    };
    let files: Vec<String> = options.values.iter().map(read).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let read = values::read(&files, &options.set, &[]).expect("values");
    request.values = read.map.as_object().cloned().unwrap_or_default();
    if options.registry {
        request.vars.registry = registry();
    }
    request.allow.clone_from(&options.allow);
    request.timeout_seconds = options.timeout.unwrap_or(request.timeout_seconds);
    request.parallel = options.parallel.unwrap_or(request.parallel);
    request.wait_healthy = options.wait_healthy;
    request.strict = options.strict;
}

fn secrets(expected: &Expected) -> Secrets {
    let pairs = |list: &[String]| -> BTreeMap<String, String> {
        let pair = |word: &String| {
            let (name, value) = word.split_once('=').expect("NAME=VALUE");
            (name.to_owned(), value.to_owned())
        };
        list.iter().map(pair).collect()
    };
    let open = |(id, source): (String, String)| {
        let variable = source.strip_prefix("env:").expect("env:NAME");
        let value = expected.environment.get(variable).expect("the variable");
        (id, value.clone().into())
    };
    let values = pairs(&expected.options.set_secret).into_iter();
    Secrets {
        context: Default::default(),
        values: values.map(|(name, value)| (name, value.into())).collect(),
        declared: pairs(&expected.options.secret_from)
            .into_iter()
            .map(open)
            .collect(),
    }
}

/// Asks for the files that are expected, each to a folder of its own.
fn outputs(
    expected: &Expected,
    world: &World,
    request: &mut Request,
) -> Vec<(String, std::path::PathBuf)> {
    let folder = |index: usize| world.folder().join(format!("out/{index}"));
    let paths = expected.files.keys().enumerate();
    let saved: Vec<_> = paths.map(|(i, path)| (path.clone(), folder(i))).collect();
    let wish = |(source, folder): &(String, std::path::PathBuf)| OutputWish {
        source: source.clone(),
        folder: folder.clone(),
    };
    request.outputs = saved.iter().map(wish).collect();
    saved
}

/// What a user would read of an error.
fn text_of(error: &AppError) -> String {
    match error {
        AppError::TaskFile {
            file,
            text,
            findings,
        } => findings_text(&to_json(&Source { name: file, text }, findings)),
        other => format!("{other}; {}", other.hint().unwrap_or_default()),
    }
}
