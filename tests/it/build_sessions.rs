//! BuildKit builds from folders of this machine through a session, on a real engine.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::Arc,
    time::Duration,
};

use careen::{
    adapters::folder::{Caps, LocalFolders},
    ports::{BuildError, BuildRequest, BuildSecret, Folders},
};
use tempfile::TempDir;

use crate::containers_contract::world::{Said, World, on_docker};

/// A folder with a Dockerfile and these files.
fn folder(dockerfile: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "Dockerfile", dockerfile);
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// A request to build a folder by a Dockerfile, file by file or not at all.
fn request(world: &World, folder: &Path, dockerfile: &Path) -> BuildRequest {
    let folders = LocalFolders::new(Arc::new(|_| ()), Caps::default());
    let context = folders
        .build_context(folder, dockerfile, None)
        .expect("a context");
    let nothing = || panic!("the context was sent whole");
    let mut request = BuildRequest::new(Arc::new(nothing), &context.dockerfile);
    request.files = context.files;
    request.network = Some("none".to_string());
    request.labels = world.labels();
    request.tags = vec![world.name("built")];
    request
}

/// Builds a folder and gives what was said; the image is forgotten.
async fn build(world: &World, request: &BuildRequest) -> Result<String, BuildError> {
    let said = Said::default();
    let built = world.images.build(request, &said).await;
    if built.is_ok() {
        world.forget_image(&request.tags[0]).await;
    }
    built.map(|_| said.text())
}

