//! Tokens, the audit log and answered requests in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::{AccessStore, Answer, AuditEntry, Known, StoreError, TokenRow};

/// Who may use a server, in memory.
#[derive(Debug, Default)]
pub struct MemoryAccess {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tokens: Vec<(String, TokenRow)>,
    audit: Vec<AuditEntry>,
    requests: BTreeMap<String, Request>,
}

#[derive(Debug)]
struct Request {
    fingerprint: String,
    began_at: DateTime<Utc>,
    answer: Option<Answer>,
}

impl MemoryAccess {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn token(&mut self, id: &str) -> Option<&mut TokenRow> {
        let mut tokens = self.tokens.iter_mut().map(|(_, token)| token);
        tokens.find(|token| token.id == id)
    }
}

#[async_trait]
impl AccessStore for MemoryAccess {
    async fn add_token(&self, token: &TokenRow, hash: &str) -> Result<(), StoreError> {
        self.lock().tokens.push((hash.to_owned(), token.clone()));
        Ok(())
    }

    async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let kept = self.lock();
        let found = kept.tokens.iter().find(|(it, _)| it == hash);
        Ok(found.map(|(_, token)| token.clone()))
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let kept = self.lock();
        Ok(kept.tokens.iter().map(|(_, token)| token.clone()).collect())
    }

    async fn revoke_token(&self, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut kept = self.lock();
        let token = kept.token(id);
        Ok(token
            .map(|token| token.revoked_at.get_or_insert(at))
            .is_some())
    }

    async fn touch_token(&self, id: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        if let Some(token) = self.lock().token(id) {
            token.last_used_at = Some(at);
        }
        Ok(())
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut kept = self.lock();
        let number = kept.audit.len() as u64 + 1;
        kept.audit.push(AuditEntry {
            number,
            ..entry.clone()
        });
        Ok(())
    }

    async fn audited(&self, before: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let kept = self.lock();
        let older = kept.audit.iter().rev();
        let older = older.filter(|it| before == 0 || it.number < before);
        Ok(older.take(limit as usize).cloned().collect())
    }

    async fn begin_request(
        &self,
        key: &str,
        fingerprint: &str,
        at: DateTime<Utc>,
    ) -> Result<Known, StoreError> {
        let mut kept = self.lock();
        let Some(request) = kept.requests.get(key) else {
            let request = Request {
                fingerprint: fingerprint.to_owned(),
                began_at: at,
                answer: None,
            };
            kept.requests.insert(key.to_owned(), request);
            return Ok(Known::New);
        };
        Ok(match &request.answer {
            _ if request.fingerprint != fingerprint => Known::Another,
            None => Known::UnderWay,
            Some(answer) => Known::Answered(answer.clone()),
        })
    }

    async fn end_request(&self, key: &str, answer: Option<&Answer>) -> Result<(), StoreError> {
        let mut kept = self.lock();
        match answer {
            None => drop(kept.requests.remove(key)),
            Some(answer) => {
                if let Some(request) = kept.requests.get_mut(key) {
                    request.answer = Some(answer.clone());
                }
            }
        }
        Ok(())
    }

    async fn forget_requests(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let mut kept = self.lock();
        kept.requests
            .retain(|_, request| request.began_at >= before);
        Ok(())
    }
}
