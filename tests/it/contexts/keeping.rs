//! A folder is kept as a run and its builds saw it, if that is cheap.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use careen::{
    adapters::folder::{Bounds, Caps, Folder},
    ports::{BuildFiles, Contexts, OpenFault, Pin},
};

use super::{Place, near, refusal, text_of};

fn write(place: &Place, name: &str, text: &str) {
    let path = folder(place).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn folder(place: &Place) -> PathBuf {
    place.folder.path().join("source")
}

async fn keep(place: &Place, builds: &[BuildFiles]) -> Option<Pin> {
    place.contexts.keep(&folder(place), builds).await.unwrap()
}

fn build(context: &str, dockerfile: &str) -> BuildFiles {
    BuildFiles {
        context: context.into(),
        dockerfile: dockerfile.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_comes_back_when_the_folder_has_changed() {
    let place = Place::new();
    write(&place, "a", "first");
    write(&place, "run.sh", "#!/bin/sh\n");
    write(&place, "ignored/x", "x");
    write(&place, ".dockerignore", "ignored\n.dockerignore\n");
    fs::set_permissions(
        folder(&place).join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    std::os::unix::fs::symlink("a", folder(&place).join("link")).unwrap();
    let hash = || {
        let selected = Folder::open(&folder(&place))
            .unwrap()
            .run_context()
            .unwrap();
        selected.content_hash().unwrap()
    };
    let before = hash();
    let pin = keep(&place, &[]).await.unwrap();
    assert_eq!(
        keep(&place, &[]).await.unwrap(),
        pin,
        "the same content, the same name"
    );
    write(&place, "a", "second");
    write(&place, "b", "new");
    assert_ne!(keep(&place, &[]).await.unwrap(), pin);
    let opened = place.contexts.reopen(&pin, &near()).await.unwrap();
    assert_eq!(text_of(&opened, "a"), "first");
    assert!(!opened.folder.join("ignored").exists());
    let selected = Folder::open(&opened.folder).unwrap().run_context().unwrap();
    assert_eq!(selected.content_hash().unwrap(), before);
    assert_ne!(hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_sees_by_its_own_rules_is_kept_too() {
    let place = Place::new();
    write(&place, ".dockerignore", "app\n");
    write(&place, "app/Dockerfile", "FROM scratch\nCOPY . .\n");
    write(&place, "app/Dockerfile.dockerignore", "secret\n");
    write(&place, "app/code", "code");
    write(&place, "app/secret", "secret");
    let hash = |root: &PathBuf| {
        let opened = Folder::open(&root.join("app")).unwrap();
        let built = opened.build_context(&root.join("app/Dockerfile")).unwrap();
        built.selection.content_hash().unwrap()
    };
    let before = hash(&folder(&place));
    let pin = keep(
        &place,
        &[build("app", "app/Dockerfile"), build("made-later", "x")],
    )
    .await;
    let opened = place.contexts.reopen(&pin.unwrap(), &near()).await.unwrap();
    assert_eq!(hash(&opened.folder), before);
    assert!(!opened.folder.join("app/secret").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_much_is_not_kept() {
    let bounds = |entries, bytes| Bounds {
        keep: Caps { entries, bytes },
        ..Bounds::default()
    };
    for (bounds, is_kept) in [
        (bounds(10, 1000), true),
        (bounds(3, 1000), false),
        (bounds(10, 20), false),
    ] {
        let place = Place::with(bounds);
        for name in ["a", "b", "c", "d"] {
            write(&place, name, "ten bytes!");
        }
        assert_eq!(keep(&place, &[]).await.is_some(), is_kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_any_more_is_said() {
    let place = Place::new();
    write(&place, "a", "text");
    let pin = keep(&place, &[]).await.unwrap();
    let error = refusal(Place::new().contexts.reopen(&pin, &near()).await);
    assert_eq!(error.fault, OpenFault::Changed);
    assert!(error.reason.contains("not kept any more"), "{error}");
}
