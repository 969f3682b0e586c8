//! The pages in a real browser: live, with scripts, small, dark, and read by a checker of accessibility.

mod accessible;
mod driver;
mod editing;
mod fleet;
mod following;
mod reading;
mod site;

use std::sync::Mutex;

use driver::Browser;
use site::Site;

/// One browser at a time: each wants more than a core.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// Whether it was said that there is none.
static SAID: Mutex<bool> = Mutex::new(false);

/// Runs a claim in a browser that is signed in at a server of its own, where the long proofs are asked for.
async fn in_browser(claim: impl AsyncFn(&Browser, &Site)) {
    let is_required = std::env::var("CAREEN_TEST_BROWSER").is_ok_and(|it| it == "required");
    if !is_required && std::env::var_os("CAREEN_TEST_ALL").is_none() {
        println!("skipped: CAREEN_TEST_ALL is not set");
        return;
    }
    let _one = ONE.lock().await;
    let browser = match Browser::start().await {
        Ok(browser) => browser,
        Err(error) => {
            assert!(!is_required, "CAREEN_TEST_BROWSER=required: {error}");
            let mut said = SAID.lock().expect("nobody panics with it");
            if !std::mem::replace(&mut *said, true) {
                println!("skipped: no browser: {error}");
            }
            return;
        }
    };
    let site = Site::open().await;
    browser.goes(&site.url("/login")).await;
    browser.types("#token", &site.token).await;
    browser.clicks("main button").await;
    browser.sees("h1", "Runs").await;
    claim(&browser, &site).await;
    browser.quits().await;
}
