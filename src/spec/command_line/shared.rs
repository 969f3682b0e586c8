//! Values that docker run and docker build write alike.

/// Reads `host:address` or `host=address` and gives it back with a colon.
pub(crate) fn parse_extra_host(text: &str) -> Result<String, String> {
    let halves = text.split_once('=').or_else(|| text.split_once(':'));
    match halves {
        Some((host, address)) if !host.is_empty() && !address.is_empty() => {
            let inner = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
            Ok(format!("{host}:{}", inner.unwrap_or(address)))
        }
        _ => Err(format!("`{text}` is not written like host:address")),
    }
}

/// Lets Linux platforms pass.
pub(crate) fn check_platform(text: &str) -> Result<String, String> {
    let system = text.split('/').next().unwrap_or(text);
    match system.to_ascii_lowercase().as_str() {
        "" => Err("a platform is written like linux/amd64".to_owned()),
        "windows" => Err("`windows` is not supported: only Linux containers run here".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Reads `name` or `name=value`.
pub(crate) fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').unwrap_or((text, "")) {
        ("", _) => Err(format!("`{text}` has no name")),
        (name, value) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// Lets the one isolation that Linux has pass.
pub(crate) fn check_isolation(text: &str) -> Result<(), String> {
    match text {
        "" | "default" => Ok(()),
        other => Err(format!(
            "`{other}` exists on Windows only; write default or drop it"
        )),
    }
}
