//! What happens is seen as it happens.

use careen::ports::LimitScope;
use serde_json::Value;

use super::in_browser;
use crate::world::queue_held;

/// Two steps at once, then two after both; the last but one takes a while.
const DIAMOND: &str = "version: v1.1.0
steps:
  - id: fetch
    cmd: busybox true
    when: ['-']
    env: [FAKE_SLEEP_MS=1500, 'FAKE_OUTPUT=fetching']
  - id: lint
    cmd: busybox true
    when: ['-']
    env: [FAKE_SLEEP_MS=300]
  - id: build
    cmd: busybox true
    when: [fetch, lint]
    env: [FAKE_SLEEP_MS=2500, 'FAKE_OUTPUT=building']
  - id: test
    cmd: busybox true
    when: [build]
    env: [FAKE_SLEEP_MS=300]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_from_its_queueing_to_its_end_without_loading_again() {
    in_browser(async |browser, site| {
        browser.goes(&site.url("/")).await;
        browser.runs("window.isTheSame = true").await;
        let first = site.queues("first", DIAMOND).await;
        // An empty list becomes a table by loading once; from then on rows come by themselves.
        browser.sees("#runs a", "first").await;
        browser.runs("window.isTheSame = true").await;
        let second = site.queues("second", DIAMOND).await;
        browser.sees("#runs tr:first-child a", "second").await;
        browser.goes(&site.url(&format!("/runs/{second}"))).await;
        browser.runs("window.isTheSame = true").await;
        browser.sees("#node-0.running .name", "fetch").await;
        browser.sees("#node-2.running .name", "build").await;
        browser.pictures("run-live").await;
        browser.sees(".row .t", "building").await;
        // What was shown as it spoke is folded when it has succeeded and another speaks.
        browser.waits_for("return !document.querySelector('#fetch').open && document.querySelector('#build').open").await;
        browser.sees(".seal", "succeeded").await;
        let whole = browser.runs("return window.isTheSame === true && document.querySelectorAll('.node.succeeded').length").await;
        assert_eq!(whole, 4);
        let ended = browser.runs("return document.querySelector('[data-live-mark]').hidden").await;
        assert_eq!(ended, Value::Bool(true), "nobody follows what has ended");
        browser.goes(&site.url(&format!("/runs/{first}"))).await;
        browser.sees(".seal", "succeeded").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_canceled_and_run_again_by_buttons() {
    in_browser(async |browser, site| {
        let text =
            "steps:\n  - id: long\n    cmd: busybox sleep\n    env: [FAKE_SLEEP_MS=600000]\n";
        let id = site.queues("endless", text).await;
        browser.goes(&site.url(&format!("/runs/{id}"))).await;
        browser.sees(".seal", "running").await;
        browser.clicks("button.danger").await;
        browser.sees(".seal", "canceled").await;
        browser.clicks("button.main").await;
        browser.sees(".facts", id.as_str()).await;
        browser.sees("button.danger", "Cancel").await;
        browser.clicks("button.danger").await;
        browser.sees(".seal", "canceled").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_run_is_seen_to_wait_approved_by_a_button_and_followed_to_its_end() {
    in_browser(async |browser, site| {
        let id = queue_held(&site.app, "web", DIAMOND).await;
        browser.goes(&site.url(&format!("/runs/{id}"))).await;
        browser.sees(".facts", "someone must approve it").await;
        browser.sees("#actions", "Deny").await;
        browser.clicks("#actions button.main").await;
        browser.sees("#node-2.running .name", "build").await;
        browser.sees(".seal", "succeeded").await;
        browser.sees("#actions", "Run again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_seen_to_grow_and_to_move() {
    in_browser(async |browser, site| {
        let queue = &site.app.queue;
        let none = Some(0);
        queue
            .set_limit(&LimitScope::Global, none)
            .await
            .expect("a limit");
        site.queues("first", DIAMOND).await;
        browser.goes(&site.url("/")).await;
        browser.sees("#queue li:first-child", "first").await;
        browser
            .sees("#queue .why", "0 of at most 0 runs are under way")
            .await;
        site.queues("second", DIAMOND).await;
        browser.sees("#queue li:nth-child(2)", "second").await;
        queue
            .set_limit(&LimitScope::Global, Some(1))
            .await
            .expect("a limit");
        browser.sees("#queue li:first-child", "second").await;
        browser
            .waits_for("return document.querySelector('#queue').hidden")
            .await;
    })
    .await;
}
