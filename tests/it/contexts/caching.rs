//! The cache of contexts: nothing half done, nothing in use removed, the longest unused first.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use careen::adapters::folder::Cache;
use tempfile::TempDir;

const KILOBYTES: usize = 100 * 1024;

fn keep(cache: &Cache, name: &str) -> careen::adapters::folder::Kept {
    let draft = cache.begin().unwrap();
    fs::write(draft.tree().join("file"), vec![b'x'; KILOBYTES]).unwrap();
    fs::write(draft.scratch().join("other"), "scratch").unwrap();
    cache.put(draft, name).unwrap()
}

/// Makes an entry look as if it was last used so many hours ago.
fn age(root: &Path, name: &str, hours: u64) {
    let file = File::options()
        .write(true)
        .open(root.join(name).join("bytes"))
        .unwrap();
    let then = SystemTime::now() - Duration::from_secs(hours * 3600);
    file.set_modified(then).unwrap();
}

#[test]
fn the_longest_unused_goes_first_and_what_is_in_use_stays() {
    let root = TempDir::new().unwrap();
    let cache = Cache::new(root.path().to_owned(), 300 * 1024);
    let in_use = keep(&cache, "a");
    drop(keep(&cache, "b"));
    age(root.path(), "a", 9);
    age(root.path(), "b", 5);
    drop(keep(&cache, "c"));
    assert!(cache.find("a").unwrap().is_some(), "it is in use");
    assert!(cache.find("b").unwrap().is_none());
    assert!(cache.find("c").unwrap().is_some());
    assert!(in_use.tree.join("file").exists());
    assert!(!root.path().join("a/scratch").exists());
    drop(in_use);
    age(root.path(), "a", 9);
    drop(keep(&cache, "d"));
    assert!(cache.find("a").unwrap().is_none(), "its turn has come");
}

#[test]
fn two_that_keep_the_same_share_it() {
    let root = TempDir::new().unwrap();
    let cache = Cache::new(root.path().to_owned(), 1 << 30);
    let other = cache.clone();
    let threads: Vec<_> = (0..8)
        .map(|index| {
            let cache = if index % 2 == 0 { &cache } else { &other }.clone();
            std::thread::spawn(move || keep(&cache, "same").tree.join("file").exists())
        })
        .collect();
    assert!(threads.into_iter().all(|it| it.join().unwrap()));
    let drafts = fs::read_dir(root.path().join("drafts")).unwrap().count();
    assert_eq!(drafts, 0);
}

#[test]
fn what_a_dead_careen_left_half_done_is_removed_and_the_living_are_left_alone() {
    let root = TempDir::new().unwrap();
    let cache = Cache::new(root.path().to_owned(), 1 << 30);
    let alive = cache.begin().unwrap();
    // The lock of a process that was killed is free, and its folder is still there.
    let dead = root.path().join("drafts/0000");
    fs::create_dir_all(dead.join("tree")).unwrap();
    fs::write(dead.join("tree/half"), "half").unwrap();
    File::create(root.path().join("drafts/0000.lock")).unwrap();
    drop(keep(&cache, "a"));
    assert!(!dead.exists());
    assert!(alive.tree().exists());
}
