//! Builds with BuildKit through a session of our own: it asks for files, secrets and logins when it needs them.
//!
//! Two connections of the engine become streams of HTTP/2. On one, `/session`, the engine is the client: it reads the
//! context from us and sends back only requests for what it lacks. On the other, `/grpc`, we are the client: we ask for
//! a build and hear how it goes. Dropping either ends the build.

mod auth;
mod content;
mod files;
mod followed;
mod health;
mod packets;
mod secrets;
mod sending;
mod serve;
mod solve;
mod stream;

pub(super) use serve::open;
pub(super) use solve::solve;

/// Why a build could not be done through a session.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The engine has no such thing; another way may do.
    Missing(String),
    /// The connection or the context could not be read.
    Engine(crate::ports::EngineError),
    /// BuildKit said no, in these words.
    Refused(String),
}
