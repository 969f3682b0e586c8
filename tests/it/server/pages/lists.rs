//! Lists of runs.

use careen::ports::{LimitScope, Placement, Role};
use serde_json::json;

use super::visitor::Visitor;

/// Queues runs of these names over the API, waits for their ends.
async fn with_runs(names: &[&str]) -> Visitor {
    let mut visitor = Visitor::signed_in(Role::Runner).await;
    let cookie = std::mem::take(&mut visitor.cookie);
    visitor.served.asks_as(Role::Runner).await;
    for name in names {
        let body = json!({ "text": crate::server::asked::TASK, "name": name });
        let queued = visitor.served.posts("/api/v1/runs", body).await.is(201);
        let id = queued.json()["id"].as_str().expect("an id").to_owned();
        visitor.served.ended(&id).await;
    }
    visitor.cookie = cookie;
    visitor
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_filtered() {
    let visitor = with_runs(&["alpha", "beta", "100%"]).await;
    let names = |text: &str| {
        let mut found: Vec<(usize, &str)> = ["alpha", "beta", "100%"]
            .into_iter()
            .filter_map(|name| Some((text.find(&format!(">{name}</a>"))?, name)))
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .map(|it| it.1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (path, shown) in [
        ("/", "100% beta alpha"),
        ("/?task=beta", "beta"),
        ("/?text=ALPH", "alpha"),
        ("/?text=%25", "100%"),
        ("/?text=_", ""),
        ("/?status=failed", ""),
        ("/?status=succeeded", "100% beta alpha"),
        ("/?trigger=person&task=alpha", "alpha"),
        ("/?trigger=timer", ""),
        ("/?branch=main", ""),
        ("/?image=busybox&text=beta", "beta"),
        ("/?image=golang", ""),
    ] {
        let page = visitor.visits(path).await.is(200).text;
        assert_eq!(names(&page), shown, "{path}");
    }
}

#[tokio::test]
async fn names_are_text_and_never_markup() {
    let hostile = "<script>alert(1)<img src=x onerror=alert(1)>\"'";
    let visitor = with_runs(&[hostile]).await;
    let page = visitor.visits("/").await.is(200).text;
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
}

#[tokio::test]
async fn a_long_list_comes_in_pages_under_100_kilobytes() {
    let names: Vec<String> = (0..60).map(|it| format!("run-{it:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let visitor = with_runs(&names).await;
    let first = visitor.visits("/").await.is(200).text;
    assert!(first.len() < 100_000, "{} bytes", first.len());
    assert!(first.contains(">run-59</a>") && !first.contains(">run-09</a>"));
    let at = first.find("/?before=").expect("a next page");
    let next: String = first[at..].chars().take_while(|it| *it != '"').collect();
    let second = visitor.visits(&next).await.is(200).text;
    assert!(second.contains(">run-09</a>") && !second.contains(">run-10</a>"));
    assert!(!second.contains("data-live="), "only the newest are live");
}

#[tokio::test]
async fn who_waits_is_listed_in_order_with_what_each_waits_for() {
    let visitor = Visitor::signed_in(Role::Reader).await;
    let queue = &visitor.served.app.queue;
    let page = visitor.visits("/").await.is(200).text;
    assert!(page.contains("aria-label=\"Queue\" hidden"), "{page}");
    queue
        .set_limit(&LimitScope::Pool("default".to_owned()), Some(0))
        .await
        .expect("a limit");
    let of_arm = Placement {
        pool: "arm".to_owned(),
        ..Placement::default()
    };
    let waiting = [
        ("first", Placement::default()),
        ("second", Placement::default()),
        ("alone", of_arm),
    ];
    for (name, place) in waiting {
        let wish = json!({ "text": crate::server::asked::TASK, "name": name });
        let wish = serde_json::from_value(wish).expect("a wish");
        let app = &visitor.served.app;
        let (request, secrets) = app.wished_request(wish, None).await.expect("a request");
        let queued = app.enqueue(request, &secrets, &place, "by hand").await;
        queued.expect("it is queued");
    }
    let page = visitor.visits("/").await.is(200).text;
    let at = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("no {text} in {page}"))
    };
    let line = at("Queue of default");
    assert!(at("Queue of arm") < line && at(">alone</a>") < line);
    assert!(line < at(">first</a>") && at(">first</a>") < at(">second</a>"));
    for words in [
        "no worker of pool arm is at work",
        "0 of at most 0 runs of pool default are under way",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
}
