//! A backup brings back what was there, wherever it was kept, and says what is not in it.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::careens::Careen;

#[test]
fn a_backup_brings_back_what_was_there_and_says_what_is_not_in_it() {
    let careen = Careen::new();
    let create = ["task", "create", "-n", "app", "-c", ".", "-f", "acb.yaml"];
    careen.does(&create).exits(0);
    let saved = careen.database().with_file_name("files").join("r1");
    fs::create_dir_all(&saved).unwrap();
    fs::write(saved.join("report"), "text").unwrap();
    let file = careen.path("careen.backup");
    let file = file.to_str().unwrap();
    careen
        .does(&["backup", file])
        .exits(0)
        .prints("without which no secret opens");
    careen.does(&["task", "delete", "app", "--yes"]).exits(0);
    fs::remove_dir_all(&saved).unwrap();
    careen.does(&["restore", file]).exits(2).says(&["--yes"]);
    careen
        .does(&["restore", file, "--yes"])
        .exits(0)
        .prints("the sqlite database as of");
    let shown = careen.json(&["task", "show", "app"]);
    assert_eq!(shown["version"], 1);
    assert_eq!(fs::read_to_string(saved.join("report")).unwrap(), "text");
    fs::write(careen.path("notes"), "dear diary").unwrap();
    let notes = careen.path("notes");
    careen
        .does(&["restore", notes.to_str().unwrap(), "--yes"])
        .exits(3);
}

/// A careen whose objects lie behind an address, as those in a cloud do, with one object.
fn with_objects() -> Careen {
    let mut careen = Careen::new();
    let objects = careen.path("far");
    fs::create_dir_all(objects.join("contexts")).unwrap();
    fs::write(objects.join("contexts/one"), vec![7; 3_000_000]).unwrap();
    careen.set("CAREEN_OBJECTS", &format!("file://{}", objects.display()));
    careen
}

#[test]
fn objects_come_along_wherever_they_are_kept() {
    let (old, new) = (with_objects(), with_objects());
    let file = old.path("careen.backup");
    let file = file.to_str().unwrap();
    old.does(&["backup", file]).exits(0).prints("objects");
    fs::remove_file(new.path("far/contexts/one")).unwrap();
    fs::write(new.path("far/contexts/other"), "stays").unwrap();
    new.does(&["restore", file, "--yes"]).exits(0);
    assert_eq!(
        fs::read(new.path("far/contexts/one")).unwrap(),
        vec![7; 3_000_000]
    );
    assert_eq!(fs::read(new.path("far/contexts/other")).unwrap(), b"stays");

    // From far away into a folder of this machine.
    let near = Careen::new();
    near.does(&["restore", file, "--yes"]).exits(0);
    let folder = near.database().with_file_name("objects");
    assert_eq!(
        fs::metadata(folder.join("contexts/one")).unwrap().len(),
        3_000_000
    );
}

#[test]
fn the_key_comes_along_when_asked_and_replaces_no_other() {
    let (old, new) = (Careen::new(), Careen::new());
    let key = |careen: &Careen| careen.path("share/careen/key");
    old.told(&["secret", "set", "a"], "value-61").exits(0);
    let (without, with) = (old.path("without"), old.path("with"));
    let (without, with) = (without.to_str().unwrap(), with.to_str().unwrap());
    old.does(&["backup", without]).exits(0);
    old.does(&["backup", with, "--with-key"])
        .exits(0)
        .prints("whoever has the file can open all secrets");

    new.does(&["restore", without, "--yes", "--with-key"])
        .exits(2)
        .says(&["holds no key"]);
    new.does(&["restore", with, "--yes"]).exits(0);
    assert!(!key(&new).exists(), "it was not asked for");
    for _ in 0..2 {
        new.does(&["restore", with, "--yes", "--with-key"]).exits(0);
    }
    assert_eq!(fs::read(key(&new)).unwrap(), fs::read(key(&old)).unwrap());
    let mode = fs::metadata(key(&new)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let other = Careen::new();
    other.told(&["secret", "set", "b"], "value-62").exits(0);
    let before = fs::read(key(&other)).unwrap();
    other
        .does(&["restore", with, "--yes", "--with-key"])
        .exits(2)
        .says(&["another key"]);
    assert_eq!(fs::read(key(&other)).unwrap(), before);
    assert!(other.does(&["secret", "list"]).stdout.contains('b'));
}

#[test]
fn a_key_that_lies_in_no_file_is_not_copied_into_one() {
    let mut careen = Careen::new();
    careen.set("CAREEN_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    let file = careen.path("careen.backup");
    careen
        .does(&["backup", file.to_str().unwrap(), "--with-key"])
        .exits(2)
        .says(&["CAREEN_KEY"]);
    assert!(!file.exists());
}
