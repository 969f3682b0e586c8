//! The real careen as a process, with a home and a database of its own, and the verbs to speak of it.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use careen::{
    adapters::sqlite::SqliteStore,
    ports::{Containers, Images, Labels, Resource, RunFilter, RunStore, StoreError},
    runner::LABEL_STORE,
};
use serde_json::Value;

use crate::engines::Engine;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A careen with a database of its own. Dropping it asserts that nothing is left on the engine.
pub struct Careen {
    home: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    images: Vec<String>,
    /// The engine it runs on, if it needs one.
    engine: Option<Engine>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A command that is under way; killed when dropped.
pub struct Running(Child);

impl Careen {
    /// Makes a careen that needs no engine.
    pub fn new() -> Careen {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(home.path().join("context")).expect("a context");
        Careen {
            home,
            variables: BTreeMap::new(),
            images: Vec::new(),
            engine: None,
        }
    }

    /// Makes a careen on the engine of this machine; `None`, said aloud, when there is none.
    pub fn on_docker() -> Option<Careen> {
        wait_for(Engine::local()).map(Careen::on)
    }

    /// Makes a careen on a newer engine; `None`, said aloud, when it is not up.
    pub fn on_newer(kind: &str) -> Option<Careen> {
        wait_for(Engine::newer(kind)).map(Careen::on)
    }

    /// Makes a careen on an engine.
    pub fn on(engine: Engine) -> Careen {
        let mut careen = Careen::new();
        careen.variables = engine.variables.clone();
        careen.engine = Some(engine);
        careen
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("it was made on an engine")
    }

    /// Sets an environment variable for what is run from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_string(), value.to_string());
    }

    /// A name for an image that only this test uses; the image is removed with the careen.
    pub fn image(&mut self, what: &str) -> String {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("careen-test-{what}-{}:1", &unique[..12]);
        self.images.push(name.clone());
        name
    }

    /// Lets an image that a run makes be removed with the careen.
    pub fn keep_track(&mut self, reference: &str) {
        self.images.push(reference.to_string());
    }

    /// Removes an image from the engine, which has it from a registry then.
    pub fn remove_image(&self, reference: &str) {
        wait_for(async {
            let docker = bollard::Docker::connect_with_defaults().expect("a client");
            let options = None::<bollard::query_parameters::RemoveImageOptions>;
            let removed = docker.remove_image(reference, options, None).await;
            removed.expect("it was there");
        });
    }

    /// Removes an image from the engine, whether or not it is there.
    pub fn remove_image_if_there(&self, reference: &str) {
        wait_for(async {
            let docker = self.engine().client();
            let options = None::<bollard::query_parameters::RemoveImageOptions>;
            let _ = docker.remove_image(reference, options, None).await;
        });
    }

    /// The folder with everything of this careen.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path in its home, for `--output`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of the context.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.path("context").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// Writes the steps of the task file, `acb.yaml` of the context.
    pub fn steps(&self, steps: &str) {
        self.file("acb.yaml", &format!("version: v1.1.0\nsteps:\n{steps}"));
    }

