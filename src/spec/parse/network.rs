//! Entries of `networks`.

use super::codes;
use super::keys;
use super::reader::{Field, Reader};
use crate::spec::Network;
use crate::text::{Diagnostic, Span};
use std::collections::HashMap;

/// Reads the `networks` of a file.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Vec<Network> {
    let mut known: HashMap<String, Span> = HashMap::new();
    let mut networks = Vec::new();
    for node in reader.list(field) {
        let around = field.map_or(node.span, |field| field.key.span);
        let Some(fields) = reader.fields(&keys::NETWORK, node, around) else {
            continue;
        };
        let name = reader.owned(fields.get("name")).unwrap_or_default();
        let span = fields
            .get("name")
            .map_or_else(|| fields.first_key(), |field| field.span());
        if name.is_empty() {
            let finding = Diagnostic::error(codes::NETWORK, "network name is empty");
            reader.report(
                finding
                    .at(span)
                    .help("add `name: something`; steps join it by that name"),
            );
        } else if let Some(first) = known.insert(name.clone(), span) {
            let finding = Diagnostic::error(
                codes::NETWORK,
                format!("network `{name}` is declared twice"),
            );
            reader.report(finding.at(span).also(first, "it is declared first here"));
        }
        networks.push(Network {
            name,
            driver: reader.owned(fields.get("driver")),
            ipv6: reader.boolean(fields.get("ipv6")),
            skip_creation: reader.boolean(fields.get("skipCreation")),
            is_default: reader.boolean(fields.get("isDefault")),
        });
    }
    networks
}
