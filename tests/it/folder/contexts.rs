//! What a build and a run get of a folder.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::Arc,
};

use careen::{
    adapters::folder::{Caps, Folder, Hidden, LocalFolders},
    dockerignore::Rules,
    ports::Folders,
};
use futures_util::StreamExt;
use proptest::prelude::*;

use super::{Tree, collect, everything_in, is_root, list, pack, silent};

#[tokio::test]
async fn a_build_gets_what_the_ignore_file_keeps_and_always_its_dockerfile() {
    let cases = [
        (
            "",
            "Dockerfile",
            ".dockerignore Dockerfile a.md lib/ lib/x lib/y.md",
        ),
        ("lib\n*.md\n", "Dockerfile", ".dockerignore Dockerfile"),
        ("*\n", "Dockerfile", ".dockerignore Dockerfile"),
        (
            "*\n!lib/x",
            "Dockerfile",
            ".dockerignore Dockerfile lib/ lib/x",
        ),
        (
            "*\n!**/*.md",
            "Dockerfile",
            ".dockerignore Dockerfile a.md lib/ lib/y.md",
        ),
        ("*\n", "lib/x", ".dockerignore lib/ lib/x"),
    ];
    for (ignored, dockerfile, expected) in cases {
        let tree = Tree::new(&[
            (".dockerignore", ignored),
            ("Dockerfile", ""),
            ("a.md", ""),
            ("lib/x", ""),
            ("lib/y.md", ""),
        ]);
        let built = tree.open().build_context(&tree.path(dockerfile)).unwrap();
        assert_eq!(built.dockerfile, dockerfile);
        assert_eq!(
            pack(built.selection).await.0.join(" "),
            expected,
            "{ignored}"
        );
    }
}

#[tokio::test]
async fn the_ignore_file_beside_the_dockerfile_goes_before_that_of_the_folder() {
    let tree = Tree::new(&[
        (".dockerignore", "a"),
        ("sub/web.Dockerfile", ""),
        ("sub/web.Dockerfile.dockerignore", "b"),
        ("a", ""),
        ("b", ""),
    ]);
    let dockerfile = tree.path("sub/web.Dockerfile");
    let built = tree.open().build_context(&dockerfile).unwrap();
    let (names, _) = pack(built.selection).await;
    assert!(names.contains(&"a".to_owned()) && !names.contains(&"b".to_owned()));
}

#[tokio::test]
async fn a_dockerfile_from_elsewhere_is_added_and_hidden_from_copies() {
    let elsewhere = Tree::new(&[("Dockerfile", "FROM x")]);
    for own in [None, Some("a\n")] {
        let tree = Tree::new(&[("a", ""), ("b", "")]);
        if let Some(text) = own {
            tree.write(".dockerignore", text);
        }
        let dockerfile = elsewhere.path("Dockerfile");
        let built = tree.open().build_context(&dockerfile).unwrap();
        let again = tree.open().build_context(&dockerfile).unwrap();
        assert_eq!(built.dockerfile, again.dockerfile);
        let archive = collect(built.selection.tar_stream(silent())).await;
        assert!(list(&archive).contains(&built.dockerfile));
        assert_eq!(content(&archive, &built.dockerfile), "FROM x");
        let expected = format!("{}\n{}\n", own.unwrap_or(".dockerignore"), built.dockerfile);
        assert_eq!(content(&archive, ".dockerignore"), expected);
        let count = list(&archive)
            .iter()
            .filter(|n| *n == ".dockerignore")
            .count();
        assert_eq!(count, 1);
    }
}

#[tokio::test]
async fn another_text_is_built_by_and_the_dockerfile_stays_what_it_is() {
    let tree = Tree::new(&[
        ("Dockerfile", "FROM x"),
        ("Dockerfile.dockerignore", "b"),
        ("a", ""),
        ("b", ""),
    ]);
    let (opened, dockerfile) = (tree.open(), tree.path("Dockerfile"));
    let built = opened.build_context_by(&dockerfile, Some("FROM x@d"));
    let built = built.unwrap();
    let archive = collect(built.selection.tar_stream(silent())).await;
    assert_eq!(content(&archive, &built.dockerfile), "FROM x@d");
    assert_eq!(content(&archive, "Dockerfile"), "FROM x");
    assert!(!list(&archive).contains(&"b".to_owned()));
}

