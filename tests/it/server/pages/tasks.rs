//! Stored tasks, and who may change what on pages.

use careen::{
    app::TaskWish,
    ports::{Expected, NewBase, NewDecision, Observation, Role},
    tasks::Definition,
    triggers::Base,
};
use serde_json::Value;

use super::visitor::Visitor;

const STEPS: &str = "steps:\n  - id: one\n    cmd: busybox echo {{.Values.word}}\n";

/// Stores a task by the form.
async fn stores(visitor: &Visitor, name: &str, steps: &str) {
    let fields = [
        ("name", name),
        ("manifest", "values:\n  word: hi\n  note: <b>\n"),
        ("steps", steps),
    ];
    visitor
        .fills_in("/new-task", "/new-task", &fields)
        .await
        .is(303);
}

#[tokio::test]
async fn a_task_is_made_shown_changed_and_compared() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    stores(&visitor, "nightly.1", STEPS).await;
    let list = visitor.visits("/tasks").await.is(200).text;
    assert!(list.contains("/tasks/nightly.1"), "{list}");
    let path = "/tasks/nightly.1";
    let page = visitor.visits(path).await.is(200).text;
    assert!(page.contains("class=\"node waiting\""), "{page}");
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
    let edit = format!("{path}/edit");
    let more = format!("{STEPS}  - id: two\n    cmd: busybox true\n");
    let fields = [
        ("version", "1"),
        ("manifest", "values:\n  word: ho\n"),
        ("steps", more.as_str()),
    ];
    visitor.fills_in(&edit, &edit, &fields).await.is(303);
    let versions = visitor
        .visits(&format!("{path}/versions"))
        .await
        .is(200)
        .text;
    for line in [
        "<ins>+   - id: two",
        "<del>- hi",
        "<ins>+ ho",
        "values.word",
    ] {
        assert!(versions.contains(line), "no {line} in {versions}");
    }
}

#[tokio::test]
async fn what_is_wrong_or_stale_is_said_and_nothing_typed_is_lost() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    stores(&visitor, "a", STEPS).await;
    let edit = "/tasks/a/edit";
    for (version, manifest) in [("1", "colour: blue\n"), ("7", "timeout_seconds: 60\n")] {
        let fields = [
            ("version", version),
            ("manifest", manifest),
            ("steps", "steps: [typed]"),
        ];
        let page = visitor.fills_in(edit, edit, &fields).await.is(422).text;
        assert!(
            page.contains("role=\"alert\"") && page.contains("steps: [typed]"),
            "{page}"
        );
    }
    let row = visitor
        .served
        .app
        .tasks
        .task("a")
        .await
        .expect("it is there");
    assert_eq!(row.version, 1);
}

#[tokio::test]
async fn a_task_runs_with_other_values() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    stores(&visitor, "a", STEPS).await;
    let answer = visitor
        .fills_in("/tasks/a", "/tasks/a/run", &[("values", "word=there\r\n")])
        .await;
    let run = answer.is(303).header("location").to_owned();
    let id = run.trim_start_matches("/runs/");
    let row = visitor.served.app.ports.store.run(id).await.expect("a run");
    assert_eq!(row.request["values"]["word"], "there");
    visitor.served.settles().await;
    let page = visitor.visits(&run).await.is(200).text;
    assert!(page.contains("busybox echo there"), "{page}");
}

#[tokio::test]
async fn a_task_runs_with_secret_values_that_no_record_shows() {
    let visitor = Visitor::signed_in(Role::Runner).await;
    stores_as_editor(&visitor, "a").await;
    let page = visitor.visits("/tasks/a").await.is(200).text;
    assert!(page.contains("name=\"secrets\"") && !page.contains("name=\"context\""));
    let fields = [("secrets", "word=hush-hush\r\n")];
    let answer = visitor.fills_in("/tasks/a", "/tasks/a/run", &fields).await;
    let run = answer.is(303).header("location").to_owned();
    let id = run.trim_start_matches("/runs/");
    let store = &visitor.served.app.ports.store;
    let row = store.run(id).await.expect("a run");
    assert_eq!(row.request["values"].get("word"), None);
    assert!(!row.request.to_string().contains("hush-hush"));
    visitor.served.settles().await;
    let page = visitor.visits(&run).await.is(200).text;
    assert!(!page.contains("hush-hush"), "{page}");
    let broken = [("secrets", "hush-hush")];
    let told = visitor.fills_in("/tasks/a", "/tasks/a/run", &broken).await;
    assert!(!told.is(400).text.contains("hush-hush"));
}

