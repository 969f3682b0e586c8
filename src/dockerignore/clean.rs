//! Shortening a slash-separated path to its plainest form.

/// Drops empty and `.` parts and resolves `..` by the text alone; nothing left is `.`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => step_up(&mut parts, rooted),
            name => parts.push(name),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn step_up(parts: &mut Vec<&str>, rooted: bool) {
    match parts.last() {
        Some(&last) if last != ".." => {
            parts.pop();
        }
        // Nothing is above the root.
        _ if rooted => {}
        _ => parts.push(".."),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_path_is_resolved_by_its_text_alone() {
        let cases = [
            ("", "."),
            ("./", "."),
            ("a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("/", "/"),
            ("!a/../b", "b"),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}