#[tokio::test]
async fn folders_links_and_modes_arrive_and_ignored_files_do_not() {
    on_docker(async |world: Arc<World>| {
        let dockerfile = format!(
            "FROM {}\nCOPY . /all/\nCOPY link li* /led/\nRUN cd /all && find . ! -name . | sort && \
             stat -c '%a %n' run.sh && readlink sub/in && cat /led/link",
            world.image
        );
        let files = [
            (".dockerignore", "ignored\n*.log\n!keep.log\n"),
            ("a.log", ""),
            ("ignored/x", ""),
            ("keep.log", ""),
            ("run.sh", "true"),
            ("sub/target", &world.name("content")),
        ];
        let folder = folder(&dockerfile, &files);
        let at = |path: &str| folder.path().join(path);
        fs::set_permissions(at("run.sh"), fs::Permissions::from_mode(0o751)).expect("mode");
        symlink("sub/target", at("link")).expect("link");
        symlink("../../../etc/passwd", at("sub/in")).expect("link");
        let request = request(&world, folder.path(), &at("Dockerfile"));
        let said = build(&world, &request).await.expect("build");
        let text: Vec<&str> = said
            .lines()
            .filter_map(|line| line.splitn(3, ' ').nth(2))
            .collect();
        let expected = [
            "./.dockerignore",
            "./Dockerfile",
            "./keep.log",
            "./link",
            "./run.sh",
            "./sub",
            "./sub/in",
            "./sub/target",
            "751 run.sh",
            "../../../etc/passwd",
        ];
        let start = text
            .iter()
            .position(|line| *line == expected[0])
            .expect(&said);
        assert_eq!(text[start..start + expected.len()], expected, "{said}");
        assert!(text.contains(&world.name("content").as_str()), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_second_build_is_cached_and_one_changed_file_is_seen() {
    on_docker(async |world: Arc<World>| {
        let dockerfile = format!("FROM {}\nCOPY . /all/\nRUN cat /all/word", world.image);
        let files = [
            ("word", world.name("one")),
            ("big", world.name("b").repeat(9000)),
        ];
        let folder = folder(
            &dockerfile,
            &files.each_ref().map(|(path, text)| (*path, text.as_str())),
        );
        let request = request(&world, folder.path(), &folder.path().join("Dockerfile"));
        let said = build(&world, &request).await.expect("build");
        assert!(said.contains(&world.name("one")), "{said}");
        let said = build(&world, &request).await.expect("build again");
        assert!(said.matches(" CACHED\n").count() >= 2, "{said}");
        write(folder.path(), "word", &world.name("two"));
        let said = build(&world, &request).await.expect("build changed");
        assert!(said.contains(&world.name("two")), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_dockerfile_from_elsewhere_and_one_that_is_ignored_are_read() {
    on_docker(async |world: Arc<World>| {
        let dockerfile = format!(
            "FROM {}\nCOPY . /all/\nRUN echo [$(ls -A /all)]",
            world.image
        );
        let inside = folder(
            &dockerfile,
            &[(".dockerignore", "*\n!word\n"), ("word", "w")],
        );
        let elsewhere = folder(&dockerfile, &[]);
        for place in [inside.path(), elsewhere.path()] {
            let mut request = request(&world, inside.path(), &place.join("Dockerfile"));
            request.no_cache = true;
            let said = build(&world, &request).await.expect("build");
            assert!(
                said.contains("load build definition from Dockerfile"),
                "{said}"
            );
            assert!(said.contains(" [word]\n"), "{said}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_read_by_a_command_and_is_not_in_the_image() {
    on_docker(async |world: Arc<World>| {
        let dockerfile = format!(
            "FROM {}\nRUN --mount=type=secret,id=token test \"$(cat /run/secrets/token)\" = hush-hush",
            world.image
        );
        let folder = folder(&dockerfile, &[]);
        let mut request = request(&world, folder.path(), &folder.path().join("Dockerfile"));
        request.no_cache = true;
        request.secrets = vec![BuildSecret {
            id: "token".to_string(),
            value: Arc::new(b"hush-hush".to_vec().into()),
        }];
        let said = build(&world, &request).await.expect("build");
        assert!(said.contains("DONE"), "{said}");
        request.secrets.clear();
        let refused = build(&world, &request).await.expect_err("there is no secret");
        assert!(matches!(refused, BuildError::Failed { .. }), "{refused:?}");
        request.classic = true;
        request.secrets = vec![BuildSecret {
            id: "token".to_string(),
            value: Arc::new(b"x".to_vec().into()),
        }];
        let refused = build(&world, &request).await.expect_err("no session");
        assert!(refused.to_string().contains("DOCKER_BUILDKIT=0"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_goes_wrong_in_a_session_is_told_as_it_is_elsewhere() {
    on_docker(async |world: Arc<World>| {
        for (dockerfile, words, code) in [
            (
                "FROM BASE\nRUN echo last words; exit 9",
                "exit code: 9",
                Some(9),
            ),
            ("FROM BASE\nRUNN true", "unknown instruction", None),
            ("FROM BASE\nCOPY nofile /", "nofile", None),
        ] {
            let folder = folder(&dockerfile.replace("BASE", &world.image), &[]);
            let request = request(&world, folder.path(), &folder.path().join("Dockerfile"));
            let said = Said::default();
            let built = world.images.build(&request, &said).await;
            let Err(BuildError::Failed { message, exit_code }) = built else {
                panic!("{dockerfile}: {built:?}");
            };
            let instruction = dockerfile.lines().last().expect("a line");
            let shown = format!("   2 | >>> {instruction}\n");
            assert!(said.text().contains(&shown), "{}", said.text());
            assert!(message.contains(words), "{message}");
            assert_eq!(exit_code, code, "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_a_build_in_a_session_ends_its_command() {
    on_docker(async |world: Arc<World>| {
        let marker = world.name("marker");
        let dockerfile = format!("FROM {}\nRUN echo {marker}; sleep 77", world.image);
        let folder = folder(&dockerfile, &[]);
        let request = request(&world, folder.path(), &folder.path().join("Dockerfile"));
        let said = Said::default();
        let building = world.images.build(&request, &said);
        let dropped = tokio::time::timeout(Duration::from_secs(4), building).await;
        assert!(
            dropped.is_err() && said.text().contains(&marker),
            "{}",
            said.text()
        );
        let mut waited = 0;
        while crate::containers_contract::builds::runs(&marker) {
            waited += 1;
            assert!(waited < 100, "the command of the build runs on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_argument_is_seen_by_commands_and_is_not_in_the_history() {
    on_docker(async |world: Arc<World>| {
        let value = world.name("hush");
        let dockerfile = format!(
            "FROM {}\nARG TOKEN\nARG WORD\nRUN test \"$TOKEN\" = \"{}\" \\\n  && echo $WORD",
            world.image, value
        );
        // The test itself must not write the value down.
        let dockerfile = dockerfile.replace(&format!("= \"{value}\""), "= \"$(cat /expected)\"");
        let dockerfile = dockerfile.replace("ARG TOKEN", "COPY expected /\nUSER nobody\nARG TOKEN");
        let folder = folder(&dockerfile, &[("expected", &value)]);
        let mut request = request(&world, folder.path(), &folder.path().join("Dockerfile"));
        request.no_cache = true;
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        request.build_args = vec![pair("TOKEN", &value), pair("WORD", "plain-word")];
        request.secret_args = vec!["TOKEN".to_string()];
        let said = Said::default();
        world.images.build(&request, &said).await.expect("build");
        let docker = bollard::Docker::connect_with_defaults().expect("an address");
        let history = docker
            .image_history(&request.tags[0])
            .await
            .expect("a history");
        let image = docker
            .inspect_image(&request.tags[0])
            .await
            .expect("the image");
        let written = format!("{history:?} {image:?} {}", said.text());
        assert!(written.contains("plain-word"), "{written}");
        assert!(!written.contains(&value), "{written}");
        world.forget_image(&request.tags[0]).await;

        write(
            folder.path(),
            "Dockerfile",
            &format!("{dockerfile}\nENV KEPT=$TOKEN"),
        );
        let said = build(&world, &request).await.expect("build all the same");
        assert!(
            said.contains("TOKEN will be in the image's history: ENV in line"),
            "{said}"
        );
    })
    .await;
}
