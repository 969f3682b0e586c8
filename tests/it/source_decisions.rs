//! Which tasks a change of a repository starts, and why the others are left alone.

use careen::{
    tasks::{Definition, SourceEvent, SourceTrigger, Status},
    triggers::{Author, Happening, PullRequest, Push, Reference, SourceFact, TaskIndex},
};

const WEB: &str = "https://github.com/acme/web.git";

fn task(change: impl FnOnce(&mut Definition, &mut SourceTrigger)) -> Definition {
    let mut task = Definition::named("web");
    task.context = Some(format!("{WEB}#main"));
    let mut trigger = SourceTrigger::new("t", WEB);
    change(&mut task, &mut trigger);
    task.triggers.source.push(trigger);
    task
}

fn push(change: impl FnOnce(&mut Push)) -> SourceFact {
    let mut push = Push {
        reference: Reference::Branch("main".to_owned()),
        before: Some("a".repeat(40)),
        commit: "b".repeat(40),
        author: Author {
            id: "7".to_owned(),
            name: "ann".to_owned(),
        },
        message: "Fix the door".to_owned(),
        paths: Some(vec!["api/main.rs".to_owned(), "docs/a.md".to_owned()]),
        at: None,
    };
    change(&mut push);
    SourceFact {
        addresses: vec!["git@github.com:Acme/web.git".to_owned()],
        happening: Happening::Push(push),
    }
}

fn request(is_fork: bool) -> SourceFact {
    SourceFact {
        addresses: vec![WEB.to_owned()],
        happening: Happening::PullRequest(PullRequest {
            number: 3,
            title: "Try".to_owned(),
            target: "main".to_owned(),
            source: "try".to_owned(),
            fetch: "pull/3/head".to_owned(),
            before: None,
            commit: "c".repeat(40),
            is_fork,
            author: Author {
                id: "66".to_owned(),
                name: "mallory".to_owned(),
            },
            at: None,
        }),
    }
}

/// Says why a task starts, or why not.
fn decided(task: &Definition, fact: &SourceFact) -> String {
    let found = TaskIndex::new([task]).decide(fact, None);
    match found.first().map(|it| &it.outcome) {
        None => "does not watch it".to_owned(),
        Some(Ok(start)) => format!("starts: {}", start.reason),
        Some(Err(why)) => format!("not: {why}"),
    }
}

#[test]
fn every_filter_has_its_say_and_its_reason() {
    let plain = push(|_| ());
    let branch = |name: &str| push(|it| it.reference = Reference::Branch(name.to_owned()));
    let tag = push(|it| it.reference = Reference::Tag("v1".to_owned()));
    let says = |words: &str| push(|it| it.message = words.to_owned());
    let starts = "starts: main is at bbbbbbbbbbbb";
    let cases: Vec<(Definition, SourceFact, &str)> = vec![
        (task(|_, _| ()), plain.clone(), starts),
        (
            task(|it, _| it.status = Status::Disabled),
            plain.clone(),
            "not: the task is disabled",
        ),
        (
            task(|_, it| it.status = Status::Disabled),
            plain.clone(),
            "not: the trigger is disabled",
        ),
        (
            task(|_, it| it.branch = Some("main".to_owned())),
            plain.clone(),
            starts,
        ),
        (
            task(|_, it| it.branch = Some("main".to_owned())),
            branch("dev"),
            "not: the trigger does not watch dev",
        ),
        (
            task(|_, it| it.branches = vec!["*".to_owned(), "!dev".to_owned()]),
            branch("dev"),
            "not: the trigger does not watch dev",
        ),
        (
            task(|_, _| ()),
            tag.clone(),
            "not: the trigger does not watch tags",
        ),
        (
            task(|_, it| {
                it.events = vec![SourceEvent::Tag];
                it.tags = vec!["v*".to_owned()];
            }),
            tag,
            "starts: tag v1 is at bbbbbbbbbbbb",
        ),
        (
            task(|_, it| it.paths = vec!["api/**".to_owned()]),
            plain.clone(),
            starts,
        ),
        (
            task(|_, it| {
                it.paths = vec!["**".to_owned(), "!api/**".to_owned(), "!docs/**".to_owned()]
            }),
            plain.clone(),
            "not: no file that changed is one that the trigger watches",
        ),
        (
            task(|it, _| it.context = Some(format!("{WEB}#main:web"))),
            plain.clone(),
            "not: no file that changed is one that the trigger watches",
        ),
        (
            task(|it, _| it.context = Some(format!("{WEB}#main:api"))),
            plain.clone(),
            starts,
        ),
        (
            task(|it, _| it.context = Some(format!("{WEB}#main:web"))),
            push(|it| it.paths = None),
            "starts: main is at bbbbbbbbbbbb, and which files changed is not known",
        ),
        (
            task(|_, it| it.authors = vec!["8".to_owned()]),
            plain.clone(),
            "not: the author 7 is not one of the trigger's",
        ),
        (
            task(|_, it| it.authors = vec!["7".to_owned()]),
            plain.clone(),
            starts,
        ),
        (
            task(|_, _| ()),
            says("Fix [Skip CI] it"),
            "not: the message says [skip ci]",
        ),
        (
            task(|_, it| it.skip = Some(Vec::new())),
            says("[skip ci]"),
            starts,
        ),
        (
            task(|_, it| it.branches = vec!["[".to_owned()]),
            plain.clone(),
            "not: \"[\" is no pattern: unclosed character class; missing ']'",
        ),
        (
            task(|_, it| it.repository = "https://github.com/acme/other".to_owned()),
            plain,
            "does not watch it",
        ),
        (
            task(|_, _| ()),
            request(true),
            "not: the trigger does not watch pull requests",
        ),
    ];
    for (task, fact, expected) in cases {
        assert_eq!(
            decided(&task, &fact),
            expected,
            "{:?}",
            task.triggers.source
        );
    }
}

#[test]
fn forks_see_no_secrets_and_strangers_need_approval() {
    let watching = |trusted: &str| {
        task(|_, it| {
            it.events = vec![SourceEvent::PullRequest];
            it.trusted_authors = vec![trusted.to_owned()];
        })
    };
    for (fact, trusted, is_restricted, needs_approval) in [
        (request(true), "1", true, true),
        (request(true), "66", true, false),
        (request(false), "1", false, false),
    ] {
        let found = TaskIndex::new([&watching(trusted)]).decide(&fact, None);
        let start = found[0].outcome.clone().unwrap();
        assert_eq!(
            (start.is_restricted, start.needs_approval),
            (is_restricted, needs_approval)
        );
    }
}

#[test]
fn a_task_starts_once_however_many_of_its_triggers_agree() {
    let mut twice = task(|_, _| ());
    twice.triggers.source.push(SourceTrigger::new("u", WEB));
    assert_eq!(
        TaskIndex::new([&twice]).decide(&push(|_| ()), None).len(),
        1
    );
}

#[test]
fn names_that_a_shell_or_a_path_could_read_are_not_plain() {
    for name in ["main", "feature/x-1", "dependabot/npm/a@b", "größe"] {
        assert!(
            Reference::of(&format!("refs/heads/{name}")).is_plain(),
            "{name}"
        );
    }
    for name in [
        "$(id)",
        "a;b",
        "a b",
        "../x",
        "a..b",
        "-x",
        "a\nb",
        "`x`",
        "a|b",
        "\u{202e}x",
        "",
    ] {
        assert!(
            !Reference::of(&format!("refs/heads/{name}")).is_plain(),
            "{name}"
        );
    }
}
