//! Images are looked at, pulled and pushed.

use std::sync::Arc;

use careen::ports::{EngineError, RegistryLogin};

use super::{
    claims,
    world::{Said, World, on_docker, refused},
};

claims! {
    an_image_is_there_or_not,
    an_image_that_is_pushed_has_a_digest_and_can_be_pulled,
    a_registry_with_a_password_refuses_others,
    an_image_that_no_registry_has_is_not_found,
}

/// A registry that lets everybody in, or nothing where none answers.
pub async fn open_registry(world: &World) -> Option<String> {
    answering(world, "CAREEN_TEST_REGISTRY", "127.0.0.1:5000").await
}

async fn locked_registry(world: &World) -> Option<String> {
    answering(world, "CAREEN_TEST_LOCKED_REGISTRY", "127.0.0.1:5001").await
}

async fn answering(world: &World, variable: &str, default: &str) -> Option<String> {
    let registry = std::env::var(variable).unwrap_or_else(|_| default.to_string());
    if world.memory.is_some() || tokio::net::TcpStream::connect(&registry).await.is_ok() {
        return Some(registry);
    }
    println!("skipped: no registry at {registry}");
    None
}

fn login(server: &str, password: &str) -> RegistryLogin {
    RegistryLogin {
        server: server.to_string(),
        username: "lab".to_string(),
        password: password.to_string().into(),
    }
}

/// Names an image in a registry and makes it: nothing in it, so it is quick to push.
async fn made(world: &World, registry: &str) -> String {
    let reference = format!("{registry}/{}:1", world.name("image"));
    world
        .images
        .ensure_empty_image(&reference)
        .await
        .expect("an image");
    reference
}

async fn an_image_is_there_or_not(world: Arc<World>) {
    let image = world.images.image(&world.image).await.expect("look");
    let image = image.expect("it is there");
    assert!(image.id.starts_with("sha256:"), "{image:?}");
    assert!(image.size_bytes > 0 && !image.has_health_check, "{image:?}");
    let by_id = world.images.image(&image.id).await.expect("look");
    assert_eq!(by_id.map(|image| image.id), Some(image.id));
    assert_eq!(world.images.image("careen-no-such-image:1").await, Ok(None));
}

async fn an_image_that_is_pushed_has_a_digest_and_can_be_pulled(world: Arc<World>) {
    let Some(registry) = open_registry(&world).await else {
        return;
    };
    let reference = made(&world, &registry).await;
    let said = Said::default();
    let pushed = world
        .images
        .push(&reference, None, &said)
        .await
        .expect("push");
    assert_eq!(pushed.digest.len(), "sha256:".len() + 64, "{pushed:?}");
    assert!(pushed.digest.starts_with("sha256:"), "{pushed:?}");
    assert!(!said.progress.lock().expect("not poisoned").is_empty());
    let again = world
        .images
        .push(&reference, None, &said)
        .await
        .expect("push again");
    assert_eq!(again, pushed);
    world.forget_image(&reference).await;
    let said = Said::default();
    let pulled = world
        .images
        .pull(&reference, None, None, &said)
        .await
        .expect("pull");
    // Of layers that the engine's store still holds, it may say nothing.
    assert_eq!(world.images.image(&reference).await, Ok(Some(pulled)));
    world.forget_image(&reference).await;
}

async fn a_registry_with_a_password_refuses_others(world: Arc<World>) {
    let Some(registry) = locked_registry(&world).await else {
        return;
    };
    let right = login(&registry, "lab-password");
    if let Some(memory) = &world.memory {
        memory.require_login(&right);
    }
    let reference = made(&world, &registry).await;
    // Characters that base64 writes with `+` and `/`, which an engine would not read.
    for wrong in [
        None,
        Some(login(&registry, "wrong")),
        Some(login(&registry, "???>>>~~~")),
    ] {
        let said = Said::default();
        let pushed = refused(world.images.push(&reference, wrong.as_ref(), &said).await);
        assert!(
            matches!(pushed, EngineError::Unauthorized { .. }),
            "{pushed:?}"
        );
        let pulled = refused(
            world
                .images
                .pull(&reference, None, wrong.as_ref(), &said)
                .await,
        );
        assert!(
            matches!(pulled, EngineError::Unauthorized { .. }),
            "{pulled:?}"
        );
    }
    let said = Said::default();
    world
        .images
        .push(&reference, Some(&right), &said)
        .await
        .expect("push");
    world
        .images
        .pull(&reference, None, Some(&right), &said)
        .await
        .expect("pull");
    world.forget_image(&reference).await;
}

async fn an_image_that_no_registry_has_is_not_found(world: Arc<World>) {
    let Some(registry) = open_registry(&world).await else {
        return;
    };
    let reference = format!("{registry}/{}:1", world.name("nothing"));
    let said = Said::default();
    let pulled = refused(world.images.pull(&reference, None, None, &said).await);
    assert!(
        matches!(pulled, EngineError::ImageNotFound { .. }),
        "{pulled:?}"
    );
    let pushed = refused(world.images.push(&reference, None, &said).await);
    assert!(
        matches!(pushed, EngineError::ImageNotFound { .. }),
        "{pushed:?}"
    );
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_unreachable() {
    on_docker(async |world: Arc<World>| {
        let said = Said::default();
        let pulled = refused(
            world
                .images
                .pull("127.0.0.1:1/x:1", None, None, &said)
                .await,
        );
        assert!(
            matches!(pulled, EngineError::RegistryUnreachable { .. }),
            "{pulled:?}"
        );
    })
    .await;
}
