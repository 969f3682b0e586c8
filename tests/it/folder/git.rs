//! What git says of a folder.

use std::os::unix::fs::chown;

use careen::adapters::folder::{Checkout, describe};
use git2::{Repository, RepositoryInitOptions, Signature};

use super::{Tree, is_root};

fn repository(tree: &Tree) -> Repository {
    // Hides the settings of whoever runs the tests, before anything here reads them.
    assert_eq!(describe(&tree.path("")).unwrap(), None);
    let mut options = RepositoryInitOptions::new();
    options.initial_head("trunk");
    Repository::init_opts(tree.path(""), &options).unwrap()
}

fn commit(repository: &Repository) -> String {
    let mut index = repository.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let author = Signature::now("a", "a@example.com").unwrap();
    let id = repository.commit(Some("HEAD"), &author, &author, "one", &tree, &[]);
    id.unwrap().to_string()
}

fn seen(tree: &Tree, folder: &str) -> Checkout {
    describe(&tree.path(folder)).unwrap().unwrap()
}

#[test]
fn a_folder_without_a_repository_has_nothing_to_tell() {
    let tree = Tree::new(&[("a", "")]);
    assert_eq!(describe(&tree.path("")).unwrap(), None);
}

#[test]
fn a_repository_before_its_first_commit_has_none() {
    let tree = Tree::new(&[]);
    repository(&tree);
    let seen = seen(&tree, "");
    assert_eq!((seen.commit, seen.branch.as_str()), (None, "HEAD"));
}

#[test]
fn commit_and_branch_are_found_from_below_too() {
    let tree = Tree::new(&[("lib/a", "")]);
    let id = commit(&repository(&tree));
    for folder in ["", "lib"] {
        let seen = seen(&tree, folder);
        assert_eq!(seen.commit.as_deref(), Some(id.as_str()));
        assert_eq!(seen.branch, "trunk");
        assert!(!seen.is_dirty);
    }
}

#[test]
fn a_detached_head_is_called_head() {
    let tree = Tree::new(&[("a", "")]);
    let repository = repository(&tree);
    commit(&repository);
    repository
        .set_head_detached(repository.head().unwrap().target().unwrap())
        .unwrap();
    assert_eq!(seen(&tree, "").branch, "HEAD");
}

#[test]
fn changed_files_that_git_knows_make_it_dirty_and_new_ones_do_not() {
    let tree = Tree::new(&[("a", "")]);
    commit(&repository(&tree));
    tree.write("new", "");
    assert!(!seen(&tree, "").is_dirty);
    tree.write("a", "changed");
    assert!(seen(&tree, "").is_dirty);
}

#[test]
fn origin_is_told_without_its_password() {
    let tree = Tree::new(&[("a", "")]);
    let repository = repository(&tree);
    commit(&repository);
    assert_eq!(seen(&tree, "").remote_url, None);
    repository.remote("fork", "git@h.example:r.git").unwrap();
    assert_eq!(
        seen(&tree, "").remote_url.as_deref(),
        Some("git@h.example:r.git")
    );
    repository
        .remote("origin", "https://u:p@h.example/r.git")
        .unwrap();
    assert_eq!(
        seen(&tree, "").remote_url.as_deref(),
        Some("https://h.example/r.git")
    );
}

#[test]
fn a_repository_of_another_user_is_not_read() {
    if !is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let tree = Tree::new(&[("a", "")]);
    commit(&repository(&tree));
    for path in [tree.path(""), tree.path(".git")] {
        chown(&path, Some(4242), Some(4242)).unwrap();
    }
    let error = describe(&tree.path("")).unwrap_err().to_string();
    assert!(error.ends_with("it belongs to another user"), "{error}");
}
