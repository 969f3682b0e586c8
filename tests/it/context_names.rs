//! Contexts are told apart by their spelling, in docker's ways and in those of ACR.

use careen::spec::context::{ContextRef, is_elsewhere, read};
use secrecy::ExposeSecret;

/// The kind of a context, and how it is written back.
fn kind(text: &str) -> String {
    let written = match read(text) {
        Ok(written) => written,
        Err(error) => return format!("refused: {error}"),
    };
    let kind = match &written.context {
        ContextRef::Nothing => "nothing",
        ContextRef::Folder(_) => "folder",
        ContextRef::Stdin => "stdin",
        ContextRef::Git(_) => "git",
        ContextRef::Archive(_) => "archive",
        ContextRef::Artifact(_) => "artifact",
    };
    format!("{kind} {}", written.context)
}

#[test]
fn a_context_is_told_by_its_spelling() {
    for (text, expected) in [
        (".", "folder ."),
        ("./-odd", "folder ./-odd"),
        ("git.d/x", "folder git.d/x"),
        ("/dev/NULL", "nothing /dev/null"),
        ("-", "stdin -"),
        ("https://h.io/a.git", "git https://h.io/a.git"),
        ("HTTPS://h.io/a.git", "git https://h.io/a.git"),
        ("http://h.io:81/a.git#main", "git http://h.io:81/a.git#main"),
        ("https://h.io/a.git#", "git https://h.io/a.git"),
        ("https://h.io/a.git#main:", "git https://h.io/a.git#main"),
        ("https://h.io/a.git#:d/e/", "git https://h.io/a.git#:d/e"),
        ("https://h.io/a.git#v1:/d", "git https://h.io/a.git#v1:d"),
        (
            "https://h.io/a.git#pull/7/head:d",
            "git https://h.io/a.git#pull/7/head:d",
        ),
        (
            "https://dev.azure.com/o/p/_git/r#main",
            "git https://dev.azure.com/o/p/_git/r#main",
        ),
        (
            "https://o.visualstudio.com/p/_git/r",
            "git https://o.visualstudio.com/p/_git/r",
        ),
        (
            "https://dev.azure.com/o/p/_git/r?path=x",
            "archive https://dev.azure.com/o/p/_git/r",
        ),
        ("git@h.io:o/a.git#main", "git git@h.io:o/a.git#main"),
        ("deploy@h.io:a", "git deploy@h.io:a"),
        ("git://h.io/a", "git git://h.io/a"),
        ("ssh://git@h.io:22/a", "git ssh://git@h.io:22/a"),
        ("file:///srv/a.git", "git file:///srv/a.git"),
        ("github.com/o/a.git", "git https://github.com/o/a.git"),
        ("github.com/o/a#v1", "git https://github.com/o/a#v1"),
        ("https://github.com/o/a", "archive https://github.com/o/a"),
        ("https://h.io/a.tar.gz?x=1", "archive https://h.io/a.tar.gz"),
        ("oci://r.io/a/b:1", "artifact oci://r.io/a/b:1"),
        ("OCI://r.io/a/b", "artifact oci://r.io/a/b"),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn what_looks_like_an_option_or_a_program_is_refused() {
    for (text, reason) in [
        ("--upload-pack=touch", "looks like an option"),
        ("ext::sh -c id", "start a program"),
        ("fd::7", "start a program"),
        ("ftp://h.io/a.git", "of no kind that is opened"),
        ("ssh://-oProxyCommand=id/a", "no address of a repository"),
        ("ssh://-x@h.io/a", "begins like an option"),
        ("https://h.io/a.git#--help", "is no name of a branch"),
        ("https://h.io/a.git#a b", "is no name of a branch"),
        ("https://h.io/a.git#$(id)", "is no name of a branch"),
        ("https://h.io/a.git#a..b", "is no name of a branch"),
        ("https://h.io/a.git#main\u{202e}x", "is no name of a branch"),
        (
            "https://h.io/a.git#main:../x",
            "leads out of the repository",
        ),
        (
            "https://h.io/a.git#main:a/../../x",
            "leads out of the repository",
        ),
        ("oci://r.io/UPPER", "names no artifact"),
    ] {
        let kind = kind(text);
        assert!(
            kind.starts_with("refused") && kind.contains(reason),
            "{text}: {kind}"
        );
        assert!(is_elsewhere(text), "{text} is no folder of the workspace");
    }
}

#[test]
fn a_login_is_taken_out_of_the_address() {
    for (text, address, login) in [
        (
            "https://tok%40en@h.io/a.git",
            "https://h.io/a.git",
            ("", "tok@en"),
        ),
        (
            "https://u:p%3A@h.io/a.git#v1",
            "https://h.io/a.git#v1",
            ("u", "p:"),
        ),
        ("https://u:p@h.io/a.tgz", "https://h.io/a.tgz", ("u", "p")),
        ("ssh://git:p@h.io/a", "ssh://git@h.io/a", ("git", "p")),
    ] {
        let written = read(text).unwrap();
        assert_eq!(written.context.to_string(), address);
        assert!(!format!("{written:?}").contains("tok@en"));
        let found = written.login.unwrap();
        assert_eq!(
            (found.username.as_str(), found.password.expose_secret()),
            login
        );
    }
    assert!(read("git@h.io:a").unwrap().login.is_none());
    let signed = read("https://h.io/a.tgz?sig=x").unwrap();
    assert_eq!(signed.query.unwrap().expose_secret(), "sig=x");
}
