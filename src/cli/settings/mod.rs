//! Settings: a flag over a `CAREEN_*` variable over the settings file over the default, each with its source.

mod bounds;
mod secrets;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{CliError, Globals};
pub use bounds::Bounds;
use bounds::BoundsFile;
pub use secrets::{cloud_variables, secret_variable};

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command line flag.
    Flag,
    /// An environment variable.
    Variable(&'static str),
    /// The settings file.
    File(PathBuf),
    /// Nothing was said.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// All settings, each resolved once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database: a file, or a `postgres://` address.
    pub db: Setting<PathBuf>,
    /// The registry of runs that are given none.
    pub registry: Setting<Option<String>>,
    /// The engine's address; `None` is the local socket.
    pub docker_host: Setting<Option<String>>,
    /// The address of an engine for builds that the other cannot make.
    pub builder: Setting<Option<String>>,
    /// How many steps may be under way at once.
    pub parallel: Setting<u32>,
    /// How long a run may take, in seconds.
    pub timeout_seconds: Setting<u64>,
    /// The file with the key that seals secrets.
    pub key_file: Setting<PathBuf>,
    /// Where large things are kept: a folder, `s3://…` or `az://…`; `None` is beside the database.
    pub objects: Setting<Option<String>>,
    /// The server that runs things; `None` is this machine itself.
    pub server: Setting<Option<String>>,
    /// What is kept, and how full the disk may get.
    pub bounds: Bounds,
    /// The names of stored secrets by the vault addresses that task files have for them.
    pub vault_secrets: BTreeMap<String, String>,
}

/// How many steps per core may be under way at once: most of them wait for disks and networks.
const STEPS_PER_CORE: usize = 4;
/// How long a run may take when nothing is said, as in ACR.
const RUN_TIMEOUT_SECONDS: u64 = 3600;

/// The settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    db: Option<PathBuf>,
    registry: Option<String>,
    docker_host: Option<String>,
    builder: Option<String>,
    parallel: Option<u32>,
    timeout: Option<u64>,
    key_file: Option<PathBuf>,
    objects: Option<String>,
    server: Option<String>,
    #[serde(default)]
    keep: BoundsFile,
    #[serde(default)]
    vault_secrets: BTreeMap<String, String>,
}

impl Settings {
    /// Resolves all settings.
    pub fn read(globals: &Globals) -> Result<Self, CliError> {
        let path = globals.config.clone().or_else(default_file);
        let file = read_file(path.as_deref(), globals.config.is_some())?;
        let from = Source {
            path: path.unwrap_or_default(),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let default_parallel = u32::try_from(cores * STEPS_PER_CORE).unwrap_or(u32::MAX);
        let data = data_folder();
        Ok(Self {
            db: database(&from, globals, file.db, &data)?,
            registry: from.pick_text("CAREEN_REGISTRY", file.registry),
            docker_host: from.pick_text("DOCKER_HOST", file.docker_host),
            builder: from.pick_text("CAREEN_BUILDER", file.builder),
            parallel: from.pick("CAREEN_PARALLEL", None, file.parallel, || default_parallel)?,
            timeout_seconds: from
                .pick("CAREEN_TIMEOUT", None, file.timeout, || RUN_TIMEOUT_SECONDS)?,
            objects: from.pick_text("CAREEN_OBJECTS", file.objects),
            server: match &globals.server {
                Some(url) => Setting {
                    value: Some(url.clone()),
                    origin: Origin::Flag,
                },
                None => from.pick_text("CAREEN_SERVER", file.server),
            },
            key_file: from.pick("CAREEN_KEY_FILE", None, file.key_file, || data.join("key"))?,
            bounds: Bounds::read(&from, &file.keep)?,
            vault_secrets: file.vault_secrets,
        })
    }

    /// The folder beside the database, for logs, locks and saved files.
    pub fn data_folder(&self) -> PathBuf {
        if self.postgres().is_some() {
            return data_folder();
        }
        let parent = self.db.value.parent().unwrap_or(Path::new("."));
        parent.to_path_buf()
    }

    /// All that careen itself writes, which no context is to hold.
    pub fn own_paths(&self) -> Vec<PathBuf> {
        let data = self.data_folder();
        let folders = ["contexts", "uploaded", "logs", "locks", "files"];
        let mut own: Vec<PathBuf> = folders.iter().map(|name| data.join(name)).collect();
        own.extend([self.key_file.value.clone(), PathBuf::from(self.objects())]);
        if self.postgres().is_none() {
            let beside = ["", "-wal", "-shm", "-journal", "-reserve"].into_iter();
            own.extend(beside.map(|end| {
                let mut path = self.db.value.clone().into_os_string();
                path.push(end);
                PathBuf::from(path)
            }));
        }
        own
    }

    /// The address of the Postgres database, if it is one.
    pub fn postgres(&self) -> Option<SecretString> {
        let address = self.db.value.to_str()?;
        let is_postgres = ["postgres://", "postgresql://"]
            .iter()
            .any(|it| address.starts_with(it));
        is_postgres.then(|| address.into())
    }

    /// Where large things are kept.
    pub fn objects(&self) -> String {
        let beside = || self.data_folder().join("objects");
        let set = self.objects.value.clone();
        set.unwrap_or_else(|| beside().to_string_lossy().into_owned())
    }

    /// The database as it may be shown: without a password.
    fn shown_database(&self) -> String {
        let shown = self.db.value.display().to_string();
        match url::Url::parse(&shown) {
            Ok(mut address) if address.password().is_some() => {
                let _ = address.set_password(Some("***"));
                address.into()
            }
            _ => shown,
        }
    }

    /// Lists names, values and origins, for people.
    pub fn list(&self) -> Vec<(&'static str, String, String)> {
        let row = |name, value: String, origin: &Origin| (name, value, origin.to_string());
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let mut rows = vec![
            row("db", self.shown_database(), &self.db.origin),
            row(
                "registry",
                text(&self.registry.value),
                &self.registry.origin,
            ),
            row(
                "docker_host",
                text(&self.docker_host.value),
                &self.docker_host.origin,
            ),
            row("builder", text(&self.builder.value), &self.builder.origin),
            row(
                "parallel",
                self.parallel.value.to_string(),
                &self.parallel.origin,
            ),
            row(
                "timeout",
                self.timeout_seconds.value.to_string(),
                &self.timeout_seconds.origin,
            ),
            row(
                "key_file",
                self.key_file.value.display().to_string(),
                &self.key_file.origin,
            ),
            row("objects", self.objects(), &self.objects.origin),
            row("server", text(&self.server.value), &self.server.origin),
        ];
        rows.extend(self.bounds.list());
        rows
    }
}

/// Chooses between the places a value may come from.
struct Source {
    path: PathBuf,
}

impl Source {
    fn pick<T: std::str::FromStr>(
        &self,
        variable: &'static str,
        flag: Option<T>,
        file: Option<T>,
        default: impl FnOnce() -> T,
    ) -> Result<Setting<T>, CliError> {
        // clap reads CAREEN_DB into the flag; the variable is still where it came from.
        if let Ok(text) = std::env::var(variable)
            && !text.is_empty()
        {
            let value = text.parse().map_err(|_| {
                CliError::usage(
                    format!("the variable {variable} holds {text:?}, which is no fit value"),
                    "Unset it, or give it a number",
                )
            })?;
            let origin = Origin::Variable(variable);
            return Ok(Setting { value, origin });
        }
        let (value, origin) = match (flag, file) {
            (Some(value), _) => (value, Origin::Flag),
            (None, Some(value)) => (value, Origin::File(self.path.clone())),
            (None, None) => (default(), Origin::Default),
        };
        Ok(Setting { value, origin })
    }

