//! What to say about a key that the language does not have.

use super::codes;
use super::keys::{Object, STEP, TASK};
use crate::text::{Diagnostic, did_you_mean};
use crate::yaml::{Kind, Node, Pair};

/// Makes the finding for an unknown key of an object; `suggest` allows to look for the nearest known one.
pub(super) fn unknown_key(object: &Object, pair: &Pair, suggest: bool) -> Diagnostic {
    let name = pair.key.as_text().unwrap_or_default();
    if name == "platform" && names_windows(&pair.value) {
        return windows(format!("`{name}` asks for Windows")).at(pair.value.span);
    }
    let finding = Diagnostic::warning(codes::UNKNOWN_KEY, format!("unknown key `{name}`"))
        .at(pair.key.span)
        .label(format!(
            "{} has no such property; it is ignored",
            object.name
        ));
    let known = object.keys.iter().map(|key| key.name);
    if let Some(help) = elsewhere(object, &name).or_else(|| other_words(object, &name)) {
        finding.help(help)
    } else if let Some(near) = did_you_mean(&name, known).filter(|_| suggest) {
        finding.help(format!("did you mean `{near}`?"))
    } else {
        finding
    }
}

/// Makes the error for something that only Windows has.
pub(super) fn windows(message: String) -> Diagnostic {
    Diagnostic::error(codes::PLATFORM, message)
        .label("careen runs Linux containers only")
        .help("run Windows steps on ACR, or give the step a Linux image")
}

fn names_windows(value: &Node) -> bool {
    match &value.kind {
        Kind::Scalar { text, .. } => text.to_lowercase().contains("windows"),
        Kind::Sequence(items) => items.iter().any(names_windows),
        Kind::Mapping(pairs) => pairs.iter().any(|pair| names_windows(&pair.value)),
        Kind::Broken => false,
    }
}

/// Helps with a property that the language has, but not here.
fn elsewhere(object: &Object, name: &str) -> Option<String> {
    // These two have better words below: at the top they are meant for the whole run.
    if object.name == TASK.name && !matches!(name, "timeout" | "retries") {
        let belongs = STEP.find(name).is_some();
        return belongs.then(|| format!("`{name}` belongs into an entry of `steps`"));
    }
    let belongs = object.name == STEP.name && TASK.find(name).is_some();
    belongs.then(|| format!("`{name}` belongs to the top of the file"))
}

/// Words that mean something in other engines, or in ACR outside of the file.
type Words = (&'static [&'static str], &'static str);

const FOR_STEPS: &[Words] = &[
    (
        &[
            "depends",
            "dependsOn",
            "depends_on",
            "needs",
            "after",
            "requires",
        ],
        "name the steps to wait for in `when`, as in `when: [build]`",
    ),
    (
        &[
            "command", "commands", "run", "script", "args", "sh", "shell",
        ],
        "the command goes into `cmd`: the image, then its arguments",
    ),
    (
        &["image", "uses", "container", "from"],
        "the image is the first word of `cmd`",
    ),
    (
        &["name", "displayName", "key"],
        "the name of a step is its `id`",
    ),
    (
        &["environment", "envs", "variables", "vars"],
        "write `env: [NAME=value]`",
    ),
    (
        &["volumes", "mounts"],
        "name volumes of the file in `volumeMounts`",
    ),
    (
        &["workdir", "working_dir", "working-directory", "cwd", "dir"],
        "the folder goes into `workingDirectory`",
    ),
    (
        &["if", "condition", "only", "except", "unless"],
        "there are no conditions: `when` names steps that must have succeeded",
    ),
    (
        &[
            "continueOnError",
            "continue-on-error",
            "allow_failure",
            "failure",
        ],
        "write `ignoreErrors: true`",
    ),
    (
        &["retry", "attempts", "max_attempts"],
        "extra attempts go into `retries`",
    ),
    (
        &["delay", "sleep", "wait"],
        "the wait before a step is `startDelay`, the wait before a retry `retryDelay`",
    ),
    (
        &[
            "dockerfile",
            "context",
            "tags",
            "tag",
            "buildArgs",
            "build-args",
            "target",
        ],
        "a build takes docker's own arguments, as in `build: -t name -f Dockerfile .`",
    ),
    (
        &["images", "repo", "destination"],
        "the images to push go into `push: [name]`",
    ),
    (
        &["parallel", "async", "concurrent"],
        "write `when: ['-']` to start at once",
    ),
    (&["daemon", "background", "service"], "write `detach: true`"),
    (
        &["memory", "mem", "memory_limit"],
        "give memory within `cmd`: `--memory 512m image …`",
    ),
    (
        &["platform", "os", "architecture"],
        "write `--platform` within `cmd` or `build`",
    ),
];

const FOR_TASKS: &[Words] = &[
    (
        &["timeout"],
        "the limit of a whole run is given to the run, by `--timeout`; the default limit of a step is `stepTimeout`",
    ),
    (
        &["retries", "retry"],
        "`retries` belongs to a step, a whole run is not retried",
    ),
    (
        &["cpu", "cpus", "memory", "agentConfiguration", "resources"],
        "limits belong to a step, as `cpus`, or to the run that is started",
    ),
    (
        &["platform", "os", "architecture"],
        "the platform is the one of the container engine, it is not part of the file",
    ),
    (
        &["stages", "jobs", "tasks", "pipeline", "workflow"],
        "write one list of `steps`",
    ),
    (
        &[
            "trigger",
            "triggers",
            "on",
            "schedule",
            "name",
            "credentials",
            "values",
        ],
        "this belongs to the run or to a stored task, it is not part of the file",
    ),
    (
        &["environment", "variables", "envs"],
        "write `env: [NAME=value]`",
    ),
    (&["aliases"], "write `alias`, and `version: v1.1.0`"),
];

fn other_words(object: &Object, name: &str) -> Option<String> {
    let table = match object.name {
        name if name == STEP.name => FOR_STEPS,
        name if name == TASK.name => FOR_TASKS,
        _ => return None,
    };
    let row = table.iter().find(|(words, _)| words.contains(&name));
    row.map(|(_, help)| (*help).to_owned())
}
