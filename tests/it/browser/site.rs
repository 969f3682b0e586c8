//! A server on a port of its own, over a careen in memory.

use std::sync::Arc;

use careen::{
    app::{App, RunWish, WorkerTerms, work_beside},
    ports::{NewDelivery, Role, RunFilter},
    server::{Api, Listen, Terms, serve},
    triggers::Provider,
};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::world::World;

/// A server, and the token of an admin.
pub struct Site {
    pub app: Arc<App>,
    pub token: String,
    address: std::net::SocketAddr,
    stop: tokio_util::sync::CancellationToken,
    _world: World,
}

impl Site {
    /// Serves.
    pub async fn open() -> Site {
        let world = World::new().await;
        let app = Arc::new(world.app());
        let made = app.create_token("ada", Role::Admin, None).await;
        let token = made.expect("a token").1.expose_secret().to_owned();
        let api = Api::new(app.clone(), Terms::default());
        let stop = api.stop.clone();
        let worker = WorkerTerms {
            parallel_runs: 8,
            ..WorkerTerms::named("ship-1")
        };
        tokio::spawn(work_beside(app.clone(), worker, stop.clone()));
        let (tell, told) = tokio::sync::oneshot::channel();
        let listen = Listen {
            address: "127.0.0.1:0".parse().expect("an address"),
            tls: None,
            rate: 0,
        };
        tokio::spawn(serve(api, listen, |address| {
            tell.send(address).expect("someone waits");
        }));
        Site {
            address: told.await.expect("it listens"),
            app,
            token,
            stop,
            _world: world,
        }
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Queues a run under a name and returns its id.
    pub async fn queues(&self, name: &str, text: &str) -> String {
        let wish = json!({ "name": name, "text": text });
        let wish: RunWish = serde_json::from_value(wish).expect("a wish");
        let wished = self.app.wished_request(wish, None).await;
        let (request, secrets) = wished.expect("a request");
        let place = Default::default();
        let queued = self
            .app
            .enqueue(request, &secrets, &place, "started by hand");
        queued.await.expect("a run").0
    }

    /// Keeps a delivery with a hostile body, as one that a code host sent and proved, and waits until it is decided.
    pub async fn is_delivered_to(&self, event: &str) {
        let evil = "<img src=x onerror=document.title='owned'>";
        let body = json!({ "action": evil, "pull_request": { "title": evil } });
        let delivery = NewDelivery {
            id: format!("{event}-1"),
            source: "forge".to_owned(),
            task: None,
            provider: Provider::Github,
            event: event.to_owned(),
            headers: [("x-github-event".to_owned(), event.to_owned())].into(),
            body: body.to_string().into_bytes(),
            at: self.app.ports.clock.now(),
        };
        let accepted = self.app.deliveries.accept(&[delivery]).await;
        accepted.expect("it is kept");
        while self.app.decide_batch().await.expect("decisions") > 0 {}
    }

    /// Waits until all that was queued has ended.
    pub async fn settles(&self) {
        let unfinished = RunFilter {
            unfinished: true,
            ..RunFilter::default()
        };
        let store = &self.app.ports.store;
        while !store.runs(&unfinished).await.expect("runs").is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
