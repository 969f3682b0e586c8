//! Logs in the viewer: hostile ones do nothing, long ones open at once.

use serde_json::{Value, json};

use super::in_browser;
use crate::world::queue_held;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_log_and_a_hostile_name_are_text() {
    in_browser(async |browser, site| {
        let evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\u{1b}[31mred\u{1b}[0m\u{1b}]8;;javascript:document.title='owned'\u{1b}\\\\link\u{1b}]8;;\u{7}\u{202e}";
        let text = json!({ "steps": [{ "id": "<b>evil", "cmd": "busybox true", "env": [format!("FAKE_OUTPUT={evil}")] }] });
        let id = site.queues("<img src=x onerror=document.title='owned'>", &text.to_string()).await;
        site.settles().await;
        site.is_delivered_to("push<img src=x onerror=document.title='owned'>").await;
        let held = queue_held(&site.app, "<img src=x onerror=document.title='owned'>", "steps: [cmd: <b>]").await;
        for path in ["/".to_owned(), "/deliveries".to_owned(), "/deliveries/1".to_owned(), "/workers".to_owned(), format!("/runs/{held}"), format!("/runs/{id}"), format!("/runs/{id}/log/0/1")] {
            browser.goes(&site.url(&path)).await;
            if path.starts_with(&format!("/runs/{id}")) {
                browser.sees(".f1", "red").await;
            }
            let found = browser.runs("const evil = [...document.querySelectorAll('main b')].filter(it => it.textContent.includes('evil')); \
                return [document.title === 'owned', document.querySelectorAll('main img, main script').length + evil.length, \
                document.querySelectorAll('.t a, a[href^=javascript]').length]").await;
            assert_eq!(found, json!([false, 0, 0]), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_200_megabytes_opens_at_any_line_and_holds_few_rows() {
    in_browser(async |browser, site| {
        let text = "steps:\n  - id: chatty\n    cmd: busybox yes\n    env: [FAKE_OUTPUT_MB=200]\n";
        let id = site.queues("chatty", text).await;
        site.settles().await;
        let logs = site.app.ports.frames.logs(&id).await.expect("a log");
        let lines = logs[0].lines;
        let middle = lines / 2;
        browser.goes(&site.url(&format!("/runs/{id}#chatty:{middle}"))).await;
        browser.waits_for(&format!("return document.querySelector('.marked .n')?.textContent === '{middle}' && document.querySelector('.marked .t') !== null")).await;
        browser.runs("const view = document.querySelector('.log-view'); view.scrollTop = view.scrollHeight").await;
        browser.waits_for(&format!("return [...document.querySelectorAll('.row')].at(-1)?.querySelector('.n').textContent === '{lines}'")).await;
        browser.waits_for("return [...document.querySelectorAll('.row')].every(it => it.querySelector('.t'))").await;
        let rows = browser.runs("return document.querySelectorAll('.row').length").await;
        assert!(rows.as_u64().is_some_and(|it| it < 150), "{rows}");
        browser.runs("document.querySelector('.log-view').scrollTop = 0").await;
        browser.waits_for("return document.querySelector('.row .n').textContent === '1' && document.querySelector('.row .t') !== null").await;
        let wanted = browser.runs("return document.querySelectorAll('.row .t')[7].textContent").await;
        let wanted = wanted.as_str().expect("a line").to_owned();
        browser.types(".log-bar input[type=search]", &format!("{wanted}\u{e007}")).await;
        browser.waits_for("return document.querySelector('.marked .n')?.textContent === '8'").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_read_well_without_scripts() {
    in_browser(async |browser, site| {
        let id = site
            .queues(
                "plain",
                "steps:\n  - id: say\n    cmd: busybox true\n    env: [FAKE_OUTPUT=hello]\n",
            )
            .await;
        site.settles().await;
        // What a browser without scripts is sent is what `fetch` is sent.
        let path = format!("/runs/{id}");
        let text = browser
            .awaits(&format!(
                "const done = arguments[0]; fetch('{path}').then(it => it.text()).then(done)"
            ))
            .await;
        let text = text.as_str().unwrap_or_default();
        for word in [
            "succeeded",
            "class=\"node succeeded",
            "/log/0/1?generation=1\"",
            "/raw/0/1?generation=1\"",
        ] {
            assert!(text.contains(word), "no {word}");
        }
        browser.goes(&site.url(&format!("{path}/log/0/1"))).await;
        browser.sees(".plain-log", "hello").await;
        assert_ne!(
            browser.runs("return document.contentType").await,
            Value::Null
        );
    })
    .await;
}
