//! Every page passes the checker of accessibility, light and dark, and fits a phone.

use careen::{ports::NewBase, triggers::Base};
use serde_json::{Value, json};

use super::{driver::Browser, in_browser, site::Site};
use crate::{
    small_fleet::{MOVES, begin, end, is_known, moves, rolls_out},
    world::queue_held,
};

/// Steps that end in different ways, for pages to show.
const STEPS: &str = "version: v1.1.0
steps:
  - id: checkout
    cmd: busybox git clone
    when: ['-']
    env: [FAKE_SLEEP_MS=420, \"FAKE_OUTPUT=\\x1b[36mCloning\\x1b[0m into 'web'\"]
  - id: lint
    cmd: busybox lint src
    when: [checkout]
    env: [FAKE_SLEEP_MS=700]
  - id: build-web
    cmd: busybox make web
    when: [checkout]
    env: [FAKE_SLEEP_MS=1500, \"FAKE_OUTPUT=\\x1b[1mbuilding\\x1b[0m 214 modules\\n\\x1b[33mwarning\\x1b[0m: 2 modules are unused\\n\\x1b[32mdone\\x1b[0m in 1.5 s\"]
  - id: build-docs
    cmd: busybox make docs
    when: [checkout]
    env: [FAKE_SLEEP_MS=500]
  - id: unit-tests
    cmd: busybox test --unit
    when: [build-web]
    env: [FAKE_SLEEP_MS=900]
  - id: browser-tests
    cmd: busybox test --browser
    when: [build-web]
    retries: 1
    env: [FAKE_SLEEP_MS=600, FAKE_FAIL_TIMES=1]
  - id: publish
    cmd: busybox publish --tag v1
    when: [lint, unit-tests, browser-tests, build-docs]
    env: [FAKE_SLEEP_MS=300, FAKE_EXIT_CODE=STATUS, \"FAKE_OUTPUT=\\x1b[31;1merror\\x1b[0m: the tag v1 exists already\"]
  - id: announce
    cmd: busybox announce
    when: [publish]
";

async fn filled(site: &Site) -> Vec<String> {
    let mut ids = Vec::new();
    for (name, code) in [
        ("web", "0"),
        ("web", "0"),
        ("docs", "0"),
        ("web", "3"),
        ("api/acb.yaml", "0"),
        ("web", "0"),
    ] {
        ids.push(site.queues(name, &STEPS.replace("STATUS", code)).await);
    }
    let definition = json!({ "name": "web", "yaml": STEPS.replace("STATUS", "0"), "values": { "tag": "v1" },
        "triggers": { "timer": [{ "name": "nightly", "schedule": "0 3 * * *" }] } });
    for timeout in [3600, 900] {
        let mut definition = definition.clone();
        definition["timeout_seconds"] = json!(timeout);
        let wish = careen::app::TaskWish {
            definition: serde_json::from_value(definition).expect("a definition"),
            secrets: Default::default(),
            expected: careen::ports::Expected::Any,
            manifest: None,
        };
        site.app.put_task(wish, "ada").await.expect("a task");
    }
    site.settles().await;
    let key = "docker.io/library/golang:1.23-alpine".to_owned();
    let stood_on = Some("sha256:7772cb5322baa875edd74705556d08f0eeca7b9c4b5367754ce3f2f00041ccee");
    let base = NewBase {
        base: Base {
            key,
            is_runtime: true,
            stood_on: stood_on.map(str::to_owned),
        },
        repository: "docker.io/library/golang".to_owned(),
        rule: None,
    };
    let now = site.app.ports.clock.now();
    let bases = [base];
    let put = site.app.bases.put_bases("web", &bases, ("task", now));
    put.await.expect("it is kept");
    site.is_delivered_to("pull_request").await;
    is_known(&site.app).await;
    moves(&site.app, MOVES, "second").await;
    rolls_out(&site.app).await;
    begin(&site.app).await;
    end(&site.app, "").await;
    begin(&site.app).await;
    let value = "hidden".to_owned().into();
    let set = site.app.set_secret("npm-token", &value);
    set.await.expect("it is set");
    ids.push(queue_held(&site.app, "web", &STEPS.replace("STATUS", "0")).await);
    ids
}

/// Asks axe, where `CAREEN_TEST_AXE` names its script, what is wrong with the page.
async fn faults(browser: &Browser, place: &str) -> Vec<String> {
    let Some(script) = std::env::var_os("CAREEN_TEST_AXE") else {
        return Vec::new();
    };
    let script = std::fs::read_to_string(script).expect("the script of axe-core");
    browser.runs(&script).await;
    let asked = "const done = arguments[0]; axe.run().then(it => done(it.violations.map(it => \
        [it.id, it.nodes.slice(0, 3).map(node => [node.html.slice(0, 200), node.failureSummary])])))";
    let found = browser.awaits(asked).await;
    let found = found.as_array().cloned().unwrap_or_default();
    let found = found.iter().map(|it| format!("{place}: {it:#}"));
    found.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_and_accessible_light_and_dark_and_fits_a_phone() {
    in_browser(async |browser, site| {
        let ids = filled(site).await;
        let failed = format!("/runs/{}", ids[3]);
        let log = format!("{failed}/log/2/1");
        let held = format!("/runs/{}", ids[6]);
        let mut found = Vec::new();
        for (name, path) in [
            ("runs", "/"),
            ("run", failed.as_str()),
            ("log", &log),
            ("held", &held),
            ("tasks", "/tasks"),
            ("task", "/tasks/web"),
            ("versions", "/tasks/web/versions"),
            ("edit", "/tasks/web/edit"),
            ("new-task", "/new-task"),
            ("fleet", "/fleet"),
            ("lineage", "/fleet?around=reports"),
            ("hooks", "/deliveries"),
            ("delivery", "/deliveries/1"),
            ("workers", "/workers"),
            ("connections", "/connections"),
            ("tokens", "/tokens"),
            ("audit", "/audit"),
            ("missing", "/nothing/here"),
        ] {
            browser.goes(&site.url(path)).await;
            let bytes = "return performance.getEntriesByType('navigation')[0].decodedBodySize";
            let bytes = browser.runs(bytes).await.as_u64().expect("a size");
            assert!(bytes < 100_000, "{path} has {bytes} bytes");
            let painted =
                "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime";
            println!(
                "{path}: first painted after {} ms",
                browser.runs(painted).await
            );
            let opens = "document.querySelector('.run-now')?.setAttribute('open', '')";
            browser.runs(opens).await;
            for scheme in ["light", "dark"] {
                browser.prefers(scheme).await;
                browser.measures(1280, 860).await;
                browser.pictures(&format!("{name}-{scheme}")).await;
                found.extend(faults(browser, &format!("{path} in {scheme}")).await);
            }
            let ground = browser
                .runs("return getComputedStyle(document.body).backgroundColor")
                .await;
            assert_eq!(ground, "rgb(13, 16, 18)", "{path} is dark");
            browser.measures(390, 844).await;
            browser.pictures(&format!("{name}-phone")).await;
            let fits = "return document.documentElement.scrollWidth <= window.innerWidth";
            assert_eq!(
                browser.runs(fits).await,
                Value::Bool(true),
                "{path} on a phone"
            );
            browser.prefers("light").await;
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}
