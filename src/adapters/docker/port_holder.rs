//! Who holds a port of the host.

use bollard::{models::ContainerSummary, query_parameters::ListContainersOptions};

use crate::ports::EngineError;

use super::DockerEngine;

/// Adds to a taken port who holds it; other errors pass through.
pub(super) async fn name_holder(engine: &DockerEngine, error: EngineError) -> EngineError {
    let EngineError::PortTaken { port, .. } = error else {
        return error;
    };
    let holder = match running(engine).await {
        Ok(containers) => Some(holder(&containers, &port)),
        Err(_) => None,
    };
    EngineError::PortTaken { port, holder }
}

async fn running(engine: &DockerEngine) -> Result<Vec<ContainerSummary>, EngineError> {
    let docker = engine.docker().await?;
    let listed = docker.list_containers(None::<ListContainersOptions>).await;
    listed.map_err(|error| engine.error(error))
}

fn holder(containers: &[ContainerSummary], address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
    let publishes = |container: &&ContainerSummary| {
        let mut ports = container.ports.iter().flatten();
        ports.any(|published| {
            published
                .public_port
                .map(|port| port.to_string())
                .as_deref()
                == Some(port)
                && overlaps(published.ip.as_deref().unwrap_or_default(), host)
        })
    };
    let found = containers.iter().find(publishes);
    let name = found.and_then(|container| container.names.as_ref()?.first().cloned());
    match name {
        Some(name) => format!("container {}", name.trim_start_matches('/')),
        None => "a program on the engine's host that is no container".to_string(),
    }
}

fn overlaps(one: &str, other: &str) -> bool {
    let everywhere = |host: &str| matches!(host, "" | "0.0.0.0" | "::" | "[::]");
    one == other || everywhere(one) || everywhere(other)
}

#[cfg(test)]
mod tests {
    use bollard::models::PortSummary;

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_the_container_that_publishes_it() {
        let container = ContainerSummary {
            names: Some(vec!["/web".to_string()]),
            ports: Some(vec![PortSummary {
                ip: Some("127.0.0.1".to_string()),
                private_port: 80,
                public_port: Some(8080),
                typ: None,
            }]),
            ..Default::default()
        };
        for (address, expected) in [
            ("127.0.0.1:8080", "container web"),
            ("0.0.0.0:8080", "container web"),
            (
                "127.0.0.2:8080",
                "a program on the engine's host that is no container",
            ),
            (
                "127.0.0.1:80",
                "a program on the engine's host that is no container",
            ),
        ] {
            assert_eq!(
                holder(std::slice::from_ref(&container), address),
                expected,
                "{address}"
            );
        }
    }
}
