//! Images are built, or it is said why not.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use careen::ports::{BuildError, BuildRequest, EngineError, RegistryLogin};
use futures_util::{StreamExt, stream};

use super::{
    claims,
    images::open_registry,
    world::{Said, World, on_docker, tar_of},
};

claims! {
    on in_memory on_docker on_newer_engine on_containerd_store: [
        an_image_is_built_and_the_second_time_taken_from_the_cache,
        a_command_that_fails_fails_the_build_with_its_code,
        what_the_user_wrote_wrong_fails_the_build,
        a_base_that_is_not_to_be_had_is_no_fault_of_the_user,
        a_context_that_cannot_be_read_says_why,
    ]
}

/// A request to build a Dockerfile beside a file, without a network for its commands.
fn request(world: &World, dockerfile: &str) -> BuildRequest {
    let dockerfile = dockerfile.replace("BASE", &world.image);
    let archive = Bytes::from(tar_of(&[
        ("docker/Dockerfile", &dockerfile),
        ("file.txt", "content\n"),
    ]));
    let source = move || {
        let pieces: Vec<_> = archive
            .chunks(700)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        stream::iter(pieces).boxed()
    };
    let mut request = BuildRequest::new(Arc::new(source), "docker/Dockerfile");
    request.network = Some("none".to_string());
    request.labels = world.labels();
    request
}

async fn an_image_is_built_and_the_second_time_taken_from_the_cache(world: Arc<World>) {
    for classic in [false, true] {
        let word = world.name(if classic { "classic" } else { "buildkit" });
        let dockerfile =
            "FROM BASE AS base\nARG WORD\nCOPY file.txt /\nRUN echo hello $WORD\nRUN echo oops >&2";
        let mut request = request(&world, dockerfile);
        request.build_args = vec![("WORD".to_string(), word.clone())];
        request.tags = vec![format!("{word}:1"), format!("{word}:2")];
        request.classic = classic;
        let said = Said::default();
        let built = world.images.build(&request, &said).await.expect("build");
        assert!(built.image_id.starts_with("sha256:"), "{built:?}");
        if world.memory.is_none() {
            assert!(
                said.text().contains(&format!("hello {word}\n")),
                "{}",
                said.text()
            );
            assert!(said.text().contains("oops\n"), "{}", said.text());
        }
        for tag in &request.tags {
            let image = world
                .images
                .image(tag)
                .await
                .expect("look")
                .expect("it is there");
            assert_eq!(image.id, built.image_id);
        }
        let said = Said::default();
        let again = world
            .images
            .build(&request, &said)
            .await
            .expect("build again");
        // The id may differ: BuildKit writes the time of the build into the image.
        let tagged = world.images.image(&request.tags[1]).await;
        let tagged = tagged.expect("look").expect("it is there");
        assert_eq!(tagged.id, again.image_id);
        // An engine whose BuildKit takes no whole context falls back to the classic builder.
        let words = [" CACHED\n", "Using cache"];
        let is_cached = words.iter().any(|word| said.text().contains(word));
        assert!(is_cached, "{}", said.text());
        for tag in &request.tags {
            world.forget_image(tag).await;
        }
    }
}

async fn a_command_that_fails_fails_the_build_with_its_code(world: Arc<World>) {
    for classic in [false, true] {
        let mut request = request(&world, "FROM BASE\nRUN exit 9");
        request.classic = classic;
        let built = world.images.build(&request, &Said::default()).await;
        let Err(BuildError::Failed { message, exit_code }) = built else {
            panic!("{built:?}");
        };
        assert_eq!(exit_code, Some(9), "{message}");
        assert!(message.contains("exit 9"), "{message}");
    }
}

