//! Image references are read and completed exactly as docker's own library does.

use careen::spec::reference::{Reference, ReferenceError};

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    ok: bool,
    out: String,
}

/// Prints domain, path and complete form, as the recorded answers do.
fn answer(text: &str) -> Result<String, ReferenceError> {
    let reference = Reference::parse(text)?.with_default_tag();
    Ok(format!(
        "{} {} {reference}",
        reference.domain, reference.path
    ))
}

#[test]
fn every_recorded_answer_is_given() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/references.json"))
        .expect("the recorded answers");
    assert!(cases.len() > 500);
    for case in cases {
        match answer(&case.text) {
            Ok(out) => assert_eq!((true, out), (case.ok, case.out), "{}", case.text),
            Err(error) => {
                assert!(!case.ok, "{} is refused: {error}", case.text);
                let upper = case.out.contains("must be lowercase");
                assert_eq!(upper, error == ReferenceError::UpperCase, "{}", case.text);
            }
        }
    }
}

#[test]
fn names_are_completed_and_shortened() {
    let cases = [
        ("alpine", "docker.io/library/alpine", "alpine"),
        ("alpine:3", "docker.io/library/alpine:3", "alpine:3"),
        ("library/alpine", "docker.io/library/alpine", "alpine"),
        ("index.docker.io/me/app", "docker.io/me/app", "me/app"),
        ("localhost/a", "localhost/a", "localhost/a"),
        (
            "localhost:5000/a:1",
            "localhost:5000/a:1",
            "localhost:5000/a:1",
        ),
        ("host:5000", "docker.io/library/host:5000", "host:5000"),
        ("r.io/library/x", "r.io/library/x", "r.io/library/x"),
        ("Foo.io/x", "Foo.io/x", "Foo.io/x"),
        (
            "docker.io/library/a/b",
            "docker.io/library/a/b",
            "library/a/b",
        ),
    ];
    for (text, full, familiar) in cases {
        let reference = Reference::parse(text).expect(text);
        assert_eq!(reference.to_string(), full, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(Reference::parse(full).as_ref(), Ok(&reference), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let digits = "0123456789abcdef".repeat(4);
    let cases = [
        ("", ReferenceError::Empty),
        ("FOO/x", ReferenceError::UpperCase),
        ("alpine:", ReferenceError::Format),
        ("a b", ReferenceError::Format),
        ("a//b", ReferenceError::Format),
        ("[::1]:5000/a", ReferenceError::Format),
        ("https://r.io/a", ReferenceError::Format),
        (&digits, ReferenceError::ImageId),
        (&format!("a@md5:{digits}"), ReferenceError::DigestAlgorithm),
        (
            &format!("a@sha256:{}", &digits[1..]),
            ReferenceError::Digest,
        ),
        (
            &format!("a@sha256:{}", digits.to_uppercase()),
            ReferenceError::Digest,
        ),
        (
            &format!("r.io/{}", "x".repeat(251)),
            ReferenceError::TooLong,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(Reference::parse(text), Err(error), "{text}");
    }
}

#[test]
fn only_a_bare_name_gets_the_default_tag() {
    let digest = format!("a@sha256:{}", "0".repeat(64));
    for (text, tag) in [("a", Some("latest")), ("a:1", Some("1")), (&digest, None)] {
        let reference = Reference::parse(text).expect(text).with_default_tag();
        assert_eq!(reference.tag.as_deref(), tag, "{text}");
    }
}
