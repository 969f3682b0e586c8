//! Contexts sent in chunks.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::asked::{Answered, Served};

/// A tar archive with one file.
fn archive(text: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "acb.yaml", text.as_bytes())
        .unwrap();
    tar.into_inner().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    format!("sha256:{digits}")
}

async fn sends(served: &Served, digest: &str, offset: usize, bytes: &[u8]) -> Answered {
    let request = Request::patch(format!("/api/v1/contexts/{digest}?offset={offset}"));
    let response = served
        .sends(request.body(Body::from(bytes.to_vec())).unwrap())
        .await;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    Answered {
        status,
        headers: Default::default(),
        text: String::from_utf8_lossy(&body).into_owned(),
    }
}

#[tokio::test]
async fn a_context_arrives_in_chunks_and_is_run_from() {
    let served = Served::new().await;
    let tar = archive("steps:\n  - id: from-context\n    cmd: busybox true\n");
    let name = digest(&tar);
    let path = format!("/api/v1/contexts/{name}");
    assert_eq!(served.gets(&path).await.is(200).json()["bytes"], 0);
    sends(&served, &name, 0, &tar[..700]).await.is(200);
    // As after a connection that broke: the server says where to go on.
    let here = sends(&served, &name, 0, &tar[..900]).await.is(409).json();
    assert_eq!(
        (&here["bytes"], &here["whole"]),
        (&json!(700), &json!(false))
    );
    sends(&served, &name, 700, &tar[700..]).await.is(200);
    served.posts(&path, Value::Null).await.is(201);
    assert_eq!(served.gets(&path).await.json()["whole"], true);
    for _ in 0..2 {
        let run = served
            .posts("/api/v1/runs", json!({ "context": name }))
            .await
            .is(201);
        let run = served.ended(run.json()["id"].as_str().unwrap()).await;
        assert_eq!(run["step_list"][0]["id"], "from-context");
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_their_digest_says_are_thrown_away() {
    let served = Served::new().await;
    let name = digest(b"something else");
    sends(&served, &name, 0, b"these bytes").await.is(200);
    let path = format!("/api/v1/contexts/{name}");
    served
        .posts(&path, Value::Null)
        .await
        .refuses(400, "invalid_request");
    assert_eq!(served.gets(&path).await.json()["bytes"], 0);
    for wrong in ["sha256:0", "sha256:../../etc/passwd", "md5:00"] {
        let wrong = wrong.replace('/', "%2F");
        served
            .gets(&format!("/api/v1/contexts/{wrong}"))
            .await
            .refuses(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_run_whose_context_is_not_here_or_climbs_out_is_refused() {
    let served = Served::new().await;
    let body = json!({ "context": digest(b"never sent") });
    served
        .posts("/api/v1/runs", body)
        .await
        .refuses(400, "invalid_request");
    let tar = archive("steps: []");
    let name = digest(&tar);
    sends(&served, &name, 0, &tar).await.is(200);
    served
        .posts(&format!("/api/v1/contexts/{name}"), Value::Null)
        .await
        .is(201);
    let body = json!({ "context": name, "file": "../../key" });
    let answer = served.posts("/api/v1/runs", body).await;
    answer.refuses(400, "invalid_request");
}
