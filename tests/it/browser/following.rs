//! What happens is seen as it happens.

use serde_json::Value;

use super::in_browser;

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
