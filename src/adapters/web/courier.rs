//! Posts messages over https, or http where the address says so.

use std::time::Duration;

use async_trait::async_trait;

use super::Web;
use crate::ports::{Courier, CourierError, Parcel};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl Courier for Web {
    async fn carry(&self, parcel: &Parcel) -> Result<(), CourierError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| CourierError::Refused(error.to_string()))?;
        let mut request = client
            .post(&parcel.url)
            .header("content-type", "application/json")
            .header("user-agent", concat!("careen/", env!("CARGO_PKG_VERSION")))
            .body(parcel.body.clone());
        for (name, value) in &parcel.headers {
            request = request.header(name, value);
        }
        // The address may hold a secret: it is in no message.
        let sent = request.send().await;
        let status = sent
            .map_err(|error| CourierError::TryAgain(error.without_url().to_string()))?
            .status();
        let answer = format!("the receiver answered {status}");
        match status.as_u16() {
            200..=299 => Ok(()),
            408 | 425 | 429 | 500..=599 => Err(CourierError::TryAgain(answer)),
            _ => Err(CourierError::Refused(answer)),
        }
    }
}