    /// Writes the task file whole.
    pub fn task(&self, text: &str) {
        self.file("acb.yaml", text);
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
        command.args(words).current_dir(self.path("context"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CAREEN_")) {
            command.env_remove(name);
        }
        command
            .env("HOME", self.home())
            .env("XDG_DATA_HOME", self.path("share"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("CAREEN_DB", self.database())
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn database(&self) -> PathBuf {
        self.path("data/careen.db")
    }

    /// Starts a command and does not wait for it.
    pub fn start(&self, words: &[&str]) -> Running {
        Running(self.command(words).spawn().expect("careen starts"))
    }

    /// Does a command to its end that reads this from its standard input.
    pub fn told(&self, words: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(words);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("careen starts");
        let mut stdin = child.stdin.take().expect("an input");
        // A command that refuses its words reads nothing.
        let _ = stdin.write_all(input.as_ref());
        drop(stdin);
        Running(child).end()
    }

    /// Does a command to its end.
    pub fn does(&self, words: &[&str]) -> Ran {
        self.start(words).end()
    }

    /// Runs the task file of the context, with these options.
    pub fn run(&self, options: &[&str]) -> Ran {
        self.does(&[&["run", "."], options].concat())
    }

    /// Runs the task file in the background, with these options.
    pub fn start_run(&self, options: &[&str]) -> Running {
        self.start(&[&["run", "."], options].concat())
    }

    /// Does a command that answers in JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let ran = self.does(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {ran:?}"))
    }

    /// The latest run as recorded: the run, its `step_list`, `attempts` and `events`.
    pub fn latest(&self) -> Value {
        self.json(&["runs", "show", "latest", "--events"])
    }

    /// The text of one step's log.
    pub fn log(&self, step: &str) -> String {
        let ran = self.does(&["runs", "logs", "latest", "--step", step]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    }

    /// Says how many events are recorded of the latest run; 0 while there is none.
    pub fn events(&self) -> usize {
        let count = self.ask(async |store| {
            let run = store.run(&store.find("latest").await?).await?;
            Ok(store.events(&run.id, run.generation).await?.len())
        });
        count.unwrap_or_default()
    }

    /// Lists the ids of the runs that have not ended.
    pub fn unfinished(&self) -> Vec<String> {
        let filter = RunFilter {
            unfinished: true,
            ..RunFilter::default()
        };
        let rows = self.ask(async |store| store.runs(&filter).await);
        let rows = rows.unwrap_or_default().into_iter();
        rows.map(|run| run.id).collect()
    }

    /// Asks the record; `None` while there is none, or none of such a run.
    fn ask<T>(
        &self,
        question: impl AsyncFnOnce(SqliteStore) -> Result<T, StoreError>,
    ) -> Option<T> {
        if !self.database().exists() {
            return None;
        }
        wait_for(async {
            let store = SqliteStore::open(&self.database())
                .await
                .expect("a database");
            match question(store).await {
                Ok(answer) => Some(answer),
                Err(StoreError::NoSuchRun(_)) => None,
                Err(error) => panic!("{error}"),
            }
        })
    }

    /// Waits until something is so.
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&Careen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let looked_at = Instant::now();
            if is_so(self) {
                return;
            }
            assert!(looked_at < deadline, "still not: {what}");
            std::thread::sleep(rest_after(looked_at.elapsed()));
        }
    }

    /// Waits until a run has ended, and gives it as recorded.
    pub fn end_of(&self, run: &str) -> Value {
        let shown = || self.json(&["runs", "show", run, "--events"]);
        self.until("it has ended", |_| shown()["ended_at"] != Value::Null);
        shown()
    }

    /// Waits for the end of a run, and gives it if it has succeeded as this generation, counted from 1.
    pub fn success_of(&self, run: &str, generation: u32) -> Value {
        let ended = self.end_of(run);
        assert_eq!(
            (&ended["status"], &ended["generation"]),
            (&"succeeded".into(), &generation.into()),
            "{ended}"
        );
        ended
    }

    /// The label of everything that this careen makes on the engine.
    fn labels(&self) -> Option<Labels> {
        let id = self.ask(async |store| Ok(store.store_id().to_string()))?;
        Some(Labels::from([(LABEL_STORE.to_string(), id)]))
    }

    /// Names the containers, networks and volumes that this careen has on the engine now.
    pub fn on_engine(&self) -> Vec<String> {
        let Some(labels) = self.labels() else {
            return Vec::new();
        };
        wait_for(async {
            let engine = self.engine().connect();
            let mut names = Vec::new();
            for resource in [Resource::Container, Resource::Network, Resource::Volume] {
                let found = engine.list(resource, &labels).await.expect("a list");
                names.extend(found.into_iter().map(|it| it.name));
            }
            names.extend(unlabelled_volumes(self.engine(), &labels[LABEL_STORE]).await);
            names.sort();
            names.dedup();
            names
        })
    }

    /// Says whether the engine has an image.
    pub fn has_image(&self, reference: &str) -> bool {
        let engine = self.engine().connect();
        wait_for(async { engine.image(reference).await.ok().flatten().is_some() })
    }

    /// Says under which digest the engine got an image from its own repository; `None` when it was built there.
    pub fn repo_digest(&self, repository: &str) -> Option<String> {
        let image = wait_for(async {
            self.engine()
                .connect()
                .image(repository)
                .await
                .ok()
                .flatten()
        })?;
        let own =
            |text: &String| Some(text.strip_prefix(repository)?.strip_prefix('@')?.to_owned());
        image.repo_digests.iter().find_map(own)
    }

    /// Asks the engine for all it knows of a container.
    pub fn inspect(&self, step_and_attempt: &str) -> bollard::models::ContainerInspectResponse {
        let id = self.container(step_and_attempt).expect("it is there");
        wait_for(async {
            let docker = self.engine().client();
            let options = None::<bollard::query_parameters::InspectContainerOptions>;
            docker
                .inspect_container(&id, options)
                .await
                .expect("it is there")
        })
    }

    /// Says the engine's id of a container by the last part of its name, while it is there.
    pub fn container(&self, step_and_attempt: &str) -> Option<String> {
        let labels = self.labels()?;
        wait_for(async {
            let engine = self.engine().connect();
            let found = engine.list(Resource::Container, &labels).await.ok()?;
            let wanted = format!("-{step_and_attempt}");
            let it = found.into_iter().find(|it| it.name.ends_with(&wanted))?;
            Some(it.id)
        })
    }
}

/// Volumes that bear this store's name: an engine makes those that a mount names, and gives them no label.
async fn unlabelled_volumes(engine: &Engine, store: &str) -> Vec<String> {
    let listed = engine
        .client()
        .list_volumes(None::<bollard::query_parameters::ListVolumesOptions>)
        .await;
    let volumes = listed.ok().and_then(|it| it.volumes).unwrap_or_default();
    let names = volumes.into_iter().map(|it| it.name);
    names
        .filter(|name| name.contains(&format!("careen-{store}-")))
        .collect()
}

impl Drop for Careen {
    fn drop(&mut self) {
        let Some(engine) = &self.engine else {
            return;
        };
        let left = self.on_engine();
        if !left.is_empty() {
            self.does(&["sweep", "--quiet"]);
        }
        wait_for(async {
            let docker = engine.client();
            for image in &self.images {
                let options = None::<bollard::query_parameters::RemoveImageOptions>;
                let _ = docker.remove_image(image, options, None).await;
            }
        });
        if !std::thread::panicking() {
            assert_eq!(left, [""; 0], "left on the engine");
        }
    }
}

impl Running {
    /// Waits for its end.
    pub fn end(mut self) -> Ran {
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        let stderr = std::thread::spawn(move || text(stderr));
        let stdout = std::thread::spawn(move || text(stdout));
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "careen does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        Ran {
            code: status.code(),
            stdout: stdout.join().expect("read"),
            stderr: stderr.join().expect("read"),
        }
    }

    /// Says whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }

    /// Kills it as nothing can prevent, and waits until it is gone.
    pub fn kill(mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill").success());
    }
}

/// How long to wait before looking again. To look by a command takes a core for long, and who is waited for needs it; to
/// look into the database does not, and there the moment counts.
fn rest_after(look: Duration) -> Duration {
    const QUICK: Duration = Duration::from_millis(10);
    if look < QUICK {
        Duration::from_millis(2)
    } else {
        (4 * look).min(Duration::from_millis(500))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ran {
    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        let (out, err) = (&self.stdout, &self.stderr);
        assert_eq!(self.code, Some(code), "\nstdout:\n{out}\nstderr:\n{err}");
        self
    }

    /// Asserts that standard error says all of this.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Ran {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "no {word:?} in\n{}",
                self.stderr
            );
        }
        self
    }

    /// Asserts that standard output says this.
    #[track_caller]
    pub fn prints(self, word: &str) -> Ran {
        assert!(
            self.stdout.contains(word),
            "no {word:?} in\n{}",
            self.stdout
        );
        self
    }
}

fn text(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    let read = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
    read.transpose().expect("read");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Awaits something where nothing else is awaited.
pub fn wait_for<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(what)
}
