//! Passwords and other secrets from where nobody else sees them: a prompt, standard input, a variable, a file.

use std::io::{IsTerminal, Read};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::CliError;

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Asks a person, who sees nothing of what they type.
pub fn prompt(what: &str) -> Result<SecretString, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            format!("there is nobody to ask for the {what}"),
            "Give it on standard input, or name a variable or file that holds it (see --help)",
        ));
    }
    let typed = rpassword::prompt_password(format!("{what}: "));
    let typed = typed.map_err(|error| CliError::usage(format!("no {what}: {error}"), ""))?;
    checked(what, Zeroizing::new(typed))
}

/// Reads standard input to its end; the newline that `echo` adds is not part of the secret.
pub fn from_stdin(what: &str) -> Result<SecretString, CliError> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| CliError::usage(format!("standard input: {error}"), ""))?;
    checked(what, text)
}

/// Reads an environment variable.
pub fn from_variable(what: &str, name: &str) -> Result<SecretString, CliError> {
    let value = std::env::var(name).map_err(|_| {
        CliError::usage(
            format!("the variable {name} for the {what} is not set"),
            "Set it, or give the value on standard input",
        )
    })?;
    checked(what, Zeroizing::new(value))
}

/// Reads a file; the newline that editors leave at its end is not part of the secret.
pub fn from_file(what: &str, path: &str) -> Result<SecretString, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("the file {path} for the {what}: {error}"), ""))?;
    checked(what, Zeroizing::new(text))
}

fn checked(what: &str, text: Zeroizing<String>) -> Result<SecretString, CliError> {
    let bare = text.trim_end_matches(['\r', '\n']);
    if bare.is_empty() {
        return Err(CliError::usage(format!("the {what} is empty"), ""));
    }
    Ok(SecretString::from(bare))
}