async fn what_the_user_wrote_wrong_fails_the_build(world: Arc<World>) {
    for classic in [false, true] {
        for (dockerfile, words) in [
            ("FROM BASE\nRUNN true", "unknown instruction"),
            ("FROM BASE\nCOPY nofile /", "nofile"),
            ("missing", "ockerfile"),
        ] {
            let mut request = request(&world, dockerfile);
            request.classic = classic;
            if dockerfile == "missing" {
                request.dockerfile = "nowhere/Dockerfile".to_string();
            }
            let built = world.images.build(&request, &Said::default()).await;
            let Err(BuildError::Failed { message, exit_code }) = built else {
                panic!("{dockerfile}: {built:?}");
            };
            assert!(message.contains(words), "{dockerfile}: {message}");
            assert_eq!(exit_code, None);
        }
    }
}

async fn a_base_that_is_not_to_be_had_is_no_fault_of_the_user(world: Arc<World>) {
    let Some(registry) = open_registry(&world).await else {
        return;
    };
    for classic in [false, true] {
        let base = format!("{registry}/careen-no-such-base:1");
        let mut request = request(&world, &format!("FROM {base}\nRUN true"));
        request.classic = classic;
        let built = world.images.build(&request, &Said::default()).await;
        let Err(BuildError::Engine(EngineError::ImageNotFound { reference, .. })) = &built else {
            panic!("{built:?}");
        };
        assert_eq!(*reference, base);
    }
}

async fn a_context_that_cannot_be_read_says_why(world: Arc<World>) {
    let source = || stream::iter([Err(std::io::Error::other("the file shrank"))]).boxed();
    let request = BuildRequest::new(Arc::new(source), "Dockerfile");
    let built = world.images.build(&request, &Said::default()).await;
    assert_eq!(
        built,
        Err(BuildError::Engine(EngineError::Other(
            "the file shrank".to_string()
        )))
    );
}

#[tokio::test]
async fn dropping_a_build_cancels_it() {
    on_docker(async |world: Arc<World>| {
        let marker = world.name("marker");
        let mut request = request(&world, &format!("FROM BASE\nRUN echo {marker}; sleep 77"));
        request.no_cache = true;
        for classic in [false, true] {
            request.classic = classic;
            let said = Said::default();
            let building = world.images.build(&request, &said);
            let dropped = tokio::time::timeout(Duration::from_secs(3), building).await;
            assert!(dropped.is_err(), "{dropped:?}");
            assert!(runs(&marker) || !said.text().is_empty(), "it had begun");
            let mut waited = 0;
            while runs(&marker) {
                waited += 1;
                assert!(waited < 100, "the command of the build runs on");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    })
    .await;
}

/// Says whether a process of this machine has these words in its command line.
pub fn runs(words: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let lines = processes
        .flatten()
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines
        .into_iter()
        .any(|line| String::from_utf8_lossy(&line).contains(words))
}

#[tokio::test]
async fn a_base_behind_a_password_is_pulled_with_the_builds_login() {
    on_docker(async |world: Arc<World>| {
        let registry = "127.0.0.1:5001";
        if tokio::net::TcpStream::connect(registry).await.is_err() {
            println!("skipped: no registry at {registry}");
            return;
        }
        let login = RegistryLogin {
            server: registry.to_string(),
            username: "lab".to_string(),
            password: "lab-password".to_string().into(),
        };
        let base = format!("{registry}/{}:1", world.name("base"));
        world
            .images
            .ensure_empty_image(&base)
            .await
            .expect("an image");
        world
            .images
            .push(&base, Some(&login), &Said::default())
            .await
            .expect("push");
        for classic in [false, true] {
            world.forget_image(&base).await;
            let mut request = request(&world, &format!("FROM {base}\nCOPY file.txt /"));
            request.classic = classic;
            let built = world.images.build(&request, &Said::default()).await;
            assert!(
                matches!(
                    &built,
                    Err(BuildError::Engine(EngineError::Unauthorized { .. }))
                ),
                "{built:?}"
            );
            request.logins = vec![login.clone()];
            request.tags = vec![world.name("built")];
            world
                .images
                .build(&request, &Said::default())
                .await
                .expect("build");
            world.forget_image(&request.tags[0]).await;
        }
        world.forget_image(&base).await;
    })
    .await;
}
