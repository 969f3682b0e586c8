//! What must start nothing, and say why.

use serde_json::json;

use super::host::{Host, SECRET};

#[tokio::test]
async fn a_wrong_signature_leaves_no_more_than_a_note_and_claims_no_id() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    let body = host
        .push("main", &"0".repeat(40), &host.first)
        .to_string()
        .into_bytes();
    let wrong = ("push", "d1", "another secret");
    host.sends("/hooks", wrong, body.clone())
        .await
        .refuses(401, "not_trusted");
    let refused = host
        .served
        .gets("/api/v1/hooks/rejected")
        .await
        .is(200)
        .json();
    assert_eq!(refused[0]["bytes"], json!(body.len()));
    assert_eq!(refused[0]["reason"], "its signature is wrong");
    assert_eq!(
        host.served.gets("/api/v1/hooks").await.json()["items"],
        json!([])
    );
    host.sends("/hooks", ("push", "d1", SECRET), body)
        .await
        .is(202);
}

#[tokio::test]
async fn few_of_many_refusals_are_kept() {
    let host = Host::new().await;
    for id in 0..40 {
        let id = id.to_string();
        host.sends("/hooks", ("push", &id, "wrong wrong"), b"{}".to_vec())
            .await
            .is(401);
    }
    let refused = host
        .served
        .gets("/api/v1/hooks/rejected")
        .await
        .is(200)
        .json();
    let kept = refused.as_array().unwrap().len();
    assert!((1..=30).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_body_of_25_megabytes_is_taken_and_a_byte_more_is_not() {
    let host = Host::new().await;
    let large = |bytes: usize| {
        let start = br#"{"zen":""#.to_vec();
        let filler = std::iter::repeat_n(b'x', bytes - start.len() - 2);
        start
            .into_iter()
            .chain(filler)
            .chain(*b"\"}")
            .collect::<Vec<u8>>()
    };
    let ping = |id| ("ping", id, SECRET);
    host.sends("/hooks", ping("d1"), large(25_000_000))
        .await
        .is(202);
    let refused = host.sends("/hooks", ping("d2"), large(25_000_001)).await;
    refused.refuses(413, "too_large");
    assert!(
        host.decided()
            .await
            .decision
            .unwrap()
            .summary
            .contains("ping")
    );
}

#[tokio::test]
async fn odd_deliveries_are_decided_with_a_reason_and_start_nothing() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    let none = "0".repeat(40);
    let push = |branch: &str| host.push(branch, &none, &host.first);
    let elsewhere = json!({
        "ref": "refs/heads/main", "before": none, "after": host.first,
        "repository": {"clone_url": "https://github.com/acme/other.git"},
    });
    let cases = [
        (
            "push",
            push("$(touch x)"),
            "nothing: the name $(touch x) holds characters that are not taken",
        ),
        (
            "push",
            push("../../etc"),
            "nothing: the name ../../etc holds characters that are not taken",
        ),
        (
            "push",
            push("a;reboot"),
            "nothing: the name a;reboot holds characters that are not taken",
        ),
        (
            "push",
            elsewhere,
            "nothing: no task watches this repository",
        ),
        (
            "push",
            json!({"ref": "refs/heads/main"}),
            "nothing: it cannot be read: its body says nothing fit at /after",
        ),
        (
            "star",
            json!({"repository": host.repository_body()}),
            "nothing: star is no event that starts runs",
        ),
        (
            "ping",
            json!({"zen": "…"}),
            "nothing: a ping: the code host reaches this server",
        ),
        (
            "push",
            host.push("main", &host.first, &none),
            "nothing: main was deleted: there is nothing to build",
        ),
    ];
    for (number, (event, body, expected)) in cases.iter().enumerate() {
        let decided = host.decides(event, &number.to_string(), body).await;
        assert_eq!(&decided, expected);
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    host.sends("/hooks", ("push", "deep", SECRET), deep)
        .await
        .is(202);
    let decided = host.decided().await.decision.unwrap().summary;
    assert!(decided.contains("it cannot be read"), "{decided}");
    assert_eq!(host.runs().await.len(), 0);
}

#[tokio::test]
async fn a_secret_counts_on_after_a_new_one_is_set_and_a_removed_source_does_not() {
    let host = Host::new().await;
    host.source("hub", "the next secret", None).await;
    let ping = |id, secret| host.sends("/hooks", ("ping", id, secret), b"{}".to_vec());
    ping("d1", SECRET).await.is(202);
    ping("d2", "the next secret").await.is(202);
    host.served.app.remove_hook_source("hub").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    ping("d3", SECRET).await.is(401);
    assert!(host.served.app.remove_hook_source("hub").await.is_err());
}
