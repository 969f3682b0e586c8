//! Entries of `secrets`.

use super::codes;
use super::keys;
use super::reader::{Field, Fields, Reader};
use crate::spec::SecretRef;
use crate::text::{Diagnostic, Span};
use std::collections::HashMap;

/// Reads the `secrets` of a file.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Vec<SecretRef> {
    let mut known: HashMap<String, Span> = HashMap::new();
    let mut secrets = Vec::new();
    for node in reader.list(field) {
        let around = field.map_or(node.span, |field| field.key.span);
        let Some(fields) = reader.fields(&keys::SECRET, node, around) else {
            continue;
        };
        let Some(id) = id(reader, &fields) else {
            continue;
        };
        let span = fields
            .get("id")
            .map_or_else(|| fields.first_key(), |field| field.span());
        if let Some(first) = known.insert(id.clone(), span) {
            let message = format!("duplicate secret found with ID: {id}");
            reader.report(
                error(message)
                    .at(span)
                    .also(first, "it is declared first here"),
            );
        }
        let client_id = client_id(reader, fields.get("clientID"));
        if let Some(keyvault) = keyvault(reader, &fields) {
            secrets.push(SecretRef {
                id,
                keyvault,
                client_id,
            });
        }
    }
    secrets
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::SECRET, message)
}

fn id(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let field = fields.get("id");
    let Some(id) = reader.owned(field) else {
        if field.is_none_or(|field| field.value.is_null()) {
            reader.report(
                error("secret is missing an ID")
                    .at(fields.first_key())
                    .help("add `id: name`; templates see it as `.Secrets.name`"),
            );
        }
        return None;
    };
    if id.contains(char::is_whitespace) {
        let span = field.map_or_else(|| fields.first_key(), |field| field.span());
        reader.report(error("secret ID cannot contain spaces").at(span));
    }
    Some(id)
}

fn client_id(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Option<String> {
    let id = reader.owned(field)?;
    if uuid::Uuid::try_parse(&id).is_err() {
        let span = field.map(|field| field.span())?;
        reader.report(error("msi client ID is not a valid guid").at(span));
    } else if let Some(field) = field {
        let message = "clientID has no effect: there is no managed identity outside of Azure";
        reader.report(
            Diagnostic::warning(codes::SECRET, message)
                .at(field.span())
                .help("the value comes from --secret-from or `careen secret set`"),
        );
    }
    Some(id)
}

fn keyvault(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    const SHAPE: &str =
        "write `keyvault: https://VAULT/secrets/NAME`, with `/VERSION` behind it if one is meant";
    let field = fields.get("keyvault");
    let Some(address) = reader.owned(field) else {
        if field.is_none_or(|field| field.value.is_null()) {
            let message = "secret should contain either keyvault property, or be left out";
            reader.report(error(message).at(fields.first_key()).help(SHAPE));
        }
        return None;
    };
    let address = address.to_lowercase();
    if !is_secret_address(&address) {
        let span = field.map_or_else(|| fields.first_key(), |field| field.span());
        reader.report(
            error("this is no address of a secret in a vault")
                .at(span)
                .help(SHAPE),
        );
        return None;
    }
    Some(address)
}

/// Says whether an address has the shape `https://HOST/secrets/NAME[/VERSION][/]`.
fn is_secret_address(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://") else {
        return false;
    };
    let mut parts = rest.strip_suffix('/').unwrap_or(rest).split('/');
    let is_named = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    is_named(parts.next())
        && parts.next() == Some("secrets")
        && is_named(parts.next())
        && parts.next().is_none_or(|version| !version.is_empty())
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::is_secret_address;

    #[test]
    fn an_address_names_a_vault_and_a_secret() {
        for address in [
            "https://v.example/secrets/a",
            "https://v/secrets/a/1",
            "https://v/secrets/a/",
        ] {
            assert!(is_secret_address(address), "{address}");
        }
        for address in [
            "http://v/secrets/a",
            "https://v/keys/a",
            "https://v/secrets",
            "https://v/secrets//",
            "https:///secrets/a",
            "https://v/secrets/a/1/2",
            "v/secrets/a",
        ] {
            assert!(!is_secret_address(address), "{address}");
        }
    }
}
