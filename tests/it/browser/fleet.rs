//! A rollout is seen to move through the fleet.

use serde_json::Value;

use super::in_browser;
use crate::small_fleet::{MOVES, begin, end, is_known, moves, rolls_out};

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_seen_to_move_through_the_fleet_and_its_why_chain_is_walked() {
    in_browser(async |browser, site| {
        let app = &site.app;
        is_known(app).await;
        browser.measures(1280, 860).await;
        browser.goes(&site.url("/fleet")).await;
        browser.sees("#counts", "11 fresh").await;
        browser.runs("window.isTheSame = true").await;
        moves(app, MOVES, "second").await;
        browser.sees(".node.stale .name", "base-alpine").await;
        browser.sees("#images", "alpine:3.20 moved from").await;
        rolls_out(app).await;
        begin(app).await;
        browser.sees(".node.running .name", "base-alpine").await;
        end(app, "").await;
        begin(app).await;
        browser.sees(".node.running .name", "go").await;
        browser.sees("#rollouts", "1 of 6 fresh").await;
        browser.pictures("fleet-live").await;
        let same = browser.runs("return window.isTheSame").await;
        assert_eq!(same, Value::Bool(true), "nothing was loaded again");
        browser.goes(&site.url("/fleet?around=reports")).await;
        browser.sees("#why .chain", "go").await;
        browser.clicks("#why .chain li:nth-child(2) a").await;
        browser.sees("#why h2", "go").await;
        end(app, "").await;
        while !begin(app).await.is_empty() {
            end(app, "").await;
        }
        browser.sees("#counts", "11 fresh").await;
        browser.sees("#rollouts", "6 of 6 fresh").await;
    })
    .await;
}
