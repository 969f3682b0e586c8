//! Requests that come twice, lists in pages, answers that are known.

use serde_json::{Value, json};

use super::asked::{Served, TASK};

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let served = Served::new().await;
    let key = [("idempotency-key", "one")];
    let body = json!({ "text": TASK });
    let first = served
        .asks("POST", "/api/v1/runs", &key, body.clone())
        .await
        .is(201);
    let again = served
        .asks("POST", "/api/v1/runs", &key, body)
        .await
        .is(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotent-replay"), "true");
    let other = json!({ "text": TASK, "strict": true });
    served
        .asks("POST", "/api/v1/runs", &key, other)
        .await
        .refuses(400, "key_reused");
    let runs = served.gets("/api/v1/runs").await.json();
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_mended_and_tried_with_the_same_key() {
    let served = Served::new().await;
    let key = [("idempotency-key", "one")];
    let wrong = json!({ "text": "steps: 7" });
    served
        .asks("POST", "/api/v1/runs", &key, wrong)
        .await
        .refuses(422, "task_file_invalid");
    served
        .asks("POST", "/api/v1/runs", &key, json!({ "text": TASK }))
        .await
        .is(201);
}

#[tokio::test]
async fn an_answer_that_holds_a_secret_is_not_kept_for_a_second_request() {
    let served = Served::new().await;
    let key = [("idempotency-key", "k1")];
    let make = || {
        served.asks(
            "POST",
            "/api/v1/tokens",
            &key,
            json!({"name": "ci", "role": "reader"}),
        )
    };
    let (one, two) = (make().await.is(201).json(), make().await.is(201).json());
    assert_ne!(one["secret"], two["secret"]);
}

#[tokio::test]
async fn a_list_is_read_in_pages_and_filtered() {
    let served = Served::new().await;
    for name in ["a", "b", "c", "b", "e"] {
        let body = json!({ "text": TASK, "name": name });
        served.posts("/api/v1/runs", body).await.is(201);
    }
    let (mut path, mut seen) = ("/api/v1/runs?limit=2".to_owned(), Vec::new());
    loop {
        let page = served.gets(&path).await.is(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/runs?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["e", "b", "c", "b", "a"]);
    let found = served.gets("/api/v1/runs?name=b").await.json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(2));
    served
        .gets("/api/v1/runs?status=lost")
        .await
        .refuses(400, "invalid_query");
}

#[tokio::test]
async fn who_has_the_present_answer_is_told_so() {
    let served = Served::new().await;
    let id = served.queues(TASK).await;
    served.ended(&id).await;
    let path = format!("/api/v1/runs/{id}");
    let first = served.gets(&path).await.is(200);
    let known = [("if-none-match", first.header("etag"))];
    let again = served.asks("GET", &path, &known, Value::Null).await.is(304);
    assert_eq!(again.text, "");
    let other = [("if-none-match", "\"other\"")];
    served.asks("GET", &path, &other, Value::Null).await.is(200);
}
