//! One name for a repository, however its address is written.

use url::Url;

/// Names a repository by host and path, the same for each spelling of its address: web, ssh, with and without `.git`.
pub fn repository_key(address: &str) -> Option<String> {
    let (host, path) = host_and_path(address)?;
    let key = azure(&host, &path).unwrap_or_else(|| format!("{host}/{path}"));
    Some(key.to_lowercase())
}

/// Splits a repository's address into its host and its path there, as they are written.
pub(super) fn host_and_path(address: &str) -> Option<(String, String)> {
    let address = address.trim();
    let (host, path) = match Url::parse(address) {
        Ok(url) if url.has_host() => (host_of(&url)?, url.path().to_owned()),
        Ok(url) if url.scheme() == "file" => ("file".to_owned(), url.path().to_owned()),
        _ => scp(address)?,
    };
    let path = path.trim_matches('/').trim_end_matches(".git").to_owned();
    (!path.is_empty()).then_some((host, path))
}

/// The host, with its port where the port tells two servers apart.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    match url.port() {
        Some(port) if url.scheme().starts_with("http") => Some(format!("{host}:{port}")),
        _ => Some(host.to_owned()),
    }
}

/// Reads `[USER@]HOST:PATH` and `HOST.TLD/PATH`.
fn scp(address: &str) -> Option<(String, String)> {
    let rest = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once(':').or_else(|| {
        let parts = rest.split_once('/')?;
        parts.0.contains('.').then_some(parts)
    })?;
    let is_host = !host.is_empty() && !host.contains('/');
    is_host.then(|| (host.to_owned(), path.to_owned()))
}

/// A repository of Azure DevOps: organization, project and name.
pub(super) type AzureName<'a> = (&'a str, &'a str, &'a str);

/// Azure DevOps writes one repository in three ways.
fn azure(host: &str, path: &str) -> Option<String> {
    let (organization, project, name) = azure_name(host, path)?;
    Some(format!(
        "dev.azure.com/{organization}/{project}/_git/{name}"
    ))
}

/// Reads the three ways in which Azure DevOps writes a repository.
pub(super) fn azure_name<'a>(host: &'a str, path: &'a str) -> Option<AzureName<'a>> {
    let parts: Vec<&str> = path.split('/').collect();
    match (host, parts.as_slice()) {
        ("ssh.dev.azure.com", ["v3", organization, project, name])
        | ("dev.azure.com", [organization, project, "_git", name]) => {
            Some((organization, project, name))
        }
        (host, [project, "_git", name] | ["DefaultCollection", project, "_git", name]) => {
            Some((host.strip_suffix(".visualstudio.com")?, project, name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::repository_key;

    #[test]
    fn every_spelling_of_a_repository_has_one_key() {
        let same = [
            (
                "github.com/acme/web",
                &[
                    "https://github.com/Acme/web.git",
                    "https://user:token@github.com/acme/web",
                    "git@github.com:acme/web.git",
                    "ssh://git@github.com:22/acme/web.git/",
                    "git://github.com/acme/web",
                    "github.com/acme/web.git",
                ][..],
            ),
            (
                "dev.azure.com/org/my%20app/_git/web",
                &[
                    "https://org@dev.azure.com/org/my%20app/_git/web",
                    "https://org.visualstudio.com/my%20app/_git/web",
                    "https://org.visualstudio.com/DefaultCollection/my%20app/_git/web",
                    "git@ssh.dev.azure.com:v3/org/my%20app/web",
                ],
            ),
            ("127.0.0.1:3000/a/b", &["http://127.0.0.1:3000/a/b.git"]),
        ];
        for (key, spellings) in same {
            for spelling in spellings {
                assert_eq!(repository_key(spelling).as_deref(), Some(key), "{spelling}");
            }
        }
    }

    #[test]
    fn what_names_no_repository_has_no_key() {
        for text in ["", "web", "/src/web", "https://github.com/", "https://"] {
            assert_eq!(repository_key(text), None, "{text}");
        }
    }
}
