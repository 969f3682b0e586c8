//! The fleet: what is stale and why, and the rollouts through it.

use careen::ports::Role;

use super::visitor::Visitor;
use crate::small_fleet::{MOVES, begin, end, is_known, is_large, moves, rolls_out};

async fn with_fleet(role: Role) -> Visitor {
    let visitor = Visitor::signed_in(role).await;
    is_known(&visitor.served.app).await;
    visitor
}

/// What a page counts, such as `11 fresh, 3 watched`.
fn counts(page: &str) -> String {
    let at = page.find("<p id=\"counts\"").expect("counts");
    let part = &page[at..at + page[at..].find("</p>").expect("an end")];
    let words = part
        .split("<b>")
        .skip(1)
        .map(|it| it.replace("</b>", "").replace("</a>", ""));
    let words: Vec<String> = words
        .map(|it| it.split('<').next().unwrap_or_default().to_owned())
        .collect();
    words.join(", ")
}

#[tokio::test]
async fn a_fleet_without_images_says_so() {
    let visitor = Visitor::signed_in(Role::Reader).await;
    let page = visitor.visits("/fleet").await.is(200).text;
    assert!(
        page.contains("No task that is stored builds an image"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_stale_is_counted_listed_and_explained_down_to_what_moved() {
    let visitor = with_fleet(Role::Reader).await;
    let app = &visitor.served.app;
    let page = visitor.visits("/fleet").await.is(200).text;
    assert_eq!(counts(&page), "11 fresh, 3 watched");
    assert!(
        page.contains("Every image of the fleet is what it should be."),
        "{page}"
    );
    moves(app, MOVES, "second").await;
    let page = visitor.visits("/fleet").await.is(200).text;
    assert_eq!(counts(&page), "6 stale, 5 fresh, 3 watched");
    assert_eq!(
        page.matches("class=\"node ").count(),
        14,
        "the whole fleet is drawn"
    );
    assert!(page.len() < 100_000, "{} bytes", page.len());
    let page = visitor.visits("/fleet?around=orders").await.is(200).text;
    assert_eq!(
        page.matches("class=\"node ").count(),
        5,
        "orders, and all that it stands on"
    );
    let at = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("no {text} in {page}"))
    };
    let why = at("id=\"why\"");
    let chain = &page[why..];
    let first = chain.find("around=orders").expect("itself");
    let root = chain
        .find("around=base-alpine")
        .expect("what is in its way");
    assert!(
        first < root && chain[root..].contains("alpine:3.20 moved from"),
        "{chain}"
    );
    let of_one = visitor
        .visits("/fleet?state=fresh&level=2")
        .await
        .is(200)
        .text;
    let list = &of_one[of_one.find("id=\"images\"").expect("a list")..];
    assert!(
        list.contains(">node</a>") && !list.contains(">go</a>") && !list.contains(">web</a>"),
        "{list}"
    );
}

#[tokio::test]
async fn a_build_that_failed_names_its_run_and_what_it_holds_up() {
    let visitor = with_fleet(Role::Reader).await;
    let app = &visitor.served.app;
    moves(app, MOVES, "second").await;
    assert_eq!(begin(app).await, ["base-alpine"]);
    let page = visitor.visits("/fleet").await.is(200).text;
    assert_eq!(counts(&page), "1 building, 5 stale, 5 fresh, 3 watched");
    end(app, "base-alpine").await;
    let page = visitor.visits("/fleet?around=payments").await.is(200).text;
    assert_eq!(counts(&page), "1 failed, 5 stuck, 5 fresh, 3 watched");
    assert!(
        page.contains("href=\"/runs/base-alpine-") && page.contains("exit status 1"),
        "{page}"
    );
}

#[tokio::test]
async fn a_rollout_shows_how_far_it_is_and_rests_by_a_button() {
    let visitor = with_fleet(Role::Editor).await;
    let app = &visitor.served.app;
    moves(app, MOVES, "second").await;
    rolls_out(app).await;
    begin(app).await;
    end(app, "").await;
    begin(app).await;
    let page = visitor.visits("/fleet").await.is(200).text;
    for words in [
        "1 of 6 fresh, 1 building, 4 held",
        "canary gateway",
        "at most 4 at once",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    visitor
        .fills_in("/fleet", "/rollouts/r1/pause", &[])
        .await
        .is(303);
    let page = visitor.visits("/fleet").await.is(200).text;
    assert!(
        page.contains("paused by editor") && page.contains("Go on"),
        "{page}"
    );
    visitor
        .fills_in("/fleet", "/rollouts/r1/burn", &[])
        .await
        .is(404);
    let report = visitor.visits("/fleet/report.md").await.is(200);
    assert!(report.header("content-type").starts_with("text/markdown"));
    assert!(report.text.contains("| base-alpine |"), "{}", report.text);
}

#[tokio::test]
async fn who_may_not_edit_begins_and_changes_no_rollout() {
    let visitor = with_fleet(Role::Runner).await;
    rolls_out(&visitor.served.app).await;
    let page = visitor.visits("/fleet").await.is(200).text;
    assert!(!page.contains("action=\"/rollouts"), "{page}");
    for path in ["/rollouts", "/rollouts/r1/cancel"] {
        visitor.fills_in("/fleet", path, &[]).await.is(403);
    }
}

/// The drawing of a page.
fn drawing(page: &str) -> &str {
    let from = &page[page.find("<svg class=\"graph\"").expect("a drawing")..];
    &from[..from.find("</svg>").expect("its end")]
}

#[tokio::test]
async fn a_large_fleet_is_a_small_page_that_draws_at_most_200_nodes() {
    for levels in [10, 200] {
        let visitor = Visitor::signed_in(Role::Editor).await;
        is_large(&visitor.served.app, 2000, levels).await;
        for (path, drawn) in [
            ("/fleet", 60),
            ("/fleet?most=200", 200),
            ("/fleet?most=2000", 200),
            ("/fleet?most=200&around=service-01007-of-the-shop", 200),
            ("/fleet?most=200&around=docker.io/library/debian:12", 200),
        ] {
            let page = visitor.visits(path).await.is(200).text;
            let nodes = page.matches("class=\"node ").count();
            assert_eq!(nodes, drawn, "{path} of {levels} levels");
            let again = visitor.visits(path).await.is(200).text;
            assert_eq!(drawing(&page), drawing(&again), "{path} is drawn otherwise");
            let bytes = page.len();
            assert!(bytes < 100_000, "{path} of {levels} levels: {bytes} bytes");
        }
    }
}
