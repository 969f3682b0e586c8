//! Every way to name something of a repository leads to its files, over http from a real git server.

use careen::ports::{Access, Contexts, OpenFault, Pin};
use careen::spec::context::Login;

use super::{
    Place, near, refusal,
    servers::{GitServer, TOKEN},
    text_of,
};

fn commit_of(pin: &Pin) -> (&str, &str) {
    match pin {
        Pin::Commit {
            commit, reference, ..
        } => (commit, reference),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_tags_commits_and_pull_requests_are_opened() {
    let server = GitServer::start().await;
    let repository = server.repository("app.git", &[("a", "first"), ("d/e/f", "deep")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "text", "heavy"]);
    repository.git(&["checkout", "-q", "-b", "feature/x"]);
    let second = repository.commit(&[("a", "second")]);
    repository.git(&["checkout", "-q", "--detach"]);
    let third = repository.commit(&[("a", "third")]);
    repository.git(&["update-ref", "refs/pull/7/head", &third]);
    repository.git(&["checkout", "-q", "main"]);
    let place = Place::new();
    let url = server.url("app.git");
    for (fragment, commit, text, branch) in [
        ("", &first, "first", "main"),
        ("#main", &first, "first", "main"),
        ("#light", &first, "first", "HEAD"),
        ("#heavy", &first, "first", "HEAD"),
        ("#refs/tags/heavy", &first, "first", "HEAD"),
        ("#feature/x", &second, "second", "feature/x"),
        ("#refs/heads/feature/x", &second, "second", "feature/x"),
        ("#pull/7/head", &third, "third", "HEAD"),
        ("#refs/pull/7/head", &third, "third", "HEAD"),
        (&format!("#{second}"), &second, "second", "HEAD"),
        (&format!("#{}", &second[..9]), &second, "second", "HEAD"),
    ] {
        let opened = place.open(&format!("{url}{fragment}")).await.unwrap();
        assert_eq!(commit_of(&opened.pin).0, commit, "{fragment}");
        assert_eq!(text_of(&opened, "a"), text, "{fragment}");
        let git = opened.git.unwrap();
        assert_eq!(
            (&git.commit, git.branch.as_str()),
            (commit, branch),
            "{fragment}"
        );
        assert!(!opened.folder.join(".git").exists());
    }
    let opened = place.open(&format!("{url}#main:d/e")).await.unwrap();
    assert_eq!(opened.directory, "d/e");
    assert_eq!(text_of(&opened, "d/e/f"), "deep");
    assert_eq!(place.entries().len(), 3, "one for each commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_fetched_once_and_found_again_when_the_branch_has_moved() {
    let server = GitServer::start().await;
    let repository = server.repository("app.git", &[("a", "first")]);
    let place = Place::new();
    let url = format!("{}#main", server.url("app.git"));
    let first = place.open(&url).await.unwrap();
    let packs = server.packs();
    let again = place.open(&url).await.unwrap();
    assert_eq!((server.packs(), &again.pin), (packs, &first.pin));
    repository.commit(&[("a", "second")]);
    let moved = place.open(&url).await.unwrap();
    assert_eq!(text_of(&moved, "a"), "second");
    // Another machine, or a cache that was emptied: the recorded commit is fetched again.
    let other = Place::new();
    let reopened = other.contexts.reopen(&first.pin, &near()).await.unwrap();
    assert_eq!(text_of(&reopened, "a"), "first");
    assert_eq!(commit_of(&reopened.pin).0, commit_of(&first.pin).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_commit_is_found_where_the_server_gives_none_by_name() {
    let server = GitServer::start().await;
    let repository = server.repository("app.git", &[("a", "first")]);
    repository.git(&["config", "uploadpack.allowAnySHA1InWant", "false"]);
    let first = Place::new().open(&server.url("app.git")).await.unwrap();
    repository.commit(&[("a", "second")]);
    let place = Place::new();
    let reopened = place.contexts.reopen(&first.pin, &near()).await.unwrap();
    assert_eq!(text_of(&reopened, "a"), "first");
    // Once it is nowhere any more, that is said.
    repository.git(&["checkout", "-q", "--orphan", "new"]);
    repository.commit(&[("a", "third")]);
    repository.git(&["branch", "-M", "new", "main"]);
    let error = refusal(Place::new().contexts.reopen(&first.pin, &near()).await);
    assert!(error.reason.contains("no commit"), "{error}");
    assert_eq!(error.fault, OpenFault::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_with_what_is() {
    let server = GitServer::start().await;
    server.repository("app.git", &[("a", "first"), ("d/x", "")]);
    let place = Place::new();
    for (context, reason, hint) in [
        (
            "app.git#mian",
            "there is no branch, tag or commit mian",
            "There is main",
        ),
        ("app.git#0123456789", "no commit 0123456789", "pushed"),
        ("app.git#main:nope", "it has no folder nope", ""),
        ("app.git#main:d/x", "d/x is no folder", ""),
        (
            "nope.git",
            "there is no such repository",
            "CAREEN_GIT_TOKEN",
        ),
    ] {
        let error = refusal(place.open(&server.url(context)).await);
        assert!(error.reason.contains(reason), "{context}: {error}");
        assert!(error.hint.contains(hint), "{context}: {}", error.hint);
        assert_eq!(error.fault, OpenFault::Missing, "{context}");
    }
    let drafts = place
        .entries()
        .iter()
        .filter(|it| !it.starts_with("git-"))
        .count();
    assert_eq!(drafts, 0, "nothing half done is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_opens_with_its_token_and_shows_it_to_nobody_else() {
    let server = GitServer::start().await;
    let other = GitServer::start().await;
    other.repository("lib.git", &[("l", "lib")]);
    let repository = server.repository("private/app.git", &[("a", "mine")]);
    let lib = other.repository("lib.git", &[]).git(&["rev-parse", "HEAD"]);
    let modules = format!(
        "[submodule \"l\"]\n\tpath = l\n\turl = {}\n",
        other.url("lib.git")
    );
    repository.commit(&[(".gitmodules", &modules)]);
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{lib},l"),
    ]);
    repository.git(&["commit", "-q", "-m", "submodule"]);
    let place = Place::new();
    let url = server.url("private/app.git");
    let error = refusal(place.open(&url).await);
    assert_eq!(error.fault, OpenFault::Denied);
    assert!(error.hint.contains("CAREEN_GIT_TOKEN"), "{}", error.hint);
    let with = |password: &str| Access {
        login: Some(Login {
            username: String::new(),
            password: password.to_owned().into(),
        }),
        ..near()
    };
    let error = refusal(place.open_with(&url, with("wrong")).await);
    assert!(error.reason.contains("not accepted"), "{error}");
    assert!(!format!("{error:?}").contains("wrong-token"));
    let opened = place.open_with(&url, with(TOKEN)).await.unwrap();
    assert_eq!(text_of(&opened, "a"), "mine");
    assert_eq!(text_of(&opened, "l/l"), "lib");
    assert!(other.logins().is_empty(), "{:?}", other.logins());
    let typed = url.replace("http://", &format!("http://{TOKEN}@"));
    let opened = Place::new().open(&typed).await.unwrap();
    assert!(!format!("{:?}", opened.pin).contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_come_along_and_lfs_pointers_are_told() {
    let server = GitServer::start().await;
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    server.repository("deep.git", &[("x", "deepest"), ("big", pointer)]);
    let lib = server.repository("lib.git", &[("l", "lib")]);
    lib.git(&["submodule", "add", "-q", &server.url("deep.git"), "deep"]);
    lib.commit(&[]);
    let app = server.repository("app.git", &[("a", "app")]);
    app.git(&["submodule", "add", "-q", &server.url("lib.git"), "libs/one"]);
    let modules = std::fs::read_to_string(app.path.join(".gitmodules")).unwrap();
    let relative = modules.replace(&server.url("lib.git"), "../lib.git");
    app.commit(&[(".gitmodules", &relative)]);
    let place = Place::new();
    let opened = place.open(&server.url("app.git")).await.unwrap();
    assert_eq!(text_of(&opened, "libs/one/l"), "lib");
    assert_eq!(text_of(&opened, "libs/one/deep/x"), "deepest");
    assert_eq!(text_of(&opened, "libs/one/deep/big"), pointer);
    let remarks = opened.remarks.join("\n");
    assert!(
        remarks.contains("Git LFS are not fetched: big"),
        "{remarks}"
    );
}