    fn pick_number(
        &self,
        variable: &'static str,
        file: Option<u64>,
    ) -> Result<Setting<Option<u64>>, CliError> {
        let is_set = std::env::var(variable).is_ok_and(|it| !it.is_empty());
        let is_said = is_set || file.is_some();
        let found = self.pick(variable, None, file, || 0)?;
        Ok(Setting {
            value: is_said.then_some(found.value),
            origin: found.origin,
        })
    }

    fn pick_text(&self, variable: &'static str, file: Option<String>) -> Setting<Option<String>> {
        let set = std::env::var(variable).ok().filter(|text| !text.is_empty());
        let (value, origin) = match (set, file) {
            (Some(value), _) => (Some(value), Origin::Variable(variable)),
            (None, Some(value)) => (Some(value), Origin::File(self.path.clone())),
            (None, None) => (None, Origin::Default),
        };
        Setting { value, origin }
    }
}

/// The database; its address may hold a password, so a file may hold the address.
fn database(
    from: &Source,
    globals: &Globals,
    file: Option<PathBuf>,
    data: &Path,
) -> Result<Setting<PathBuf>, CliError> {
    if globals.db.is_none()
        && let Some(address) = secret_variable("CAREEN_DB")?
    {
        return Ok(Setting {
            value: PathBuf::from(address.expose_secret()),
            origin: Origin::Variable("CAREEN_DB_FILE"),
        });
    }
    let usual = || data.join("careen.db");
    from.pick("CAREEN_DB", globals.db.clone(), file, usual)
}

/// The docker client's own settings file, as far as there is a place for one.
pub fn docker_config_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(dirs::home_dir()?.join(".docker")))?;
    Some(folder.join("config.json"))
}

fn default_file() -> Option<PathBuf> {
    Some(dirs::config_dir()?.join("careen/careen.toml"))
}

fn data_folder() -> PathBuf {
    dirs::data_dir()
        .unwrap_or_else(|| PathBuf::from("."))
        .join("careen")
}

fn read_file(path: Option<&Path>, must_exist: bool) -> Result<File, CliError> {
    let Some(path) = path else {
        return Ok(File::default());
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(File::default());
        }
        Err(error) => {
            return Err(CliError::usage(
                format!("cannot read the settings file {}: {error}", path.display()),
                "Name another with --config",
            ));
        }
    };
    toml::from_str(&text).map_err(|error| {
        CliError::usage(
            format!("the settings file {} is wrong:\n{error}", path.display()),
            "careen config show lists the settings there are",
        )
    })
}
