//! Follows a run of a server: the stream is taken up again where it broke off.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::{
    Client,
    runs::{events, row},
};
use crate::{
    app::AppError,
    ports::{Place, RecordedEvent, RunRow},
    server::LineView,
};

/// How often a broken stream is taken up again before giving up; each time after a longer wait.
const TRIES: u32 = 8;
/// The longest wait before the next try.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What the server tells of a run.
#[derive(Debug)]
pub enum Message {
    /// Lines of its logs.
    Lines(Vec<LineView>),
    /// What was recorded.
    Events(Vec<RecordedEvent>),
    /// How it stands, without what was asked, and where in its queue.
    Run(Box<RunRow>, Option<Place>),
    /// It has ended, and everything was told.
    End,
}

/// The messages of one run.
pub struct Messages {
    client: Client,
    run: String,
    response: Option<Response>,
    buffer: Vec<u8>,
    last_id: Option<String>,
    tries: u32,
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    kind: String,
    id: Option<String>,
    data: String,
}

impl Client {
    /// Follows a run from its beginning to its end.
    pub fn follow(&self, run: &str) -> Messages {
        Messages {
            client: self.clone(),
            run: run.to_owned(),
            response: None,
            buffer: Vec::new(),
            last_id: None,
            tries: 0,
        }
    }
}

impl Messages {
    /// Waits for the next message.
    pub async fn next(&mut self) -> Result<Message, AppError> {
        loop {
            if let Some(sent) = take_sent(&mut self.buffer) {
                if let Some(message) = self.read(sent)? {
                    return Ok(message);
                }
                continue;
            }
            if let Err(error) = self.receive().await {
                self.pause(error).await?;
            }
        }
    }

    async fn receive(&mut self) -> Result<(), AppError> {
        let stream = match &mut self.response {
            Some(stream) => stream,
            None => {
                let request = self
                    .client
                    .request(Method::GET, &["runs", &self.run, "stream"]);
                let request = match &self.last_id {
                    Some(id) => request.header("last-event-id", id),
                    None => request,
                };
                let response = self.client.send(request).await?;
                self.response.insert(response)
            }
        };
        match stream.chunk().await {
            Ok(Some(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            Ok(None) => Err(broken("the server ended the stream")),
            Err(error) => Err(self.client.unreachable(&error)),
        }
    }

    /// Waits before the next try; what the server refused is not tried again.
    async fn pause(&mut self, error: AppError) -> Result<(), AppError> {
        let is_broken = matches!(
            error,
            AppError::Remote {
                status: 0 | 429 | 500..=599,
                ..
            }
        );
        if !is_broken || self.tries >= TRIES {
            return Err(error);
        }
        self.response = None;
        self.buffer.clear();
        let wait = Duration::from_millis(200) * 2u32.pow(self.tries);
        self.tries += 1;
        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
        Ok(())
    }

    fn read(&mut self, sent: Sent) -> Result<Option<Message>, AppError> {
        self.last_id = sent.id.or(self.last_id.take());
        self.tries = 0;
        let mut value: Value = serde_json::from_str(&sent.data).unwrap_or_default();
        Ok(match sent.kind.as_str() {
            "log" => {
                let lines = serde_json::from_value(value["lines"].take());
                Some(Message::Lines(lines.unwrap_or_default()))
            }
            "events" => Some(Message::Events(events(value["events"].take())?)),
            "run" => {
                let place = serde_json::from_value(value["place"].take()).unwrap_or_default();
                Some(Message::Run(Box::new(row(value)?), place))
            }
            "end" => Some(Message::End),
            "error" => return Err(broken(value["message"].as_str().unwrap_or("it failed"))),
            // A newer server may say more.
            _ => None,
        })
    }
}

fn broken(why: &str) -> AppError {
    AppError::Remote {
        status: 0,
        message: format!("the run cannot be followed any more: {why}"),
        hint: "It goes on; careen runs logs -f follows it again".to_owned(),
    }
}

/// Takes one whole event from the front of what was received.
fn take_sent(buffer: &mut Vec<u8>) -> Option<Sent> {
    let end = buffer.windows(2).position(|it| it == b"\n\n")?;
    let text: Vec<u8> = buffer.drain(..end + 2).collect();
    let mut sent = Sent::default();
    for line in String::from_utf8_lossy(&text).lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut sent.kind),
            "id" => sent.id = Some(value.to_owned()),
            "data" if sent.data.is_empty() => value.clone_into(&mut sent.data),
            "data" => {
                sent.data.push('\n');
                sent.data.push_str(value);
            }
            // Comments keep the connection alive.
            _ => {}
        }
    }
    Some(sent)
}

#[cfg(test)]
mod tests {
    use super::{Sent, take_sent};

    #[test]
    fn events_are_taken_whole_however_they_arrive() {
        let mut buffer = b"event: log\nid: 1.2\ndata: {}\n".to_vec();
        assert_eq!(take_sent(&mut buffer), None);
        buffer.extend_from_slice(b"\n:\n\ndata: a\ndata: b\n\nevent: r");
        let log = Sent {
            kind: "log".to_owned(),
            id: Some("1.2".to_owned()),
            data: "{}".to_owned(),
        };
        assert_eq!(take_sent(&mut buffer), Some(log));
        assert_eq!(take_sent(&mut buffer), Some(Sent::default()));
        let two = take_sent(&mut buffer).map(|it| it.data);
        assert_eq!(two.as_deref(), Some("a\nb"));
        assert_eq!(take_sent(&mut buffer), None);
        assert_eq!(buffer, b"event: r");
    }
}
