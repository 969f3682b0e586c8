//! Working directories: inside the workspace, or absolute.

/// Where the workspace is in every container.
const WORKSPACE: &str = "/workspace";

/// A relative path that leaves the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside;

/// Resolves a `workingDirectory`: an absolute path is cleaned, a relative one is put into the workspace.
pub(super) fn resolve(written: &str) -> Result<String, Outside> {
    if written.starts_with('/') {
        return Ok(clean(written));
    }
    let path = clean(&format!("{WORKSPACE}/{written}"));
    let inside = path
        .strip_prefix(WORKSPACE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    inside.then_some(path).ok_or(Outside)
}

/// Removes empty parts, `.` and `..` from an absolute path.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_stays_in_the_workspace() {
        for (written, expected) in [
            ("", Ok("/workspace")),
            (".", Ok("/workspace")),
            ("a//b/./c/", Ok("/workspace/a/b/c")),
            ("a/../b", Ok("/workspace/b")),
            ("/usr/../tmp/", Ok("/tmp")),
            ("/..", Ok("/")),
            ("..", Err(Outside)),
            ("a/../../x", Err(Outside)),
            ("../workspaces", Err(Outside)),
            ("../workspace/x", Ok("/workspace/x")),
        ] {
            assert_eq!(resolve(written), expected.map(str::to_owned), "{written}");
        }
    }
}
