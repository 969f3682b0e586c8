//! Secrets that are kept for tasks: set from where nobody sees them, and found by the runs that name them.

use std::fs;

use crate::careens::Careen;

const TASK: &str = "version: v1.1.0
secrets:
  - id: token
    keyvault: https://Vault.example.com/secrets/Token
  - id: other
    keyvault: https://vault.example.com/secrets/other
    clientID: 11111111-2222-3333-4444-555555555555
steps:
  - id: tell
    cmd: busybox sh -c 'echo $TOKEN $OTHER | rev'
    env: ['TOKEN={{.Secrets.token}}', 'OTHER={{.Secrets.other}}']
";

#[test]
fn what_is_missing_is_one_error_with_the_commands_that_add_it() {
    let careen = Careen::new();
    careen.task(TASK);
    let says = [
        "token, other",
        "`careen secret set token`",
        "`careen secret set other`",
        "--secret-from token=",
    ];
    careen.run(&[]).exits(2).says(&says);
    careen.told(&["secret", "set", "token"], "value").exits(0);
    let ran = careen
        .run(&[])
        .exits(2)
        .says(&["secret other", "`careen secret set other`"]);
    assert!(!ran.stderr.contains("secret set token"), "{}", ran.stderr);
}

#[test]
fn secrets_are_set_listed_and_removed_and_never_shown() {
    let mut careen = Careen::new();
    careen.set("VALUE", "from-variable-81");
    fs::write(careen.path("value"), "from-file-82\n").unwrap();
    let file = careen.path("value").display().to_string();
    careen
        .told(&["secret", "set", "a"], "from-stdin-83\n")
        .exits(0);
    careen
        .does(&["secret", "set", "b", "--from-env", "VALUE"])
        .exits(0);
    careen
        .does(&["secret", "set", "c", "--file", &file])
        .exits(0);
    for words in [&["secret", "list"][..], &["secret", "list", "--json"]] {
        let shown = careen.does(words).exits(0).stdout;
        assert!(shown.contains('a') && !shown.contains("from-"), "{shown}");
    }
    let bytes = fs::read(careen.path("data/careen.db")).unwrap();
    assert!(!bytes.windows(5).any(|it| it == b"from-"));
    careen.does(&["secret", "remove", "b"]).exits(0);
    assert_eq!(careen.does(&["secret", "list", "-q"]).stdout, "a\nc\n");
    careen
        .does(&["secret", "remove", "b"])
        .exits(2)
        .says(&["no secret b"]);
    careen
        .told(&["secret", "set", "x y"], "v")
        .exits(2)
        .says(&["no name for a secret"]);
    careen
        .told(&["secret", "set", "x"], "\n")
        .exits(2)
        .says(&["is empty"]);
}

#[test]
fn secrets_and_connections_are_sealed_anew_and_still_open() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.task(TASK);
    careen
        .told(&["secret", "set", "token"], "by-id-9000")
        .exits(0);
    let add = [
        "connection",
        "add",
        "ci",
        "--server",
        "r.invalid",
        "--username",
        "u",
        "--password-stdin",
    ];
    careen.told(&add, "pass").exits(0);
    fs::write(careen.path("hook"), "hook-secret-77").unwrap();
    let from = format!("file:{}", careen.path("hook").display());
    let source = ["hooks", "source", "hub", "--provider", "github"];
    let source = [&source[..], &["--secret-from", &from]].concat();
    careen.does(&source).exits(0);
    let before = fs::read(careen.path("share/careen/key")).unwrap();
    let done = careen.does(&["secret", "rekey"]).exits(0);
    assert!(
        done.stderr
            .contains("sealed 1 connections, 1 secrets and 1 sources"),
        "{}",
        done.stderr
    );
    let after = fs::read(careen.path("share/careen/key")).unwrap();
    assert!(after.ends_with(&before) && after.len() == 2 * before.len());
    // Without the earlier key all is there that was sealed anew.
    fs::write(careen.path("share/careen/key"), &after[..before.len()]).unwrap();
    let reversed: String = "by-id-9000".chars().rev().collect();
    let ran = careen.run(&["--secret-from", "other=store:token"]).exits(0);
    assert!(ran.stdout.contains(&reversed), "{}", ran.stdout);
    careen.does(&["secret", "rekey", "-q"]).exits(0);
}

#[test]
fn a_task_finds_its_secrets_by_id_by_vault_address_or_where_it_is_told() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.task(TASK);
    let reversed = |text: &str| text.chars().rev().collect::<String>();
    careen
        .told(&["secret", "set", "token"], "by-id-9000")
        .exits(0);
    careen
        .told(&["secret", "set", "mapped"], "by-address-9001")
        .exits(0);
    careen
        .told(&["secret", "set", "told"], "by-word-9002")
        .exits(0);
    fs::create_dir_all(careen.path("config/careen")).unwrap();
    let settings = "[vault_secrets]\n\"https://vault.example.com/secrets/OTHER/\" = \"mapped\"\n";
    fs::write(careen.path("config/careen/careen.toml"), settings).unwrap();
    let ran = careen.run(&[]).exits(0).says(&["clientID"]);
    let both = format!("tell | {}\n", reversed("by-id-9000 by-address-9001"));
    assert_eq!(ran.stdout, both);
    let ran = careen
        .run(&[
            "--secret-from",
            "token=store:told",
            "--identity",
            "[system]",
        ])
        .exits(0);
    assert!(
        ran.stdout.contains(&reversed("by-word-9002")),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("--identity"), "{}", ran.stderr);
    careen
        .run(&["--secret-from", "token=store:nobody"])
        .exits(2)
        .says(&["no secret nobody"]);
}
