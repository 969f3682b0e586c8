//! Keeps deliveries in groups: those that wait for the disk together are written with one commit.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    app::App,
    ports::{NewDelivery, StoreError},
};

/// Deliveries in one commit, at most.
const GROUP: usize = 256;
/// Deliveries that may wait for the next commit; who comes then waits for a place.
const QUEUE: usize = 4096;
/// Bytes of bodies in one commit, about.
const GROUP_BYTES: usize = 32 << 20;

/// Keeps deliveries.
#[derive(Clone)]
pub struct Intake {
    sender: mpsc::Sender<Waiting>,
    /// Told when there is something to decide.
    pub news: Arc<Notify>,
}

struct Waiting {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

impl Intake {
    /// Begins to keep; ends when the last clone is dropped.
    pub fn start(app: Arc<App>) -> Intake {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let news = Arc::new(Notify::new());
        tokio::spawn(keep(app, receiver, news.clone()));
        Intake { sender, news }
    }

    /// Keeps a delivery, and says whether it is new; once this returns it is on the disk.
    pub async fn keep(&self, delivery: NewDelivery) -> Result<bool, StoreError> {
        let gone = || StoreError::Database("the server is stopping".to_owned());
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { delivery, answer };
        self.sender.send(waiting).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn keep(app: Arc<App>, mut receiver: mpsc::Receiver<Waiting>, news: Arc<Notify>) {
    let mut left = None;
    loop {
        let Some(first) = (match left.take() {
            Some(first) => Some(first),
            None => receiver.recv().await,
        }) else {
            return;
        };
        let mut bytes = first.delivery.body.len();
        let (mut deliveries, mut answers) = (vec![first.delivery], vec![first.answer]);
        while deliveries.len() < GROUP
            && let Ok(next) = receiver.try_recv()
        {
            bytes += next.delivery.body.len();
            if bytes > GROUP_BYTES {
                left = Some(next);
                break;
            }
            deliveries.push(next.delivery);
            answers.push(next.answer);
        }
        let kept = app.deliveries.accept(&deliveries).await;
        news.notify_one();
        for (at, answer) in answers.into_iter().enumerate() {
            let new = kept.as_ref().map(|kept| kept.get(at) == Some(&true));
            // Who asked may have gone away; the delivery is kept all the same.
            let _ = answer.send(new.map_err(Clone::clone));
        }
    }
}
