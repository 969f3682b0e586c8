//! Networks, volumes, ports and labels.

use std::sync::Arc;

use careen::ports::{
    EngineError, NetworkMode, NetworkSpec, PublishedPort, Resource, State, Stream, VolumeSpec,
};

use super::{
    claims,
    world::{World, on_docker, refused, text, volume_mount},
};

claims! {
    a_network_is_made_once_and_removed_twice,
    a_container_needs_its_network,
    a_volume_may_be_made_twice_with_the_same_labels_only,
    a_volume_in_use_is_not_removed,
    objects_are_found_by_all_their_labels,
    a_taken_port_names_its_holder,
    the_engine_says_who_it_is,
}

async fn a_network_is_made_once_and_removed_twice(world: Arc<World>) {
    let name = world.network("net").await;
    let again = NetworkSpec {
        name: name.clone(),
        labels: world.labels(),
        driver: None,
        ipv6: false,
    };
    let error = refused(world.containers.create_network(&again).await);
    assert_eq!(error, EngineError::NameConflict(name.clone()));
    for _ in 0..2 {
        world
            .containers
            .remove_network(&name)
            .await
            .expect("remove");
    }
    let left = world
        .containers
        .list(Resource::Network, &world.labels())
        .await;
    assert_eq!(left, Ok(Vec::new()));
}

async fn a_container_needs_its_network(world: Arc<World>) {
    let mut spec = world.shell("lonely", "true", &[]);
    spec.network = NetworkMode::Named {
        name: world.name("nowhere"),
        aliases: Vec::new(),
    };
    let error = match world.containers.create(&spec).await {
        Ok(id) => refused(world.containers.start(&id).await),
        Err(error) => error,
    };
    assert!(matches!(error, EngineError::NotFound(_)), "{error:?}");
}

async fn a_volume_may_be_made_twice_with_the_same_labels_only(world: Arc<World>) {
    let name = world.volume("vol").await;
    assert_eq!(world.volume("vol").await, name);
    let other = VolumeSpec {
        name: name.clone(),
        labels: [("other".to_string(), "label".to_string())].into(),
    };
    let error = refused(world.containers.create_volume(&other).await);
    assert_eq!(error, EngineError::NameConflict(name.clone()));
    for _ in 0..2 {
        world.containers.remove_volume(&name).await.expect("remove");
    }
}

async fn a_volume_in_use_is_not_removed(world: Arc<World>) {
    let name = world.volume("used").await;
    let mut spec = world.shell("user", "true", &[]);
    spec.mounts = vec![volume_mount(&name, "/data")];
    let id = world.containers.create(&spec).await.expect("create");
    let error = refused(world.containers.remove_volume(&name).await);
    assert!(matches!(error, EngineError::InUse(_)), "{error:?}");
    world.containers.remove(&id).await.expect("remove");
    world
        .containers
        .remove_volume(&name)
        .await
        .expect("remove the volume");
}

async fn objects_are_found_by_all_their_labels(world: Arc<World>) {
    let mut spec = world.shell("labelled", "true", &[]);
    spec.labels
        .insert("careen.step".to_string(), "a=b c".to_string());
    let id = world.containers.create(&spec).await.expect("create");
    let (network, volume) = (
        world.network("labelled").await,
        world.volume("labelled").await,
    );
    let list = async |resource, labels| {
        let found = world.containers.list(resource, labels).await.expect("list");
        found
            .into_iter()
            .map(|found| (found.id, found.name, found.labels))
            .collect::<Vec<_>>()
    };
    let of_test = world.labels();
    let containers = list(Resource::Container, &of_test).await;
    assert_eq!(containers, [(id, spec.name.clone(), spec.labels.clone())]);
    assert_eq!(list(Resource::Container, &spec.labels).await, containers);
    let mut others = spec.labels.clone();
    others.insert("careen.step".to_string(), "other".to_string());
    assert_eq!(list(Resource::Container, &others).await, []);
    assert_eq!(list(Resource::Network, &of_test).await[0].1, network);
    assert_eq!(list(Resource::Volume, &of_test).await[0].1, volume);
}

async fn a_taken_port_names_its_holder(world: Arc<World>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let network = world.network("ports").await;
    let publishing = |name: &str| {
        let mut spec = world.shell(name, "sleep 60", &["SLEEP_MS=60000"]);
        spec.network = NetworkMode::Named {
            name: network.clone(),
            aliases: Vec::new(),
        };
        spec.published_ports = vec![PublishedPort {
            host_address: "127.0.0.1".to_string(),
            host_port: Some(port),
            container_port: "80/tcp".to_string(),
        }];
        spec
    };
    let first = publishing("first");
    world.start(&first).await;
    let second = world
        .containers
        .create(&publishing("second"))
        .await
        .expect("create");
    let error = refused(world.containers.start(&second).await);
    let expected = format!("port 127.0.0.1:{port} is taken by container {}", first.name);
    assert_eq!(error.to_string(), expected);
}

async fn the_engine_says_who_it_is(world: Arc<World>) {
    let info = world.containers.info().await.expect("info");
    assert_eq!(info.os, "linux");
    assert!(
        !info.id.is_empty() && info.cpus > 0 && info.memory_bytes > 0,
        "{info:?}"
    );
    assert!(info.api_version.starts_with("1."), "{info:?}");
    assert!(
        info.started_at.is_none_or(|at| at < chrono::Utc::now()),
        "{info:?}"
    );
}

#[tokio::test]
async fn containers_of_a_network_find_each_other_by_alias() {
    on_docker(async |world: Arc<World>| {
        let network = world.network("talk").await;
        let on_network = |name: &str, script: &str, aliases: &[&str]| {
            let mut spec = world.shell(name, script, &[]);
            let aliases = aliases.iter().map(|alias| alias.to_string()).collect();
            spec.network = NetworkMode::Named {
                name: network.clone(),
                aliases,
            };
            spec
        };
        let serve = "while true; do echo hello | nc -l -p 80; done";
        world
            .start(&on_network("server", serve, &["web", "www"]))
            .await;
        let ask = "for host in web www; do until nc $host 80 </dev/null; do sleep 0.1; done; done";
        let id = world.start(&on_network("client", ask, &[])).await;
        let output = world.output(&id).await;
        assert_eq!(text(&output, Stream::Stdout), "hello\nhello\n");
        let exit = world.containers.wait(&id).await.expect("wait");
        assert_eq!(exit.code, 0);
    })
    .await;
}

#[tokio::test]
async fn want_of_memory_is_reported() {
    on_docker(async |world: Arc<World>| {
        let mut spec = world.shell("hungry", "tail /dev/zero", &[]);
        spec.limits.memory_bytes = Some(16 << 20);
        let (id, exit) = world.run(&spec).await;
        assert_eq!((exit.code, exit.out_of_memory), (137, true));
        let state = world
            .containers
            .inspect(&id)
            .await
            .expect("inspect")
            .expect("there")
            .state;
        assert!(matches!(state, State::Exited(exit) if exit.out_of_memory));
    })
    .await;
}
