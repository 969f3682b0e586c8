//! What code hosts send is read as what happened; `tests/data/hooks` has a delivery of each kind.

use careen::triggers::{Happening, Provider, SourceFact, Unreadable, read};

/// Writes what one delivery tells in one line.
fn lines(facts: &[SourceFact]) -> String {
    let lines = facts.iter().map(|fact| line(&fact.happening));
    lines.collect::<Vec<_>>().join("; ")
}

/// Writes a happening in one line.
fn line(happening: &Happening) -> String {
    let short = |commit: &str| commit[..4].to_owned();
    match happening {
        Happening::Push(push) => format!(
            "push {} {}..{} by {} says {:?} changes {}",
            push.reference.full(),
            push.before.as_deref().map(short).unwrap_or_default(),
            short(&push.commit),
            push.author.id,
            push.message.lines().next().unwrap_or_default(),
            push.paths
                .as_ref()
                .map_or("anything".to_owned(), |it| it.join(",")),
        ),
        Happening::PullRequest(it) => format!(
            "request {} {} into {} at {} by {}{}",
            it.number,
            it.fetch,
            it.target,
            short(&it.commit),
            it.author.id,
            if it.is_fork { " of a fork" } else { "" },
        ),
        Happening::Deletion(reference) => format!("deleted {}", reference.full()),
        Happening::Ping => "ping".to_owned(),
        Happening::Other(event) => format!("other {event}"),
    }
}

const CASES: &[(Provider, &str, &str, &str)] = &[
    (Provider::Github, "ping", "github-ping", "ping"),
    (
        Provider::Github,
        "push",
        "github-push-branch",
        "push refs/heads/master ..6113 by 21031067 says \"Initial commit\" changes anything",
    ),
    (
        Provider::Github,
        "push",
        "github-push-deleted-tag",
        "deleted refs/tags/simple-tag",
    ),
    (
        Provider::Github,
        "pull_request",
        "github-pull-request-opened",
        "request 2 pull/2/head into master at ec26 by 21031067",
    ),
    (Provider::Github, "issues", "github-ping", "other issues"),
    (
        Provider::Gitlab,
        "Push Hook",
        "gitlab-push",
        "push refs/heads/master aaaa..bbbb by 4 says \"Fix the readme\" changes CHANGELOG,README.md,app/controller/application.rb,old.txt",
    ),
    (
        Provider::Gitlab,
        "Push Hook",
        "gitlab-push-many",
        "push refs/heads/master aaaa..bbbb by 4 says \"one of many\" changes anything",
    ),
    (
        Provider::Gitlab,
        "Tag Push Hook",
        "gitlab-tag",
        "push refs/tags/v1.0.0 ..bbbb by 4 says \"\" changes anything",
    ),
    (
        Provider::Gitlab,
        "Merge Request Hook",
        "gitlab-merge-request-open",
        "request 7 merge-requests/7/head into master at bbbb by 51 of a fork",
    ),
    (
        Provider::Gitlab,
        "Merge Request Hook",
        "gitlab-merge-request-title",
        "other merge request update",
    ),
    (
        Provider::Gitea,
        "push",
        "gitea-push",
        "push refs/heads/develop aaaa..bbbb by 1 says \"Webhooks Yay!\" changes webhook.txt",
    ),
    (
        Provider::Gitea,
        "delete",
        "gitea-delete",
        "deleted refs/tags/v1.0",
    ),
    (
        Provider::Gitea,
        "pull_request",
        "gitea-pull-request-sync",
        "request 3 pull/3/head into main at bbbb by 8 of a fork",
    ),
    (
        Provider::Bitbucket,
        "repo:push",
        "bitbucket-push",
        "push refs/heads/main aaaa..bbbb by {u1} says \"new stuff\" changes anything",
    ),
    (
        Provider::Bitbucket,
        "repo:push",
        "bitbucket-push-several",
        "push refs/heads/main aaaa..bbbb by {u1} says \"new stuff\" changes anything; \
         push refs/heads/release/2 ..cccc by {u1} says \"another\" changes anything; deleted refs/heads/gone",
    ),
    (
        Provider::Bitbucket,
        "repo:push",
        "bitbucket-deletion",
        "deleted refs/heads/old",
    ),
    (
        Provider::Bitbucket,
        "pullrequest:created",
        "bitbucket-pull-request",
        "request 9 try into main at bbbb by {u2}",
    ),
    (
        Provider::AzureDevops,
        "",
        "azure-push",
        "push refs/heads/main aaaa..bbbb by 00067FFED5C7AF52 says \"Fixed bug in web.config file\" changes anything",
    ),
    (
        Provider::AzureDevops,
        "",
        "azure-push-several",
        "push refs/heads/main aaaa..bbbb by 00067FFED5C7AF52 says \"Fixed bug in web.config file\" changes anything; \
         push refs/heads/release/2 ..cccc by 00067FFED5C7AF52 says \"Start release 2\" changes anything; \
         deleted refs/tags/v1",
    ),
    (
        Provider::AzureDevops,
        "",
        "azure-pull-request",
        "request 1 mytopic into main at bbbb by 54d125f7 of a fork",
    ),
    (
        Provider::Generic,
        "push",
        "generic-push",
        "push refs/heads/main aaaa..bbbb by 7 says \"by hand\" changes a/b.txt",
    ),
];

