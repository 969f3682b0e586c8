//! Uploads contexts: once for the same bytes, in chunks, going on where an earlier upload broke off.

use std::path::Path;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{Client, call::refusal};
use crate::{
    app::{AppError, hash_file},
    server::ContextView,
};

/// Bytes of one chunk.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

impl Client {
    /// Uploads a tar archive, unless the server has it, and returns its digest.
    pub async fn upload(&self, archive: &Path) -> Result<String, AppError> {
        let (hex, _) = hash_file(archive.to_path_buf()).await.map_err(files)?;
        let digest = format!("sha256:{hex}");
        let mut here: ContextView = self
            .ask(self.request(Method::GET, &["contexts", &digest]))
            .await?;
        if here.whole {
            return Ok(digest);
        }
        let mut file = tokio::fs::File::open(archive).await.map_err(files)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            file.seek(std::io::SeekFrom::Start(here.bytes))
                .await
                .map_err(files)?;
            let read = read_full(&mut file, &mut chunk).await.map_err(files)?;
            if read == 0 || here.whole {
                break;
            }
            here = self.send_chunk(&digest, here.bytes, &chunk[..read]).await?;
        }
        if !here.whole {
            let request = self.request(Method::POST, &["contexts", &digest]);
            self.send(request).await?;
        }
        Ok(digest)
    }

    /// Sends a chunk, again when the connection breaks; the answer says where the next one begins.
    async fn send_chunk(
        &self,
        digest: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Result<ContextView, AppError> {
        let send = || async {
            let parameters = [("offset", Some(offset.to_string()))];
            let request = self.request_with(Method::PATCH, &["contexts", digest], &parameters);
            let request = request.body(bytes.to_vec());
            let response = request
                .send()
                .await
                .map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            let text = response
                .text()
                .await
                .map_err(|error| self.unreachable(&error))?;
            // 409 tells that the server has more or less than we thought.
            if status.is_success() || status == StatusCode::CONFLICT {
                return serde_json::from_str(&text).map_err(|_| refusal(status, &text));
            }
            Err(refusal(status, &text))
        };
        let is_broken = |error: &AppError| {
            matches!(
                error,
                AppError::Remote {
                    status: 0 | 500..=599,
                    ..
                }
            )
        };
        send.retry(
            ExponentialBuilder::default()
                .with_jitter()
                .with_max_times(5),
        )
        .when(is_broken)
        .await
    }
}

async fn read_full(file: &mut tokio::fs::File, chunk: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match file.read(&mut chunk[filled..]).await? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn files(error: std::io::Error) -> AppError {
    AppError::Files(format!("the context could not be packed: {error}"))
}
