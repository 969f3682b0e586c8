//! The editor.

use super::in_browser;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_underlined_while_one_types_and_goes_when_it_is_mended() {
    in_browser(async |browser, site| {
        browser.goes(&site.url("/new-task")).await;
        browser.types("#name", "nightly").await;
        browser.sees("#steps", "busybox").await;
        browser.sees(".editor-paint .y-key", "cmd").await;
        let alike = "const host = document.querySelector('.editor'); \
            return host.querySelector('pre').textContent === host.querySelector('textarea').value + '\\n'";
        browser.waits_for(alike).await;
        browser.types("#steps", "    when: [nowhere]").await;
        browser.sees(".editor-paint .error", "nowhere").await;
        browser.sees(".editor-paint .y-key", "when").await;
        browser.waits_for(alike).await;
        browser.sees("#findings li.error", "nowhere").await;
        browser.pictures("editor").await;
        browser.runs("const it = document.querySelector('#steps'); it.value = it.value.replace('nowhere', \"'-'\"); it.dispatchEvent(new Event('input'))").await;
        browser.waits_for("return document.querySelectorAll('#findings li').length === 0").await;
        browser.clicks("form.edit button.main").await;
        browser.sees("h1", "nightly").await;
        browser.sees(".node .name", "hello").await;
    })
    .await;
}
