//! Base images: what is watched for a task, and whether a move starts it.

use crate::{
    spec::{dependencies::KnownBase, reference::Reference},
    tasks::{BaseImageKind, Definition, Follow, Status},
};

/// Something in a registry that is looked at for tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// The content behind a tag.
    Tag(Reference),
    /// The newest tag that a rule allows.
    Newest {
        /// The image; its tag is the one that is followed on from.
        image: Reference,
        /// The rule.
        rule: Follow,
    },
}

/// A base that a task's builds stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What is watched, as [`Watched::key`] says it.
    pub key: String,
    /// Whether a built image begins with it.
    pub is_runtime: bool,
    /// The digest that the last build stood on, as far as it is known.
    pub stood_on: Option<String>,
}

/// Something that is watched has another content than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved<'a> {
    /// What was behind it before; `None` when nothing was known.
    pub from: Option<&'a str>,
    /// What is behind it now.
    pub to: &'a str,
    /// Whether the bytes that make up the image are the same as before.
    pub is_same_content: bool,
}

/// Whether a move starts a task, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does, once the settle window is over.
    Start(String),
    /// It does not.
    Nothing(String),
}

impl Watched {
    /// Names it: the whole reference, or the image with the rule in braces.
    pub fn key(&self) -> String {
        match self {
            Watched::Tag(image) => tagged(image),
            Watched::Newest { image, rule } => {
                format!("{}{{{}}}", tagged(image), rule.words())
            }
        }
    }
}

fn tagged(image: &Reference) -> String {
    let tag = image.tag.as_deref().unwrap_or_default();
    format!("{}:{tag}", image.name())
}

/// What is to be watched for a base of a task; nothing when it is pinned by digest or no reference.
pub fn watched(task: &Definition, base: &KnownBase) -> Vec<Watched> {
    let Ok(image) = Reference::parse(&base.image) else {
        return Vec::new();
    };
    if image.digest.is_some() {
        return Vec::new();
    }
    let image = image.with_default_tag();
    let rules = task.triggers.base_image.iter().flat_map(|it| &it.follow);
    let is_meant =
        |rule: &&Follow| Reference::parse(&rule.image).is_ok_and(|it| it.name() == image.name());
    let followed = rules.filter(is_meant).map(|rule| Watched::Newest {
        image: image.clone(),
        rule: rule.clone(),
    });
    let mut found: Vec<Watched> = followed.collect();
    found.push(Watched::Tag(image));
    found
}

/// Decides whether what moved starts a task that stands on it.
pub fn base_move(task: &Definition, base: &Base, moved: Moved<'_>) -> Verdict {
    let nothing = |reason: &str| Verdict::Nothing(reason.to_owned());
    let Some(trigger) = &task.triggers.base_image else {
        return nothing("the task has no base image trigger");
    };
    if task.status == Status::Disabled {
        return nothing("the task is disabled");
    }
    if trigger.status == Status::Disabled {
        return nothing("its base image trigger is disabled");
    }
    if !base.is_runtime && trigger.kind == BaseImageKind::Runtime {
        return nothing(
            "the base is needed for building only, and the trigger is for runtime bases",
        );
    }
    if base.stood_on.as_deref() == Some(moved.to) {
        return nothing("the last run stood on it already");
    }
    if moved.is_same_content {
        return nothing("the tag moved, but the image's content is the same");
    }
    let Some(from) = moved.from else {
        return nothing("it is seen for the first time");
    };
    Verdict::Start(format!("{} moved from {from} to {}", base.key, moved.to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::BaseImageTrigger;

    fn task(change: impl FnOnce(&mut BaseImageTrigger)) -> Definition {
        let mut task = Definition::named("app");
        let mut trigger = BaseImageTrigger::new("base");
        change(&mut trigger);
        task.triggers.base_image = Some(trigger);
        task
    }

    fn decide(task: &Definition, is_runtime: bool, from: Option<&str>, same: bool) -> Verdict {
        let base = Base {
            key: "docker.io/library/golang:1".to_owned(),
            is_runtime,
            stood_on: Some("sha256:a".to_owned()),
        };
        let moved = Moved {
            from,
            to: "sha256:b",
            is_same_content: same,
        };
        base_move(task, &base, moved)
    }

    #[test]
    fn a_move_starts_the_task_and_everything_else_says_why_not() {
        let usual = task(|_| ());
        let from = Some("sha256:a");
        assert_eq!(
            decide(&usual, true, from, false),
            Verdict::Start("docker.io/library/golang:1 moved from sha256:a to sha256:b".to_owned())
        );
        let mut disabled = usual.clone();
        disabled.status = Status::Disabled;
        let all = task(|it| it.kind = BaseImageKind::All);
        let off = task(|it| it.status = Status::Disabled);
        for (task, is_runtime, from, same, reason) in [
            (
                &Definition::named("x"),
                true,
                from,
                false,
                "no base image trigger",
            ),
            (&disabled, true, from, false, "the task is disabled"),
            (&off, true, from, false, "trigger is disabled"),
            (&usual, false, from, false, "runtime bases"),
            (&usual, true, None, false, "first time"),
            (&usual, true, from, true, "content is the same"),
        ] {
            let Verdict::Nothing(said) = decide(task, is_runtime, from, same) else {
                panic!("{reason}: it starts");
            };
            assert!(said.contains(reason), "{said}");
        }
        assert!(matches!(
            decide(&all, false, from, false),
            Verdict::Start(_)
        ));
    }

    #[test]
    fn what_the_last_run_stood_on_starts_nothing() {
        let base = Base {
            key: String::new(),
            is_runtime: true,
            stood_on: Some("sha256:b".to_owned()),
        };
        let moved = Moved {
            from: Some("sha256:a"),
            to: "sha256:b",
            is_same_content: false,
        };
        let Verdict::Nothing(said) = base_move(&task(|_| ()), &base, moved) else {
            panic!("it starts");
        };
        assert!(said.contains("already"), "{said}");
    }

    #[test]
    fn pinned_digests_are_not_watched_and_followed_images_are_twice() {
        let task = task(|it| {
            it.follow.push(Follow {
                image: "golang".to_owned(),
                versions: Some("^1.22".to_owned()),
                pattern: None,
                sets: None,
            });
        });
        let keys = |image: &str| -> Vec<String> {
            let base = KnownBase {
                image: image.to_owned(),
                digest: None,
                unknown: None,
                is_runtime: true,
            };
            watched(&task, &base).iter().map(Watched::key).collect()
        };
        let pinned = format!("golang@sha256:{}", "a".repeat(64));
        assert_eq!(keys(&pinned), [""; 0]);
        assert_eq!(
            keys("golang:1.22"),
            [
                "docker.io/library/golang:1.22{^1.22}",
                "docker.io/library/golang:1.22"
            ]
        );
        assert_eq!(keys("r.io:5000/base"), ["r.io:5000/base:latest"]);
    }
}
