//! The few calls of WebDriver that the tests need, and the verbs made of them.

use std::{process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How Chromium is started: without a window, without asking anybody for anything.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one page.
pub struct Browser {
    client: reqwest::Client,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser of its own; says why there is none.
    pub async fn start() -> Result<Browser, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("chromedriver cannot be started: {error}"))?;
        let port = timeout(PATIENCE, port(&mut driver)).await;
        let port = port.ok().flatten().ok_or("chromedriver names no port")?;
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([folder.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": { "args": arguments } } } });
        let client = reqwest::Client::new();
        let at = format!("http://127.0.0.1:{port}/session");
        let made = call(&client, &at, Some(wanted)).await?;
        let id = made["sessionId"].as_str().ok_or("no session was made")?;
        Ok(Browser {
            session: format!("{at}/{id}"),
            client,
            _driver: driver,
            _profile: profile,
        })
    }

    /// Ends the browser.
    pub async fn quits(&self) {
        let _ = self.client.delete(&self.session).send().await;
    }

    async fn call(&self, path: &str, body: Option<Value>) -> Value {
        let at = format!("{}/{path}", self.session);
        let answer = call(&self.client, &at, body).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Goes to an address.
    pub async fn goes(&self, url: &str) {
        self.call("url", Some(json!({ "url": url }))).await;
    }

    /// Runs a script in the page; it says what it found with `return`.
    pub async fn runs(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.call("execute/sync", Some(body)).await
    }

    /// Runs a script that calls its last argument when it is done.
    pub async fn awaits(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.call("execute/async", Some(body)).await
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call("element", Some(wanted)).await;
        let id = found.as_object().and_then(|it| it.values().next());
        let id = id.and_then(Value::as_str).expect("an element");
        format!("element/{id}")
    }

    /// Clicks on what a selector finds.
    pub async fn clicks(&self, selector: &str) {
        let element = self.element(selector).await;
        self.call(&format!("{element}/click"), Some(json!({})))
            .await;
    }

    /// Types into what a selector finds.
    pub async fn types(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        let text = json!({ "text": text });
        self.call(&format!("{element}/value"), Some(text)).await;
    }

    /// Waits until a script says something that is true.
    #[track_caller]
    pub fn waits_for(&self, script: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            while self.runs(script).await != Value::Bool(true) {
                assert!(begun.elapsed() < PATIENCE, "{caller}: never true: {script}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until what a selector finds says this.
    #[track_caller]
    pub fn sees(&self, selector: &str, text: &str) -> impl Future<Output = ()> {
        let script = format!(
            "return [...document.querySelectorAll({})].some(it => it.textContent.includes({}))",
            json!(selector),
            json!(text)
        );
        let caller = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            while self.runs(&script).await != Value::Bool(true) {
                assert!(begun.elapsed() < PATIENCE, "{caller}: {script}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Makes the window as large as this.
    pub async fn measures(&self, width: u32, height: u32) {
        let wanted = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tells("Emulation.setDeviceMetricsOverride", wanted)
            .await;
    }

    /// Prefers a colour scheme, as a person's system does.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tells("Emulation.setEmulatedMedia", features).await;
    }

    async fn tells(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("goog/cdp/execute", Some(body)).await;
    }

    /// Keeps a picture of the page where `CAREEN_TEST_PICTURES` names a folder.
    pub async fn pictures(&self, name: &str) {
        let Some(folder) = std::env::var_os("CAREEN_TEST_PICTURES") else {
            return;
        };
        let picture = self.call("screenshot", None).await;
        let picture = BASE64_STANDARD.decode(picture.as_str().expect("a picture"));
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, picture.expect("base64")).expect("a folder to write to");
    }
}

/// Reads which port the driver took.
async fn port(driver: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(driver.stdout.take()?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((_, port)) = line.split_once("successfully on port ") else {
            continue;
        };
        if let Ok(port) = port.trim_end_matches('.').parse() {
            // It goes on to write; nobody reads it, and that must not stop it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(port);
        }
    }
    None
}

async fn call(client: &reqwest::Client, at: &str, body: Option<Value>) -> Result<Value, String> {
    let request = match body {
        Some(body) => client.post(at).json(&body),
        None => client.get(at),
    };
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let is_fine = answer.status().is_success();
    let mut body: Value = answer.json().await.map_err(|error| error.to_string())?;
    let value = body["value"].take();
    if is_fine {
        Ok(value)
    } else {
        Err(value.to_string())
    }
}
