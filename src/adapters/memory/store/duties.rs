//! Duties in memory.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;

use super::runs::MemoryStore;
use crate::ports::{Duties, StoreError};

/// Who has which duty until when, and how often it has changed hands.
pub(super) type DutyTable = HashMap<String, (String, Instant, u64)>;

#[async_trait]
impl Duties for MemoryStore {
    async fn hold_duty(
        &self,
        duty: &str,
        holder: &str,
        time: Duration,
    ) -> Result<Option<u64>, StoreError> {
        let (duties, now) = (&mut self.lock().duties, Instant::now());
        let generation = match duties.get(duty) {
            Some((other, until, _)) if other != holder && *until > now => return Ok(None),
            Some((other, _, generation)) if other == holder => *generation,
            Some((_, _, generation)) => generation + 1,
            None => 1,
        };
        let held = (holder.to_owned(), now + time, generation);
        duties.insert(duty.to_owned(), held);
        Ok(Some(generation))
    }

    async fn leave_duty(&self, duty: &str, holder: &str) -> Result<(), StoreError> {
        if let Some((own, until, _)) = self.lock().duties.get_mut(duty)
            && own == holder
        {
            *until = Instant::now();
        }
        Ok(())
    }
}