/// Stores a task though the visitor may not.
async fn stores_as_editor(visitor: &Visitor, name: &str) {
    let mut definition = Definition::named(name);
    definition.yaml = Some(STEPS.to_owned());
    definition.values = serde_json::from_str(r#"{"word": "hi"}"#).expect("values");
    let wish = TaskWish {
        definition,
        secrets: Default::default(),
        expected: Expected::Any,
        manifest: None,
    };
    let app = &visitor.served.app;
    app.put_task(wish, "a test").await.expect("it is stored");
}

#[tokio::test]
async fn another_context_is_for_those_who_may_change_the_task_and_never_a_folder() {
    let elsewhere = ("context", "https://example.com/app.git#main");
    for (role, field, status) in [
        (Role::Runner, elsewhere, 403),
        (Role::Editor, elsewhere, 303),
        (Role::Editor, ("context", "/etc"), 400),
        (Role::Editor, ("context", "."), 400),
    ] {
        let visitor = Visitor::signed_in(role).await;
        stores_as_editor(&visitor, "a").await;
        let answer = visitor.fills_in("/tasks/a", "/tasks/a/run", &[field]).await;
        let answer = answer.is(status);
        if status == 303 {
            let id = answer
                .header("location")
                .trim_start_matches("/runs/")
                .to_owned();
            let row = visitor
                .served
                .app
                .ports
                .store
                .run(&id)
                .await
                .expect("a run");
            assert_eq!(
                row.request["deferred"]["context"], field.1,
                "{}",
                row.request
            );
        }
    }
}

#[tokio::test]
async fn the_editor_is_told_where_a_file_is_wrong() {
    let mut visitor = Visitor::signed_in(Role::Reader).await;
    let cookie = visitor.cookie.clone();
    let body = serde_json::json!({ "text": "steps:\n  - cmd: a\n    when: [nowhere]\n" });
    let asked = visitor
        .served
        .asks("POST", "/check", &[("cookie", &cookie)], body.clone())
        .await;
    let found: Value = asked.is(200).json();
    assert_eq!(found["findings"][0]["line"], 3, "{found}");
    visitor.served.asks_as(Role::Reader).await;
    let asked = visitor.served.posts("/api/v1/check", body).await.is(200);
    assert_eq!(asked.json(), found);
}

#[tokio::test]
async fn each_role_sees_and_does_what_is_its_own() {
    for role in Role::ALL {
        let visitor = Visitor::signed_in(role).await;
        for (path, needed) in [
            ("/", Role::Reader),
            ("/tasks", Role::Reader),
            ("/new-task", Role::Editor),
            ("/connections", Role::Editor),
            ("/tokens", Role::Admin),
            ("/audit", Role::Admin),
        ] {
            let status = if role >= needed { 200 } else { 403 };
            visitor.visits(path).await.is(status);
        }
        let fields = [
            ("name", "x"),
            ("manifest", "timeout_seconds: 1\n"),
            ("steps", STEPS),
        ];
        let status = if role >= Role::Editor { 303 } else { 403 };
        visitor.fills_in("/", "/new-task", &fields).await.is(status);
        let status = if role >= Role::Admin { 200 } else { 403 };
        visitor
            .fills_in("/", "/tokens", &[("name", "x"), ("role", "reader")])
            .await
            .is(status);
    }
}

#[tokio::test]
async fn a_new_token_is_shown_once_and_revoked_by_a_button() {
    let visitor = Visitor::signed_in(Role::Admin).await;
    let fields = [("name", "ci"), ("role", "runner"), ("days", "30")];
    let made = visitor
        .fills_in("/tokens", "/tokens", &fields)
        .await
        .is(200)
        .text;
    let at = made.find("careen_").expect("the secret");
    let secret: String = made[at..].chars().take_while(|it| *it != '<').collect();
    let page = visitor.visits("/tokens").await.is(200).text;
    assert!(page.contains(">ci<") && !page.contains(&secret));
    let tokens = visitor.served.app.access.tokens().await.expect("tokens");
    let ci = tokens
        .iter()
        .find(|it| it.name == "ci")
        .expect("it was made");
    assert!(ci.expires_at.is_some());
    let path = format!("/tokens/{}/revoke", ci.id);
    visitor.fills_in("/tokens", &path, &[]).await.is(303);
    let mut other = Visitor::new().await;
    other.served = visitor.served;
    other.signs_in(&secret).await.is(401);
}

#[tokio::test]
async fn a_task_tells_what_starts_it_and_when_next() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    let manifest = "values: { word: hi }
triggers:
  timer:
    - { name: nightly, schedule: 0 3 * * *, time_zone: Europe/Berlin }
    - { name: never, schedule: 0 4 * * *, status: disabled }
  source:
    - { name: main, repository: 'https://git.example/web', branches: [main, 'release/*'], paths: ['src/**'] }
  base_image: { name: bases, settle_seconds: 30 }
";
    let fields = [("name", "web"), ("manifest", manifest), ("steps", STEPS)];
    visitor
        .fills_in("/new-task", "/new-task", &fields)
        .await
        .is(303);
    let page = visitor.visits("/tasks/web").await.is(200).text;
    for words in [
        "at 03:00 Europe/Berlin",
        "disabled",
        "commits of <code>https://git.example/web</code>",
        "<code>main release/*</code>",
        "<code>src/**</code>",
        "30 s after the last move",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    assert_eq!(page.matches("<p class=\"next\">").count(), 1, "{page}");
}

#[tokio::test]
async fn a_task_tells_what_it_stands_on_and_what_moved_since() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    stores(&visitor, "web", STEPS).await;
    let app = &visitor.served.app;
    let now = app.ports.clock.now();
    let base = |key: &str| NewBase {
        base: Base {
            key: key.to_owned(),
            is_runtime: true,
            stood_on: Some("sha256:0011223344556677".to_owned()),
        },
        repository: key.split(':').next().unwrap_or_default().to_owned(),
        rule: None,
    };
    let all = [base("r.example/alpine:3"), base("r.example/debian:13")];
    let put = app.bases.put_bases("web", &all, ("task", now)).await;
    put.expect("they are kept");
    let observation = Observation {
        key: "r.example/debian:13".to_owned(),
        from: Some("sha256:0011223344556677".to_owned()),
        to: "sha256:8899aabbccddeeff".to_owned(),
        etag: None,
        how: "poll".to_owned(),
        at: now,
        next_at: now,
    };
    let decision = NewDecision {
        task: "web".to_owned(),
        due_at: None,
        reason: "no trigger takes it".to_owned(),
    };
    let seen = app.bases.observe(&observation, &[decision]).await;
    assert!(seen.expect("it is kept"));
    let page = visitor.visits("/tasks/web").await.is(200).text;
    assert_eq!(page.matches(">fresh</td>").count(), 1, "{page}");
    assert_eq!(page.matches(">moved since</td>").count(), 1, "{page}");
    for words in ["001122334455", "8899aabbccdd", "no trigger takes it"] {
        assert!(page.contains(words), "no {words} in {page}");
    }
}

#[tokio::test]
async fn an_image_is_built_with_other_arguments_for_one_run() {
    let visitor = Visitor::signed_in(Role::Editor).await;
    let manifest = "context: https://git.example/web.git
build: { images: ['r.example/web:1'], arguments: { GO: '1.22' } }
";
    let fields = [("name", "web"), ("manifest", manifest), ("steps", "")];
    visitor
        .fills_in("/new-task", "/new-task", &fields)
        .await
        .is(303);
    let page = visitor.visits("/tasks/web").await.is(200).text;
    for words in [
        "name=\"arguments\"",
        "GO=1.22",
        "name=\"target\"",
        "Dockerfile",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    let wrong = [("arguments", "GO")];
    let run = "/tasks/web/run";
    visitor.fills_in("/tasks/web", run, &wrong).await.is(400);
    let other = [("arguments", "GO=1.23"), ("target", "final")];
    let made = visitor.fills_in("/tasks/web", run, &other).await.is(303);
    let id = made.header("location").trim_start_matches("/runs/");
    let row = visitor.served.app.ports.store.run(id).await;
    let text = row.expect("a run").request["text"].to_string();
    assert!(text.contains("GO=1.23") && text.contains("final"), "{text}");
}
