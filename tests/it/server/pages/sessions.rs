//! Signing in, staying in, and what forms must bring along.

use careen::{ports::Role, server::Terms};

use super::visitor::Visitor;
use crate::server::asked::{Served, TASK};

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_form_and_back() {
    let mut visitor = Visitor::new().await;
    let answer = visitor.visits("/runs?status=failed").await.is(303);
    assert_eq!(
        answer.header("location"),
        "/login?next=%2Fruns%3Fstatus%3Dfailed"
    );
    let form = visitor.visits(answer.header("location")).await.is(200);
    assert!(form.text.contains(r#"value="/runs?status=failed""#));
    let token = visitor.token(Role::Reader).await;
    visitor.signs_in(&token).await.is(303);
    visitor.visits("/").await.is(200);
}

#[tokio::test]
async fn the_cookie_is_sealed_and_out_of_reach_of_scripts_and_other_sites() {
    let mut visitor = Visitor::new().await;
    let token = visitor.token(Role::Admin).await;
    let answer = visitor.signs_in(&token).await.is(303);
    let cookie = answer.header("set-cookie");
    for word in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(word), "no {word} in {cookie}");
    }
    assert!(!cookie.contains(&token));
    visitor.cookie.push('x');
    visitor.visits("/").await.is(303);
}

#[tokio::test]
async fn a_wrong_token_makes_no_session() {
    let mut visitor = Visitor::new().await;
    let answer = visitor.signs_in("careen_guessed").await.is(401);
    assert_eq!(answer.header("set-cookie"), "");
    assert!(answer.text.contains("not known"), "{}", answer.text);
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_at_once() {
    let visitor = Visitor::signed_in(Role::Reader).await;
    visitor.visits("/").await.is(200);
    let tokens = visitor.served.app.access.tokens().await.expect("tokens");
    let revoked = visitor.served.app.revoke_token(&tokens[0].id).await;
    revoked.expect("it was there");
    visitor.visits("/").await.is(303);
}

#[tokio::test]
async fn signing_in_leads_nowhere_else() {
    let visitor = Visitor::new().await;
    let token = visitor.token(Role::Reader).await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
    ] {
        let fields = [("token", token.as_str()), ("next", next)];
        let answer = visitor.posts("/login", &fields).await.is(303);
        assert_eq!(answer.header("location"), "/", "{next}");
    }
}

#[tokio::test]
async fn a_form_without_proof_changes_nothing() {
    let visitor = Visitor::signed_in(Role::Admin).await;
    visitor.posts("/logout", &[]).await.is(403);
    visitor
        .posts("/logout", &[("proof", "guessed")])
        .await
        .is(403);
    let answer = visitor.fills_in("/", "/logout", &[]).await.is(303);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn an_open_server_needs_no_session_but_proof_all_the_same() {
    let open = Terms {
        is_open: true,
        ..Terms::default()
    };
    let visitor = Visitor {
        served: Served::on(open).await,
        cookie: String::new(),
    };
    visitor.visits("/").await.is(200);
    visitor.posts("/logout", &[]).await.is(403);
}

#[tokio::test]
async fn every_page_forbids_what_is_inline_or_from_elsewhere() {
    let visitor = Visitor::signed_in(Role::Admin).await;
    let mut admin = Served::new().await;
    admin.asks_as(Role::Admin).await;
    admin.queues(TASK).await;
    for path in ["/", "/login", "/nothing/here"] {
        let page = visitor.visits(path).await;
        if path != "/nothing/here" {
            let policy = page.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'"),
                "{path}: {policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
        }
        for word in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.text.contains(word), "{path} has {word}");
        }
    }
}

#[tokio::test]
async fn assets_are_kept_for_good_under_their_hash() {
    let visitor = Visitor::new().await;
    let page = visitor.visits("/login").await.text;
    let at = page.find("/assets/").expect("a style sheet");
    let path: String = page[at..].chars().take_while(|it| *it != '"').collect();
    let asset = visitor.visits(&path).await.is(200);
    assert!(asset.header("cache-control").contains("immutable"));
    let stale = visitor.visits("/assets/0000/careen.css").await.is(200);
    assert_eq!(stale.header("cache-control"), "no-cache");
    visitor.visits("/assets/0000/none.css").await.is(404);
}
