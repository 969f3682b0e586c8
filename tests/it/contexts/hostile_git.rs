//! Repositories that nobody vouches for: where they lead, what they weigh, what they point at.

use std::os::unix::fs::symlink;

use careen::{
    adapters::folder::{Bounds, Caps},
    ports::{Access, OpenFault},
};

use super::{Place, near, refusal, servers::GitServer, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn submodules_lead_to_other_machines_only() {
    let server = GitServer::start().await;
    let other = server.repository("other.git", &[("x", "x")]);
    let commit = other.git(&["rev-parse", "HEAD"]);
    let here = other.path.display().to_string();
    for (index, url, reason) in [
        (0, here.as_str(), "which is not fetched"),
        (1, &format!("file://{here}"), "which is not fetched"),
        (
            2,
            "ext::sh -c touch${IFS}/tmp/careen-hostile",
            "which is not fetched",
        ),
        (
            3,
            "--upload-pack=touch /tmp/careen-hostile",
            "which is not fetched",
        ),
        (
            4,
            "ssh://-oProxyCommand=touch/x.git",
            "which is not fetched",
        ),
        (5, "../../../../other.git", "outside of its host"),
        (6, "https://h.io/a.git#main", "which is not fetched"),
    ] {
        let name = format!("app{index}.git");
        let app = server.repository(&name, &[("a", "a")]);
        let modules = format!("[submodule \"s\"]\n\tpath = s\n\turl = {url}\n");
        app.commit(&[(".gitmodules", &modules)]);
        app.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{commit},s"),
        ]);
        app.git(&["commit", "-q", "-m", "submodule"]);
        let place = Place::new();
        let error = refusal(place.open(&server.url(&name)).await);
        assert_eq!(error.fault, OpenFault::Refused, "{url}: {error}");
        assert!(error.reason.contains(reason), "{url}: {error}");
        assert!(place.entries().is_empty(), "{:?}", place.entries());
    }
    assert!(!std::path::Path::new("/tmp/careen-hostile").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leads_to_another_host_is_not_followed() {
    let server = GitServer::start().await;
    server.repository("app.git", &[("a", "a")]);
    let error = refusal(Place::new().open(&server.url("away/app.git")).await);
    assert_eq!(error.fault, OpenFault::Refused, "{error}");
    assert!(error.reason.contains("redirect"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_this_machine_has_to_be_allowed() {
    let server = GitServer::start().await;
    let repository = server.repository("app.git", &[("a", "local")]);
    let url = format!("file://{}#main", repository.path.display());
    let error = refusal(Place::new().open(&url).await);
    assert_eq!(error.fault, OpenFault::Refused);
    assert!(
        error.hint.contains("--allow local-repository"),
        "{}",
        error.hint
    );
    let access = Access {
        allow_local: true,
        ..near()
    };
    let place = Place::new();
    let opened = place.open_with(&url, access).await.unwrap();
    assert_eq!(text_of(&opened, "a"), "local");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_behind_a_link_out_is_refused() {
    let server = GitServer::start().await;
    let app = server.repository("app.git", &[("in/a", "a")]);
    symlink("/etc", app.path.join("out")).unwrap();
    symlink("in", app.path.join("inner")).unwrap();
    app.commit(&[]);
    let place = Place::new();
    let error = refusal(place.open(&server.url("app.git#main:out")).await);
    assert_eq!(error.fault, OpenFault::Refused, "{error}");
    let opened = place.open(&server.url("app.git#main:inner")).await.unwrap();
    assert_eq!(text_of(&opened, "inner/a"), "a");
    assert!(opened.folder.join("out").is_symlink(), "links stay links");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_few_objects_and_billions_of_files_is_refused() {
    let server = GitServer::start().await;
    let app = server.repository("bomb.git", &[("a", "a")]);
    let mut tree = app.git(&["rev-parse", "HEAD^{tree}"]);
    for _ in 0..9 {
        let entries: String = (0..9)
            .map(|i| format!("040000 tree {tree}\td{i}\n"))
            .collect();
        std::fs::write(app.path.join("entries"), entries).unwrap();
        let mut make = std::process::Command::new("git");
        make.arg("mktree").current_dir(&app.path);
        make.stdin(std::fs::File::open(app.path.join("entries")).unwrap());
        tree = String::from_utf8(make.output().unwrap().stdout)
            .unwrap()
            .trim()
            .to_owned();
    }
    let commit = app.git(&["commit-tree", "-m", "bomb", &tree]);
    app.git(&["update-ref", "refs/heads/main", &commit]);
    let place = Place::with(Bounds {
        caps: Caps {
            entries: 10_000,
            bytes: 1 << 20,
        },
        ..Bounds::default()
    });
    let error = refusal(place.open(&server.url("bomb.git")).await);
    assert_eq!(error.fault, OpenFault::Refused, "{error}");
    assert!(error.reason.contains("more than 10000"), "{error}");
    assert!(place.entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_too_large_is_broken_off() {
    let server = GitServer::start().await;
    let noise: String = (0..200_000u64)
        .map(|i| format!("{:x}", i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    server.repository("large.git", &[("noise", &noise)]);
    let place = Place::with(Bounds {
        download_bytes: 100_000,
        ..Bounds::default()
    });
    let error = refusal(place.open(&server.url("large.git")).await);
    assert_eq!(error.fault, OpenFault::Refused, "{error}");
    assert!(error.reason.contains("more than 100000 bytes"), "{error}");
}
