//! A server on a port of its own, over a careen in memory.

use std::sync::Arc;

use careen::{
    app::{App, RunWish},
    ports::Role,
    server::{Api, InProcess, Launcher, Listen, Terms, serve},
};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::world::World;

/// A server, and the token of an admin.
pub struct Site {
    pub app: Arc<App>,
    pub token: String,
    launcher: Arc<InProcess>,
    address: std::net::SocketAddr,
    stop: tokio_util::sync::CancellationToken,
    _world: World,
}

impl Site {
    /// Serves.
    pub async fn open() -> Site {
        let world = World::new().await;
        let app = Arc::new(world.app());
        let launcher = Arc::new(InProcess::new(app.clone(), Vec::new()));
        let made = app.create_token("ada", Role::Admin, None).await;
        let token = made.expect("a token").1.expose_secret().to_owned();
        let api = Api::new(app.clone(), launcher.clone(), Terms::default());
        let stop = api.stop.clone();
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
            launcher,
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
        let queued = self.launcher.queue(request, secrets).await;
        queued.expect("a run")
    }

    /// Waits until all that was queued has ended.
    pub async fn settles(&self) {
        self.launcher.drain().await;
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
