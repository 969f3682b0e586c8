//! The outermost map of a task file.

use super::reader::{Field, Fields, Reader};
use super::step::{self, Surroundings};
use super::when::{self, Link};
use super::{codes, directory, env, keys, network, secret, version, volume};
use crate::spec::alias::Aliases;
use crate::spec::{Step, Task, Volume};
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

/// Steps times inherited variables: more of them would fill the memory, and serve nobody.
const MOST_INHERITED: usize = 1_000_000;

/// Reads a whole file; what is wrong is with the reader.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node, aliases: &Aliases) -> Task {
    if root.is_null() {
        return Task::default();
    }
    let Some(fields) = reader.fields(&keys::TASK, root, Span::new(0, 0)) else {
        return Task::default();
    };
    let declared = version::read(reader, fields.get("version"));
    version::check_alias(reader, fields.get("alias"), &declared);
    let secrets = secret::read(reader, fields.get("secrets"));
    let networks = network::read(reader, fields.get("networks"));
    let volumes = volume::read(reader, fields.get("volumes"));
    let surroundings = surroundings(reader, &fields, &volumes, aliases);
    Task {
        version: declared.version,
        secrets,
        has_networks: !networks.is_empty(),
        networks,
        volumes,
        steps: steps(reader, fields.get("steps"), surroundings),
    }
}

fn surroundings<'n>(
    reader: &mut Reader<'_>,
    fields: &Fields<'n>,
    volumes: &[Volume],
    aliases: &'n Aliases,
) -> Surroundings<'n> {
    let working_directory = fields.get("workingDirectory");
    let written = reader.text(working_directory).unwrap_or_default();
    if let Some(field) = working_directory.filter(|_| directory::resolve(&written).is_err()) {
        reader.report(step::outside(field.span()));
    }
    let timeout = step::seconds(reader, fields.get("stepTimeout"));
    let env = reader.texts(fields.get("env"));
    Surroundings {
        timeout_seconds: timeout.unwrap_or(step::DEFAULT_TIMEOUT_SECONDS),
        working_directory,
        env: env::inherited(reader, &env),
        volumes: volumes.iter().map(|volume| volume.name.clone()).collect(),
        aliases,
    }
}

fn steps(
    reader: &mut Reader<'_>,
    field: Option<Field<'_>>,
    mut surroundings: Surroundings<'_>,
) -> Vec<Step> {
    let Some(field) = field else {
        return Vec::new();
    };
    let nodes = reader.list(Some(field));
    if nodes.len().saturating_mul(surroundings.env.len()) > MOST_INHERITED {
        let message = format!(
            "{} steps cannot each inherit {} variables",
            nodes.len(),
            surroundings.env.len()
        );
        reader.report(Diagnostic::error(codes::ENVIRONMENT, message).at(field.key.span));
        surroundings.env.clear();
    }
    let read = nodes.iter().enumerate();
    let read =
        read.map(|(index, node)| step::read(reader, node, (index, field.key.span), &surroundings));
    let (links, steps): (Vec<Link>, Vec<Option<Step>>) = read.unzip();
    let whens = when::resolve(reader, &links);
    let named = steps.into_iter().zip(links).zip(whens);
    named
        .filter_map(|((step, link), when)| {
            let id = link.id;
            step.map(|step| Step { id, when, ..step })
        })
        .collect()
}
