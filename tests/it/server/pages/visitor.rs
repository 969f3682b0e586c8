//! Someone who looks at pages: keeps a cookie, fills in forms.

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use careen::{ports::Role, server::Terms};
use regex::Regex;
use secrecy::ExposeSecret;

use crate::server::asked::{Answered, Served};

/// A visitor of a server of their own.
pub struct Visitor {
    pub served: Served,
    pub cookie: String,
}

impl Visitor {
    /// Comes to a server where nobody is served without a token.
    pub async fn new() -> Visitor {
        Visitor {
            served: Served::on(Terms::default()).await,
            cookie: String::new(),
        }
    }

    /// The same, signed in with a new token of this role.
    pub async fn signed_in(role: Role) -> Visitor {
        let mut visitor = Visitor::new().await;
        let token = visitor.token(role).await;
        visitor.signs_in(&token).await.is(303);
        visitor
    }

    /// Makes a token.
    pub async fn token(&self, role: Role) -> String {
        let made = self.served.app.create_token(role.as_str(), role, None);
        made.await.expect("a token").1.expose_secret().to_owned()
    }

    /// Signs in and keeps the cookie, if one is given.
    pub async fn signs_in(&mut self, token: &str) -> Answered {
        let answer = self.posts("/login", &[("token", token)]).await;
        if let Some((cookie, _)) = answer.header("set-cookie").split_once(';') {
            self.cookie = cookie.to_owned();
        }
        answer
    }

    /// Asks for a page as a browser does.
    pub async fn visits(&self, path: &str) -> Answered {
        let request = Request::get(path).header("accept", "text/html,*/*");
        self.sends(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Sends a form as it stands.
    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body));
        self.sends(request.expect("a request")).await
    }

    /// Sends a form with the proof that stands on a page.
    pub async fn fills_in(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answered {
        let text = self.visits(page).await.is(200).text;
        let pattern = Regex::new(r#"name="proof" value="([^"]+)""#).expect("a pattern");
        let proof = pattern.captures(&text).expect("a form")[1].to_owned();
        let mut all = vec![("proof", proof.as_str())];
        all.extend(fields);
        self.posts(path, &all).await
    }

    async fn sends(&self, mut request: Request<Body>) -> Answered {
        if !self.cookie.is_empty() {
            let value = self.cookie.parse().expect("a cookie");
            request.headers_mut().insert("cookie", value);
        }
        let answer = self.served.sends(request).await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        Answered {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}
