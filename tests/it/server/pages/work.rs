//! What came, who works, what waits for a person.

use careen::{
    engine::RunStatus,
    ports::{NewDelivery, Role},
    triggers::Provider,
};

use super::visitor::Visitor;
use crate::{server::asked::TASK, world::queue_held};

/// Lets a code host deliver something that nobody can read, and waits until that is decided.
async fn delivered(visitor: &Visitor) -> u64 {
    let app = &visitor.served.app;
    let delivery = NewDelivery {
        id: "d1".to_owned(),
        source: "forge".to_owned(),
        task: None,
        provider: Provider::Github,
        event: "push<script>".to_owned(),
        headers: [("x-github-event".to_owned(), "push".to_owned())].into(),
        body: br#"{"ref":"<img src=x>"}"#.to_vec(),
        at: app.ports.clock.now(),
    };
    let accepted = app.deliveries.accept(&[delivery]).await;
    assert_eq!(accepted.expect("it is kept"), [true]);
    for _ in 0..500 {
        let all = app
            .deliveries
            .deliveries(&careen::ports::DeliveryFilter {
                before: None,
                limit: 9,
            })
            .await;
        if let Some(it) = all
            .expect("deliveries")
            .iter()
            .find(|it| it.decision.is_some())
        {
            return it.number;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it is not decided");
}

#[tokio::test]
async fn a_delivery_shows_what_came_and_why_nothing_started_and_is_decided_again_by_a_button() {
    let visitor = Visitor::signed_in(Role::Runner).await;
    let number = delivered(&visitor).await;
    let list = visitor.visits("/deliveries").await.is(200).text;
    assert!(
        list.contains("push&lt;script&gt;") && !list.contains("push<script>"),
        "{list}"
    );
    let path = format!("/deliveries/{number}");
    let page = visitor.visits(&path).await.is(200).text;
    for words in [
        "nothing: ",
        "x-github-event",
        "&lt;img src=x&gt;",
        "Decide again",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    assert!(!page.contains("<img") && !page.contains("Decided again"));
    visitor
        .fills_in(&path, &format!("{path}/replay"), &[])
        .await
        .is(303);
    let page = visitor.visits(&path).await.is(200).text;
    assert!(page.contains("<dt>Decided again</dt><dd>1×</dd>"), "{page}");
    visitor.visits("/deliveries/77").await.is(400);
}

#[tokio::test]
async fn a_strangers_run_says_that_it_waits_and_goes_when_an_editor_approves_it() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    let app = &visitor.served.app;
    let run = queue_held(app, "web", TASK).await;
    let path = format!("/runs/{run}");
    let page = visitor.visits(&path).await.is(200).text;
    let queue = visitor.visits("/workers").await.is(200).text;
    assert!(
        queue.contains("1 for someone's approval")
            || queue.contains("1 for someone&#39;s approval"),
        "{queue}"
    );
    for words in [
        "waits for someone to approve it",
        "&lt;b&gt;mallory",
        "4f2a90c1",
        "Approve",
        "Deny",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    assert!(
        !page.contains("/rerun\""),
        "it cannot be run past the approval"
    );
    visitor
        .fills_in(&path, &format!("{path}/approve"), &[])
        .await
        .is(303);
    visitor.served.settles().await;
    let row = app.ports.store.run(&run).await.expect("a run");
    assert_eq!(row.status, RunStatus::Succeeded, "{:?}", row.reason);
    let page = visitor.visits(&path).await.is(200).text;
    assert!(page.contains("<dt>Approved by</dt><dd>editor"), "{page}");
    let other = queue_held(app, "docs", TASK).await;
    let path = format!("/runs/{other}");
    visitor
        .fills_in(&path, &format!("{path}/deny"), &[])
        .await
        .is(303);
    let row = app.ports.store.run(&other).await.expect("a run");
    assert_eq!(row.status, RunStatus::Canceled);
    assert!(row.reason.is_some_and(|it| it.contains("denied by editor")));
}

#[tokio::test]
async fn who_may_only_run_neither_approves_nor_denies() {
    let visitor = Visitor::signed_in(Role::Runner).await;
    let run = queue_held(&visitor.served.app, "web", TASK).await;
    let page = visitor.visits(&format!("/runs/{run}")).await.is(200).text;
    assert!(!page.contains("/approve") && !page.contains("/deny"));
    for action in ["approve", "deny"] {
        let path = format!("/runs/{run}/{action}");
        visitor.fills_in("/", &path, &[]).await.is(403);
    }
    let row = visitor
        .served
        .app
        .ports
        .store
        .run(&run)
        .await
        .expect("a run");
    assert_eq!(row.status, RunStatus::Queued);
}

#[tokio::test]
async fn who_is_alive_and_runs_what_is_told_and_an_admin_drains_a_worker() {
    let visitor = Visitor::signed_in(Role::Admin).await;
    let app = &visitor.served.app;
    let text = "steps:\n  - id: long\n    cmd: busybox sleep\n    env: [FAKE_SLEEP_MS=60000]\n";
    let wish = serde_json::json!({ "text": text, "name": "endless" });
    let wish = serde_json::from_value(wish).expect("a wish");
    let (request, secrets) = app.wished_request(wish, None).await.expect("a request");
    let place = Default::default();
    let queued = app.enqueue(request, &secrets, &place, "by hand").await;
    let (id, _) = queued.expect("it is queued");
    while app.ports.store.run(&id).await.expect("a run").status != RunStatus::Running {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let page = visitor.visits("/workers").await.is(200).text;
    for words in [
        "<b>beside</b>",
        ">active</td>",
        "1 of 8",
        "Under way in pool default",
        ">endless</a>",
        "Lease until</th>",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    let held = app.ports.store.run(&id).await.expect("a run").held_until;
    assert!(held > Some(app.ports.clock.now()), "{held:?}");
    let drain = "/workers/beside/drain";
    visitor.fills_in("/workers", drain, &[]).await.is(303);
    let page = visitor.visits("/workers").await.is(200).text;
    assert!(page.contains(">draining</td>") && page.contains("Take runs again"));
    app.cancel(&id, "enough").await.expect("it is canceled");
    visitor.served.settles().await;
    let reader = visitor.token(Role::Editor).await;
    let mut visitor = visitor;
    visitor.signs_in(&reader).await.is(303);
    let resume = "/workers/beside/resume";
    visitor.fills_in("/workers", resume, &[]).await.is(403);
}

#[tokio::test]
async fn secrets_are_listed_by_name_alone() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    let app = &visitor.served.app;
    app.set_secret("npm-token", &"hidden-word".to_owned().into())
        .await
        .expect("it is set");
    let page = visitor.visits("/connections").await.is(200).text;
    assert!(
        page.contains("npm-token") && !page.contains("hidden-word"),
        "{page}"
    );
}
