//! One step of a task file, checked, with every default filled in.

use super::{Command, EnvVar, Grant};

/// When a step may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Nothing was said: after the step just above in the file, or at once for the first.
    Previous,
    /// `['-']`: at once.
    Immediately,
    /// After all of these step ids, each named once and declared earlier.
    After(Vec<String>),
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Runs a container.
    Cmd(Box<Command>),
    /// Builds an image.
    Build(Box<Build>),
    /// Pushes images.
    Push(Push),
}

impl StepKind {
    /// The property that makes the step: `cmd`, `build` or `push`.
    pub fn word(&self) -> &'static str {
        match self {
            StepKind::Cmd(_) => "cmd",
            StepKind::Build(_) => "build",
            StepKind::Push(_) => "push",
        }
    }
}

/// Whether a build step keeps its layers in a registry cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cache {
    /// Nothing said: as the worker is set.
    #[default]
    Unsaid,
    /// `disabled`.
    Disabled,
    /// `enabled`.
    Enabled,
}

/// A secret that RUN instructions may read, and that leaves no trace in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The id by which `RUN --mount=type=secret` asks for it.
    pub id: String,
    /// Where its content comes from.
    pub source: SecretSource,
}

/// Where the content of a build's secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file of the workspace or of a mounted volume.
    File(String),
    /// A variable of the step's environment.
    Env(String),
    /// The variable of this name where the step has one, else the file.
    EnvOrFile(String),
}

/// The `build` property: the arguments of a docker build, split into words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// The property as written (after templates).
    pub text: String,
    /// `-t`, `--tag`: the names to give the image.
    pub tags: Vec<String>,
    /// `-f`, `--file`: the Dockerfile.
    pub dockerfile: Option<String>,
    /// `--build-arg`: name and value; `None` takes the value from the step's environment.
    pub build_args: Vec<(String, Option<String>)>,
    /// `--target`: the stage to stop at.
    pub target: Option<String>,
    /// `--label`: name and value.
    pub labels: Vec<(String, String)>,
    /// `--platform`: the platforms, in order.
    pub platforms: Vec<String>,
    /// `--no-cache`.
    pub no_cache: bool,
    /// `--pull`: ask the registry for newer bases.
    pub pull: bool,
    /// `--network`: the network of RUN instructions.
    pub network: Option<String>,
    /// `--cache-from`, each as written.
    pub cache_from: Vec<String>,
    /// `--cache-to`, each as written.
    pub cache_to: Vec<String>,
    /// `--secret`.
    pub secrets: Vec<SecretUse>,
    /// `--add-host`, each as `host:address`.
    pub extra_hosts: Vec<String>,
    /// `--shm-size`, in bytes.
    pub shm_size_bytes: Option<u64>,
    /// `-m`, `--memory`, in bytes.
    pub memory_bytes: Option<u64>,
    /// `--squash`: one layer.
    pub squash: bool,
    /// `-q`, `--quiet`.
    pub quiet: bool,
    /// `--progress`, kept for messages only.
    pub progress: Option<String>,
    /// The last argument: folder, URL or `-`; `.` when there is none.
    pub context: String,
    /// What the options need to be allowed.
    pub grants: Vec<Grant>,
    /// `cache: enabled` on the step.
    pub cache: Cache,
}

/// The `push` property.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Push {
    /// The images, `:latest` added where neither tag nor digest is written, each once, in order.
    pub images: Vec<String>,
}

/// One entry of `volumeMounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeMount {
    /// The name of one of the task's volumes.
    pub name: String,
    /// Where it appears in the container.
    pub mount_path: String,
}

/// One step, its defaults filled in from the task and from the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id: unique in the file, without white space; `acb_step_<index>` when not given.
    pub id: String,
    /// What it does.
    pub kind: StepKind,
    /// When it may start.
    pub when: When,
    /// How long all its attempts together may take, in seconds.
    pub timeout_seconds: u64,
    /// How long to wait before the first attempt, in seconds; not part of the timeout.
    pub start_delay_seconds: u64,
    /// Attempts after the first one, for each iteration.
    pub retries: u32,
    /// The wait before a retry, in seconds.
    pub retry_delay_seconds: u64,
    /// When not empty, a failure is retried only if the attempt's output contains one of these.
    pub retry_on_errors: Vec<String>,
    /// Iterations after the first one.
    pub repeat: u32,
    /// Whether the run goes on when the step does not succeed.
    pub ignore_errors: bool,
    /// Whether the step succeeds as soon as its container has started.
    pub detach: bool,
    /// Whether the container is kept until the end of the run.
    pub keep: bool,
    /// Whether the image is pulled even if it is there.
    pub pull: bool,
    /// Extra attempts of that pull.
    pub pull_retries: u32,
    /// The wait before such an attempt, in seconds.
    pub pull_retry_delay_seconds: u64,
    /// The working directory inside the workspace, cleaned, absolute (`/workspace/…` when relative in the file);
    /// `None` leaves the image's own.
    pub working_directory: Option<String>,
    /// `entryPoint`, one word as docker's `--entrypoint` takes it.
    pub entry_point: Option<String>,
    /// The merged environment, step entries first.
    pub env: Vec<EnvVar>,
    /// `expose`, each as `port[/protocol]` or a range.
    pub expose: Vec<String>,
    /// `ports`, each as docker's `-p` takes it.
    pub ports: Vec<String>,
    /// `user`.
    pub user: Option<String>,
    /// `privileged`; needs to be allowed.
    pub privileged: bool,
    /// `network`, as written.
    pub network: Option<String>,
    /// `isolation`, as written.
    pub isolation: Option<String>,
    /// `cpus`, as written; a decimal number.
    pub cpus: Option<String>,
    /// `volumeMounts`.
    pub volume_mounts: Vec<VolumeMount>,
}

impl Step {
    /// Makes a step with every other property at its default, for callers that make tasks without a file.
    pub fn plain(kind: StepKind) -> Self {
        Self {
            id: String::new(),
            kind,
            when: When::Previous,
            timeout_seconds: 600,
            start_delay_seconds: 0,
            retries: 0,
            retry_delay_seconds: 5,
            retry_on_errors: Vec::new(),
            repeat: 0,
            ignore_errors: false,
            detach: false,
            keep: false,
            pull: false,
            pull_retries: 0,
            pull_retry_delay_seconds: 0,
            working_directory: None,
            entry_point: None,
            env: Vec::new(),
            expose: Vec::new(),
            ports: Vec::new(),
            user: None,
            privileged: false,
            network: None,
            isolation: None,
            cpus: None,
            volume_mounts: Vec::new(),
        }
    }
}
