//! A code host: a git server, its hooks, and a careen that listens.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use careen::{
    app::{NewSource, TaskWish},
    ports::{Courier, Delivery, DeliveryFilter, Expected, RunFilter, RunRow},
    tasks::{Definition, SourceTrigger},
    triggers::Provider,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    contexts::servers::{GitServer, Repository},
    server::asked::{Answered, Served},
    world::NoWeb,
};

pub const SECRET: &str = "a secret of the hook";
pub const FILE: &str = "steps: [{id: one, cmd: busybox true}]";

/// A code host with one repository, and a careen with one source.
pub struct Host {
    pub served: Served,
    pub git: GitServer,
    pub repository: Repository,
    pub first: String,
}

impl Host {
    pub async fn new() -> Host {
        Host::through(Arc::new(NoWeb)).await
    }

    pub async fn through(courier: Arc<dyn Courier>) -> Host {
        let served = Served::through(courier).await;
        let git = GitServer::start().await;
        let repository = git.repository("web.git", &[("acb.yaml", FILE)]);
        let first = repository.git(&["rev-parse", "HEAD"]);
        let host = Host {
            served,
            git,
            repository,
            first,
        };
        host.source("hub", SECRET, None).await;
        host
    }

    /// Sets who may deliver.
    pub async fn source(&self, name: &str, secret: &str, task: Option<&str>) {
        let new = NewSource {
            name: name.to_owned(),
            provider: Provider::Github,
            task: task.map(str::to_owned),
            secret: Some(secret.to_owned().into()),
            token: Some("a token".to_owned().into()),
            api: None,
        };
        self.served.app.set_hook_source(new).await.unwrap();
    }

    /// Stores a task that watches the repository.
    pub async fn task(&self, name: &str, change: impl FnOnce(&mut Definition, &mut SourceTrigger)) {
        let url = self.git.url("web.git");
        let mut task = Definition::named(name);
        task.context = Some(format!("{url}#main"));
        task.allow = vec!["private-address".to_owned()];
        let mut trigger = SourceTrigger::new("t", url);
        change(&mut task, &mut trigger);
        task.triggers.source.push(trigger);
        let secret = |name: &String| (name.clone(), "hidden-word".to_owned().into());
        let wish = TaskWish {
            secrets: task.secret_values.iter().map(secret).collect(),
            definition: task,
            expected: Expected::Any,
            manifest: None,
        };
        self.served.app.put_task(wish, "ann").await.unwrap();
    }

    /// What GitHub sends for a push to a branch.
    pub fn push(&self, branch: &str, before: &str, commit: &str) -> Value {
        json!({
            "ref": format!("refs/heads/{branch}"),
            "before": before,
            "after": commit,
            "repository": self.repository_body(),
            "sender": {"id": 7, "login": "ann"},
            "commits": [{"added": [], "modified": ["acb.yaml"], "removed": []}],
            "head_commit": {"message": "a change"},
        })
    }

    pub fn repository_body(&self) -> Value {
        json!({"id": 1, "clone_url": self.git.url("web.git"), "html_url": self.git.url("web")})
    }

    /// Delivers to the shared door as GitHub does.
    pub async fn delivers(&self, event: &str, id: &str, body: &Value) -> Answered {
        self.sends("/hooks", (event, id, SECRET), body.to_string().into_bytes())
            .await
    }

    /// Delivers anything anywhere, signed with this secret.
    pub async fn sends(
        &self,
        door: &str,
        (event, id, secret): (&str, &str, &str),
        body: Vec<u8>,
    ) -> Answered {
        let request = Request::builder()
            .method("POST")
            .uri(door)
            .header("x-github-event", event)
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", signature(secret, &body))
            .header("authorization", "Basic c2VjcmV0OnNlY3JldA==")
            .body(Body::from(body))
            .unwrap();
        Answered::of(self.served.sends(request).await).await
    }

    /// Waits until the newest delivery is decided.
    pub async fn decided(&self) -> Delivery {
        let newest = DeliveryFilter {
            before: None,
            limit: 1,
        };
        for _ in 0..1000 {
            let mut found = self
                .served
                .app
                .deliveries
                .deliveries(&newest)
                .await
                .unwrap();
            if let Some(delivery) = found.pop().filter(|it| it.decision.is_some()) {
                return delivery;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("nothing was decided");
    }

    /// Delivers, waits for the decision, and says what it is.
    pub async fn decides(&self, event: &str, id: &str, body: &Value) -> String {
        self.delivers(event, id, body).await.is(202);
        self.decided().await.decision.unwrap().summary
    }

    pub async fn runs(&self) -> Vec<RunRow> {
        self.served
            .app
            .ports
            .store
            .runs(&RunFilter::default())
            .await
            .unwrap()
    }

    /// Waits until everything has ended and returns the newest run, whole.
    pub async fn ended(&self) -> RunRow {
        self.served.settles().await;
        let newest = self.runs().await.remove(0);
        self.served.app.ports.store.run(&newest.id).await.unwrap()
    }
}

pub fn signature(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let bytes = mac.chain_update(body).finalize().into_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}