/// Deliveries as others have published them, whole.
const PUBLISHED: &[(Provider, &str, &str, &str)] = &[
    (
        Provider::Gitlab,
        "Push Hook",
        "published/gitlab-push",
        "push refs/heads/master 9579..da15 by 4 says \"fixed readme\" changes anything",
    ),
    (
        Provider::Gitlab,
        "Tag Push Hook",
        "published/gitlab-tag",
        "push refs/tags/v1.0.0 ..82b3 by 1 says \"\" changes anything",
    ),
    (
        Provider::Gitlab,
        "Merge Request Hook",
        "published/gitlab-merge-request",
        "request 1 merge-requests/1/head into master at da15 by 51",
    ),
    (
        Provider::Gitlab,
        "Pipeline Hook",
        "published/gitlab-pipeline",
        "other Pipeline Hook",
    ),
    (
        Provider::Gitea,
        "push",
        "published/gitea-push",
        "push refs/heads/master ..67b5 by 1 says \"example\" changes anything",
    ),
    (
        Provider::Gitea,
        "pull_request",
        "published/gitea-pull-request",
        "request 2 pull/2/head into master at 48e7 by 2 of a fork",
    ),
    (
        Provider::Gitea,
        "create",
        "published/gitea-create",
        "other create",
    ),
    (
        Provider::Gitea,
        "delete",
        "published/gitea-delete",
        "deleted refs/heads/example3",
    ),
    (
        Provider::Gitea,
        "release",
        "published/gitea-release",
        "other release",
    ),
    (
        Provider::Bitbucket,
        "repo:push",
        "published/bitbucket-repo-push",
        "push refs/heads/name-of-branch 1e65..709d by {a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3} says \"new commit message\" changes anything",
    ),
    (
        Provider::Bitbucket,
        "pullrequest:created",
        "published/bitbucket-pull-request-created",
        "request 1 branch2 into master at d302 by {a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}",
    ),
    (
        Provider::Bitbucket,
        "pullrequest:fulfilled",
        "published/bitbucket-pull-request-merged",
        "other pullrequest:fulfilled",
    ),
    (
        Provider::Bitbucket,
        "repo:fork",
        "published/bitbucket-repo-fork",
        "other repo:fork",
    ),
    (
        Provider::AzureDevops,
        "",
        "published/azure-push",
        "push refs/heads/main aad3..33b5 by 00067FFED5C7AF52@Live.com says \"Fixed bug in web.config file\" changes anything",
    ),
    (
        Provider::AzureDevops,
        "",
        "published/azure-pull-request-created",
        "request 1 mytopic into master at 53d5 by 54d125f7-69f7-4191-904f-c5b96b6261c8",
    ),
    (
        Provider::AzureDevops,
        "",
        "published/azure-pull-request-updated",
        "other pull request completed",
    ),
    (
        Provider::AzureDevops,
        "",
        "published/azure-pull-request-merged",
        "other git.pullrequest.merged",
    ),
    (
        Provider::AzureDevops,
        "",
        "published/azure-build-complete",
        "other build.complete",
    ),
];

fn body(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hooks");
    std::fs::read(format!("{folder}/{name}.json")).unwrap()
}

#[test]
fn each_delivery_is_read_as_what_happened() {
    for (provider, event, name, expected) in CASES.iter().chain(PUBLISHED) {
        let facts = read(*provider, event, &body(name)).unwrap_or_else(|it| panic!("{name}: {it}"));
        assert_eq!(lines(&facts), *expected, "{name}");
        for fact in facts {
            let starts_nothing = matches!(fact.happening, Happening::Ping | Happening::Other(_));
            assert!(starts_nothing || !fact.addresses.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_form_is_read_as_the_json_in_it() {
    let json = body("github-push-branch");
    let mut form = b"payload=".to_vec();
    form.extend(
        url::form_urlencoded::byte_serialize(&json)
            .collect::<String>()
            .bytes(),
    );
    assert_eq!(
        read(Provider::Github, "push", &form),
        read(Provider::Github, "push", &json)
    );
}

#[test]
fn what_cannot_be_read_is_said_and_never_a_panic() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let no_json = |it: &Result<_, _>| matches!(it, Err(Unreadable::NoJson(_)));
    assert!(no_json(&read(Provider::Github, "push", deep.as_bytes())));
    assert!(no_json(&read(Provider::Github, "push", b"\xff\xfe")));
    assert!(no_json(&read(Provider::Github, "push", b"payload=%7B")));
    for (provider, event, name, _) in CASES.iter().chain(PUBLISHED) {
        let text = String::from_utf8(body(name)).unwrap();
        for odd in [
            "{}",
            "[]",
            "null",
            "{\"ref\":[],\"after\":{}}",
            "{\"action\":1}",
        ] {
            let _ = read(*provider, event, odd.as_bytes());
        }
        // Commits and references that are something else altogether.
        for wrong in [text.replace("bbbb", "zz"), text.replace("refs/heads", "")] {
            let _ = read(*provider, event, wrong.as_bytes());
        }
    }
    let short = r#"{"ref":"refs/heads/main","after":"abc"}"#;
    let found = read(Provider::Github, "push", short.as_bytes());
    assert_eq!(found, Err(Unreadable::Field("/after")));
}
