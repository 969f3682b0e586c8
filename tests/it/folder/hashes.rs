//! The content hash says whether a build or run would see the same.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use super::Tree;

fn hash(tree: &Tree) -> String {
    tree.open().run_context().unwrap().content_hash().unwrap()
}

fn sample() -> Tree {
    let tree = Tree::new(&[
        (".dockerignore", "out"),
        ("a", "x"),
        ("empty/", ""),
        ("lib/b", "y"),
    ]);
    symlink("a", tree.path("link")).unwrap();
    tree
}

#[test]
fn equal_files_have_equal_hashes_wherever_and_whenever_they_were_written() {
    let (one, other) = (sample(), sample());
    let file = fs::File::options()
        .write(true)
        .open(other.path("a"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    other.write("out/ignored", "z");
    other.write(".git/ignored", "z");
    assert_eq!(hash(&one), hash(&other));
    assert!(hash(&one).starts_with("sha256:") && hash(&one).len() == 71);
}

type Change = fn(&Tree);

#[test]
fn every_difference_that_a_step_could_see_changes_the_hash() {
    let changes: [(&str, Change); 7] = [
        ("content", |tree| tree.write("a", "z")),
        ("moved content", |tree| {
            tree.write("a", "");
            tree.write("lib/b", "xy");
        }),
        ("mode", |tree| {
            fs::set_permissions(tree.path("a"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
        ("name", |tree| {
            fs::rename(tree.path("a"), tree.path("c")).unwrap()
        }),
        ("kind", |tree| {
            fs::remove_dir(tree.path("empty")).unwrap();
            tree.write("empty", "");
        }),
        ("target", |tree| {
            fs::remove_file(tree.path("link")).unwrap();
            symlink("b", tree.path("link")).unwrap();
        }),
        ("a new empty folder", |tree| tree.write("more/", "")),
    ];
    for (what, change) in changes {
        let tree = sample();
        let before = hash(&tree);
        change(&tree);
        assert_ne!(hash(&tree), before, "{what}");
    }
}

#[test]
fn an_added_dockerfile_counts() {
    let tree = sample();
    let elsewhere = Tree::new(&[("one", "FROM a"), ("two", "FROM b")]);
    let hash = |name| {
        let built = tree.open().build_context(&elsewhere.path(name)).unwrap();
        built.selection.content_hash().unwrap()
    };
    assert_ne!(hash("one"), hash("two"));
}