fn content(archive: &[u8], name: &str) -> String {
    let mut archive = tar::Archive::new(archive);
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let entry = entries.find(|entry| entry.path().unwrap() == Path::new(name));
    std::io::read_to_string(entry.unwrap()).unwrap()
}

#[tokio::test]
async fn a_run_gets_all_but_version_control() {
    let tree = Tree::new(&[
        (".dockerignore", "out\n"),
        (".git/config", ""),
        ("lib/.git", ""),
        ("lib/.gitignore", ""),
        ("lib/.svn/x", ""),
        ("lib/.venv/x", ""),
        ("lib/x", ""),
        ("out/x", ""),
    ]);
    let names = || async { pack(tree.open().run_context().unwrap()).await.0.join(" ") };
    assert_eq!(names().await, ".dockerignore lib/ lib/x");
    tree.write(".dockerignore", "lib\nout\n!.git\n");
    assert_eq!(names().await, ".dockerignore .git/ .git/config");
}

#[tokio::test]
async fn links_modes_and_times_stay_and_owners_become_root() {
    let tree = Tree::new(&[("bin/run", "x")]);
    let outside = Tree::new(&[("secret", "")]);
    symlink(outside.path(""), tree.path("away")).unwrap();
    symlink("./bin//run", tree.path("near")).unwrap();
    fs::set_permissions(tree.path("bin/run"), fs::Permissions::from_mode(0o751)).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(tree.path("bin/run"))
        .unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(12345);
    file.set_modified(time).unwrap();

    let stream = tree.open().run_context().unwrap().tar_stream(silent());
    let archive = collect(stream).await;
    let away = format!("away -> {}", outside.path("").display());
    assert_eq!(
        list(&archive),
        [away.as_str(), "bin/", "bin/run", "near -> ./bin//run"]
    );
    let mut archive = tar::Archive::new(archive.as_slice());
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        if entry.path().unwrap() == Path::new("bin/run") {
            assert_eq!(
                (header.mode().unwrap(), header.mtime().unwrap()),
                (0o751, 12345)
            );
        }
    }
}

#[tokio::test]
async fn a_socket_is_left_out_with_a_remark() {
    let tree = Tree::new(&[("a", "")]);
    let _listener = UnixListener::bind(tree.path("s")).unwrap();
    let (names, remarks) = pack(tree.open().run_context().unwrap()).await;
    assert_eq!(names, ["a"]);
    assert_eq!(remarks, ["s is left out: it is a socket"]);
}

#[test]
fn an_ignored_folder_is_never_opened() {
    let tree = Tree::new(&[
        (".dockerignore", "node_modules\n!*.md\n"),
        ("Dockerfile", ""),
        ("node_modules/a/b/c", ""),
        ("src/x", ""),
    ]);
    let built = tree.open().build_context(&tree.path("Dockerfile")).unwrap();
    let mut walk = built.selection.walk().unwrap();
    let kept = walk.by_ref().map(Result::unwrap).count();
    assert_eq!(kept, 4);
    assert_eq!(walk.folders_read(), 2, "the folder itself and src");
}

