//! Image references, cut as the engine's calls want them.

/// The repository of a reference and its digest, else its tag, else `latest`: without one, an engine pulls every tag.
pub(super) fn split(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (untagged(name).0, digest);
    }
    let (repository, tag) = untagged(reference);
    (repository, tag.unwrap_or("latest"))
}

/// A colon before the last slash belongs to a port.
fn untagged(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_cut_into_repository_and_version() {
        for (reference, expected) in [
            ("busybox", ("busybox", "latest")),
            ("busybox:1.36", ("busybox", "1.36")),
            (
                "r.example.com:5000/a/b",
                ("r.example.com:5000/a/b", "latest"),
            ),
            ("127.0.0.1:5000/a:x", ("127.0.0.1:5000/a", "x")),
            ("a/b@sha256:00", ("a/b", "sha256:00")),
            ("h:1/a:tag@sha256:00", ("h:1/a", "sha256:00")),
        ] {
            assert_eq!(split(reference), expected, "{reference}");
        }
    }
}
