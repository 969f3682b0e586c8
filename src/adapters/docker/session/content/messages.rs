//! The messages of `containerd.services.content.v1`, as far as a cache in a folder needs them.

use bytes::Bytes;
use prost::{Enumeration, Message};

/// Asks for the size of a blob.
#[derive(Clone, PartialEq, Message)]
pub(super) struct InfoRequest {
    #[prost(string, tag = "1")]
    pub digest: String,
}

/// A blob.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Info {
    #[prost(string, tag = "1")]
    pub digest: String,
    /// Its size in bytes.
    #[prost(int64, tag = "2")]
    pub size: i64,
}

/// The blob that was asked for.
#[derive(Clone, PartialEq, Message)]
pub(super) struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    pub info: Option<Info>,
}

/// Asks for bytes of a blob.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadContentRequest {
    #[prost(string, tag = "1")]
    pub digest: String,
    #[prost(int64, tag = "2")]
    pub offset: i64,
    /// How many bytes; zero asks for all that follow.
    #[prost(int64, tag = "3")]
    pub size: i64,
}

/// Some of them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadContentResponse {
    #[prost(int64, tag = "1")]
    pub offset: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
}

/// What is to be done with a blob that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(super) enum WriteAction {
    /// Say how far it is.
    Stat = 0,
    /// Take these bytes.
    Write = 1,
    /// Take these bytes, check the whole and keep it.
    Commit = 2,
}

/// Bytes of a blob that comes in.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteContentRequest {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    #[prost(string, tag = "2")]
    pub reference: String,
    /// The size of the whole, once known.
    #[prost(int64, tag = "3")]
    pub total: i64,
    /// The digest of the whole, once known.
    #[prost(string, tag = "4")]
    pub expected: String,
    #[prost(int64, tag = "5")]
    pub offset: i64,
    #[prost(bytes = "bytes", tag = "6")]
    pub data: Bytes,
}

/// How far it is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteContentResponse {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    #[prost(int64, tag = "4")]
    pub offset: i64,
    #[prost(int64, tag = "5")]
    pub total: i64,
    /// The digest of the whole, when it is kept.
    #[prost(string, tag = "6")]
    pub digest: String,
}

/// Gives a blob up that was coming in.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AbortRequest {
    #[prost(string, tag = "1")]
    pub reference: String,
}

/// Nothing to say.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}
