//! A server in this process, and the verbs to ask it.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use careen::{
    app::{App, Notices, WorkerTerms, decide_deliveries, work_beside},
    ports::{Courier, FrameStore, Role, RunFilter},
    server::{Api, Terms, router, tell_ends},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::world::World;

/// A task that succeeds at once.
pub const TASK: &str = "version: v1.1.0\nsteps:\n  - id: one\n    cmd: busybox true\n";

/// A server over a careen in memory.
pub struct Served {
    pub app: Arc<App>,
    pub stop: CancellationToken,
    _world: World,
    router: axum::Router,
    _stop_all: tokio_util::sync::DropGuard,
    token: Option<String>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Served {
    /// Serves who bears a token; asks as an admin unless told otherwise.
    pub async fn new() -> Served {
        let mut served = Served::on(Terms::default()).await;
        served.asks_as(Role::Admin).await;
        served
    }

    /// Serves on these terms, asks without a token.
    pub async fn on(terms: Terms) -> Served {
        let world = World::new().await;
        let app = Arc::new(world.app());
        Served::with(world, app, None, terms)
    }

    /// Serves an admin, and tells ends of runs through this courier.
    pub async fn telling(notices: Notices, courier: Arc<dyn Courier>) -> Served {
        let world = World::new().await;
        let mut app = world.app();
        app.courier = courier;
        let app = Arc::new(app);
        let mut served = Served::with(world, app, Some(notices), Terms::default());
        served.asks_as(Role::Admin).await;
        served
    }

    /// Serves an admin, and reads logs through what is put around their store.
    pub async fn reading(
        around: impl FnOnce(Arc<dyn FrameStore>) -> Arc<dyn FrameStore>,
    ) -> Served {
        let world = World::new().await;
        let mut app = world.app();
        app.ports.frames = around(app.ports.frames);
        let mut served = Served::with(world, Arc::new(app), None, Terms::default());
        served.asks_as(Role::Admin).await;
        served
    }

    /// Serves an admin, and reaches the outside through this courier.
    pub async fn through(courier: Arc<dyn Courier>) -> Served {
        let world = World::new().await;
        let mut app = world.app();
        app.courier = courier;
        let mut served = Served::with(world, Arc::new(app), None, Terms::default());
        served.asks_as(Role::Admin).await;
        served
    }

    fn with(world: World, app: Arc<App>, notices: Option<Notices>, terms: Terms) -> Served {
        let api = Api::new(app.clone(), terms);
        let beside = CancellationToken::new();
        let terms = WorkerTerms {
            parallel_runs: 8,
            ..WorkerTerms::named("beside")
        };
        tokio::spawn(work_beside(app.clone(), terms, beside.clone()));
        tokio::spawn(tell_ends(app.clone(), notices, beside.clone()));
        let news = api.intake.news.clone();
        tokio::spawn(decide_deliveries(app.clone(), news, beside.clone()));
        Served {
            stop: api.stop.clone(),
            router: router(api),
            app,
            _stop_all: beside.drop_guard(),
            _world: world,
            token: None,
        }
    }

    /// Waits until everything that runs has ended and was told.
    pub async fn settles(&self) {
        let unfinished = RunFilter {
            unfinished: true,
            ..RunFilter::default()
        };
        for _ in 0..3000 {
            let runs = self.app.ports.store.runs(&unfinished).await.unwrap();
            if runs.is_empty() && self.app.queue.untold_ends().await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("something is still under way");
    }

    /// Asks with a new token of this role from now on; returns the token's id.
    pub async fn asks_as(&mut self, role: Role) -> String {
        let made = self.app.create_token(role.as_str(), role, None).await;
        let (token, secret) = made.expect("a token");
        self.token = Some(secret.expose_secret().to_owned());
        token.id
    }

    /// Asks with this token from now on.
    pub fn bears(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Sends a request whole.
    pub async fn sends(&self, mut request: Request<Body>) -> axum::response::Response {
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().expect("a header");
            request
                .headers_mut()
                .entry("authorization")
                .or_insert(value);
        }
        let answer = self.router.clone().oneshot(request).await;
        answer.expect("the router never fails")
    }

    /// Sends a request with headers and, unless it is null, a JSON body.
    pub async fn asks(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        Answered::of(self.sends(request.body(body).expect("a request")).await).await
    }

    /// Is told something by another program, which bears no token of ours.
    pub async fn is_told(&self, path: &str, header: (&str, &str), body: &str) -> Answered {
        let request = Request::builder().method("POST").uri(path);
        let request = request.header(header.0, header.1);
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await;
        Answered::of(answer.expect("the router never fails")).await
    }

    /// Gets a path.
    pub async fn gets(&self, path: &str) -> Answered {
        self.asks("GET", path, &[], Value::Null).await
    }

    /// Posts to a path.
    pub async fn posts(&self, path: &str, body: Value) -> Answered {
        self.asks("POST", path, &[], body).await
    }

    /// Queues a run of a task file and returns its id.
    pub async fn queues(&self, text: &str) -> String {
        let body = serde_json::json!({ "text": text });
        let answer = self.posts("/api/v1/runs", body).await.is(201);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until a run has ended and returns it.
    pub async fn ended(&self, run: &str) -> Value {
        for _ in 0..1000 {
            let run = self.gets(&format!("/api/v1/runs/{run}")).await.is(200);
            let run = run.json();
            if run["ended_at"] != Value::Null {
                return run;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("run {run} did not end");
    }
}

impl Answered {
    /// Reads an answer whole.
    pub async fn of(response: axum::response::Response) -> Answered {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answered {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Asserts the status; shows everything when it is another.
    #[track_caller]
    pub fn is(self, status: u16) -> Answered {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Asserts that it is an error with this code, a message and a hint.
    #[track_caller]
    pub fn refuses(self, status: u16, code: &str) -> Answered {
        let answered = self.is(status);
        let error = answered.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert_ne!(error["message"], "", "{error}");
        answered
    }

    /// The body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// A header.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|it| it.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }
}