#[test]
fn what_cannot_be_a_context_is_said_in_words() {
    let tree = Tree::new(&[("file", ""), (".dockerignore", "a\n[\n")]);
    let open = |name: &str| {
        Folder::open(&tree.path(name))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(open("nothing").ends_with("nothing does not exist"));
    assert!(open("file/x").ends_with("file/x does not exist"));
    assert!(open("file").ends_with("file is not a folder; a context is a folder"));
    let build = |name| {
        let built = tree.open().build_context(&tree.path(name));
        built.map(|_| ()).unwrap_err().to_string()
    };
    assert!(build("Dockerfile").ends_with("Dockerfile does not exist or is not a file"));
    assert!(build("file").contains(".dockerignore: line 2: illegal pattern \"[\""));
}

#[tokio::test]
async fn a_file_that_may_not_be_read_ends_the_stream_with_its_name() {
    if is_root() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let tree = Tree::new(&[("closed", "")]);
    fs::set_permissions(tree.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut stream = tree.open().run_context().unwrap().tar_stream(silent());
    let last = stream.next().await.unwrap().unwrap_err();
    assert!(
        last.to_string().starts_with("no permission to read"),
        "{last}"
    );
}

#[tokio::test]
async fn dropping_a_stream_ends_its_thread() {
    let tree = Tree::new(&[]);
    let file = fs::File::create(tree.path("big")).unwrap();
    file.set_len(1 << 40).unwrap();
    let notes = silent();
    let mut stream = tree
        .open()
        .run_context()
        .unwrap()
        .tar_stream(Arc::clone(&notes));
    stream.next().await.unwrap().unwrap();
    assert_eq!(Arc::strong_count(&notes), 2);
    drop(stream);
    let ended = async {
        while Arc::strong_count(&notes) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let limit = std::time::Duration::from_secs(10);
    tokio::time::timeout(limit, ended).await.unwrap();
}

#[tokio::test]
async fn the_port_gives_a_build_its_archive_anew_each_time() {
    let tree = Tree::new(&[("Dockerfile", ""), ("a", "")]);
    let folders = LocalFolders::new(silent(), Caps::default());
    let folder = tree.path("");
    let built = folders
        .build_context(&folder, &tree.path("Dockerfile"), None)
        .unwrap();
    for _ in 0..2 {
        assert_eq!(list(&collect((built.tar)()).await), ["Dockerfile", "a"]);
    }
    let made = folders.files(vec![("d/config.json".to_owned(), 0o600, b"{}".to_vec())]);
    assert_eq!(list(&collect(made).await), ["d/config.json"]);
    let error = folders
        .build_context(&folder, &tree.path("none"), None)
        .err()
        .unwrap();
    assert!(error.to_string().contains("does not exist"));
}

#[tokio::test]
async fn what_is_our_own_is_in_no_context_even_where_a_rule_asks_for_it() {
    let tree = Tree::new(&[
        (".dockerignore", "!state\n!state/**\n"),
        ("Dockerfile", ""),
        ("a", ""),
        ("state/careen.db", "rows"),
        ("state/careen.db.md", "notes of a person"),
        ("state/contexts/folder-1/tree/a", ""),
    ]);
    let elsewhere = Tree::new(&[("link", "")]);
    fs::remove_file(elsewhere.path("link")).unwrap();
    symlink(tree.path("state"), elsewhere.path("link")).unwrap();
    let own = [
        tree.path("state/contexts"),
        elsewhere.path("link/careen.db"),
        tree.path("state/not-there-yet"),
    ];
    let folders = LocalFolders::new(silent(), Caps::default()).without(Hidden::new(own));
    let kept = ["Dockerfile", "a", "state/", "state/careen.db.md"];
    let workspace = folders.workspace(&tree.path("")).unwrap();
    let names = list(&collect(workspace).await);
    assert_eq!(names[names.len() - 4..], kept, "{names:?}");
    let built = folders
        .build_context(&tree.path(""), &tree.path("Dockerfile"), None)
        .unwrap();
    let names = list(&collect((built.tar)()).await);
    assert_eq!(names[names.len() - 4..], kept, "{names:?}");
    let listed = built.files.unwrap().list().unwrap();
    assert!(
        !listed
            .iter()
            .any(|it| it.path.contains("contexts") || it.path.ends_with(".db"))
    );
}

/// A few rules over the names that the tree below has.
const RULES: &str = r"(!?(a|b|\*|\*\*|\?|\[\^a\]|b\*)(/(a|b|\*|\*\*|b\*)){0,2}\n){1,4}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Leaving folders unread changes nothing: the walk finds what asking of every path finds.
    #[test]
    fn a_walk_finds_exactly_what_the_rules_keep(text in RULES) {
        let names = ["a", "b", "bb"];
        let tree = Tree::new(&[(".dockerignore", &text)]);
        for index in 0..27 {
            let [x, y, z] = [index / 9, index / 3 % 3, index % 3].map(|i| names[i]);
            tree.write(&format!("{x}/{y}/{z}"), "");
        }
        let rules = Rules::parse(&text).unwrap();
        let mut expected = BTreeSet::new();
        for path in everything_in(&tree.path("")) {
            let path = path.strip_prefix(tree.path("")).unwrap().to_owned();
            if !rules.is_ignored(path.to_str().unwrap()) {
                let folders = path.ancestors().filter(|p| !p.as_os_str().is_empty());
                expected.extend(folders.map(Path::to_owned));
            }
        }
        let walk = tree.open().run_context().unwrap().walk().unwrap();
        let found: BTreeSet<_> = walk.map(|entry| entry.unwrap().path).collect();
        prop_assert_eq!(found, expected);
    }
}
