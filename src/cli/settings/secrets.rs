//! Settings that are secrets: each comes from its variable, or from the file that the variable with `_FILE` behind its
//! name names, as swarms and clusters mount them.

use secrecy::{ExposeSecret, SecretString};

use crate::cli::CliError;

/// The variables of clouds' own tools that hold secrets.
const CLOUD_SECRETS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
];

/// Reads a secret from a variable, or from the file that the variable with `_FILE` behind its name names.
pub fn secret_variable(name: &str) -> Result<Option<SecretString>, CliError> {
    if let Ok(secret) = std::env::var(name)
        && !secret.is_empty()
    {
        return Ok(Some(SecretString::from(secret)));
    }
    let name = format!("{name}_FILE");
    let Some(path) = std::env::var(&name).ok().filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CliError::usage(
            format!("{name} names the file {path}: {error}"),
            format!("Mend {name}, or unset it"),
        )
    })?;
    Ok(Some(SecretString::from(text.trim())))
}

/// Adds to the variables of this process those secrets of clouds that files hold.
pub fn cloud_variables() -> Result<Vec<(String, String)>, CliError> {
    let mut variables: Vec<(String, String)> = std::env::vars()
        .filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("AZURE_"))
        .filter(|(name, _)| !CLOUD_SECRETS.contains(&name.as_str()))
        .collect();
    for name in CLOUD_SECRETS {
        if let Some(secret) = secret_variable(name)? {
            variables.push((name.to_owned(), secret.expose_secret().to_owned()));
        }
    }
    Ok(variables)
}
