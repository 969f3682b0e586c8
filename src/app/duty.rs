//! What one server at a time does, however many there are.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::App;

/// For how long a duty is one server's without a word from it.
const HOLD: Duration = Duration::from_secs(30);
/// How often its holder says that it is still there, and others look whether it is free.
const SAY: Duration = Duration::from_secs(5);
/// So much sooner than another may begin the holder stops by itself.
const MARGIN: Duration = Duration::from_secs(5);

/// One server's part in a duty.
pub struct Duty {
    /// What is to be done, such as `prune`: the name that servers share.
    pub name: String,
    /// Who would do it: a name that no other process has.
    pub holder: String,
    /// For how long it stays its own without a word.
    pub hold: Duration,
}

impl Duty {
    /// A part in this duty on the usual terms.
    pub fn of(name: impl Into<String>, holder: &str) -> Duty {
        Duty {
            name: name.into(),
            holder: holder.to_owned(),
            hold: HOLD,
        }
    }

    /// Works whenever the duty is this server's, until `stop`. When it no longer is, or that cannot be told in time, the
    /// work is dropped where it stands: it must bear that, as it must bear a crash.
    pub async fn tend<W>(self, app: Arc<App>, stop: CancellationToken, work: impl Fn() -> W)
    where
        W: Future<Output = ()>,
    {
        while !stop.is_cancelled() {
            if let Some(until) = self.hold(&app).await {
                tracing::debug!(duty = self.name, "is this server's");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.keep(&app, until) => tracing::warn!(duty = self.name, "was lost to another server"),
                    () = work() => {}
                }
                if let Err(error) = app.duties.leave_duty(&self.name, &self.holder).await {
                    tracing::warn!(%error, duty = self.name, "could not be given up; it will lapse");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(self.pause()) => {}
            }
        }
    }

    fn pause(&self) -> Duration {
        SAY.min(self.hold / 6)
    }

    /// Keeps the duty; returns once it is, or may be, another's.
    async fn keep(&self, app: &App, mut until: Instant) {
        loop {
            sleep(self.pause()).await;
            let said = timeout(self.pause(), self.hold(app));
            tokio::select! {
                () = sleep_until(until) => return,
                said = said => match said {
                    Ok(Some(later)) => until = later,
                    _ if Instant::now() >= until => return,
                    _ => {}
                }
            }
        }
    }

    /// Until when this server may work, by its own clock, counted from when it asked.
    async fn hold(&self, app: &App) -> Option<Instant> {
        let asked = Instant::now();
        let held = app
            .duties
            .hold_duty(&self.name, &self.holder, self.hold)
            .await;
        match held {
            Ok(held) => held.map(|_| asked + self.hold - MARGIN.min(self.hold / 6)),
            Err(error) => {
                tracing::warn!(%error, duty = self.name, "could not be asked for");
                None
            }
        }
    }
}
