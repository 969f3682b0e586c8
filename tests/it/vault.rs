//! A sealed value opens with its key and at its place only.

use std::{collections::HashMap, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use careen::{
    adapters::vault::FileVault,
    ports::{Sealed, Vault, VaultError},
};
use secrecy::{ExposeSecret, SecretString};

fn seal(vault: &FileVault, value: &str) -> Sealed {
    vault.seal("r1/token", &SecretString::from(value)).unwrap()
}

fn open(vault: &FileVault, row: &str, sealed: &Sealed) -> Result<String, VaultError> {
    let value = vault.open(row, sealed)?;
    Ok(value.expose_secret().to_owned())
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_value_opens_at_its_place_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let vault = FileVault::open(&folder.path().join("key"));
    for value in ["", "s", "grüße 🦀", &"long ".repeat(10_000)] {
        let sealed = seal(&vault, value);
        assert_eq!(open(&vault, "r1/token", &sealed).unwrap(), value);
        let elsewhere = open(&vault, "r2/token", &sealed).unwrap_err();
        assert_eq!(elsewhere, VaultError::DoesNotOpen("r2/token".to_owned()));
        assert_ne!(seal(&vault, value).bytes, sealed.bytes);
    }
}

#[test]
fn a_changed_value_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let vault = FileVault::open(&folder.path().join("key"));
    let sealed = seal(&vault, "value");
    for at in 0..sealed.bytes.len() {
        let mut changed = sealed.clone();
        changed.bytes[at] ^= 1;
        assert!(open(&vault, "r1/token", &changed).is_err(), "byte {at}");
        changed.bytes.truncate(at);
        assert!(open(&vault, "r1/token", &changed).is_err(), "{at} bytes");
    }
}

#[test]
fn nothing_is_made_before_it_is_needed_and_then_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen/key");
    let vault = FileVault::open(&path);
    assert!(!path.parent().unwrap().exists());
    let sealed = seal(&vault, "value");
    let metadata = path.metadata().unwrap();
    assert_eq!(
        (metadata.len(), metadata.permissions().mode() & 0o777),
        (32, 0o600)
    );
    let again = FileVault::open(&path);
    assert_eq!(open(&again, "r1/token", &sealed).unwrap(), "value");
    assert_eq!(seal(&again, "other").key_id, sealed.key_id);
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, [7; 32]).unwrap();
    let value = SecretString::from("value");
    for mode in [0o640, 0o604, 0o660] {
        chmod(&path, mode);
        let error = FileVault::open(&path).seal("r", &value).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    chmod(&path, 0o400);
    FileVault::open(&path).seal("r", &value).unwrap();
}

#[test]
fn another_key_has_another_id_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["1", "2"].map(|name| FileVault::open(&folder.path().join(name)));
    let sealed = seal(&one, "value");
    assert_ne!(seal(&two, "value").key_id, sealed.key_id);
    assert!(open(&two, "r1/token", &sealed).is_err());
}

#[test]
fn a_key_may_come_from_the_environment_or_a_mounted_file() {
    let folder = tempfile::tempdir().unwrap();
    let [own, raw, text] = ["own", "raw", "text"].map(|name| folder.path().join(name));
    let key = STANDARD.encode([7; 32]);
    std::fs::write(&raw, [7; 32]).unwrap();
    std::fs::write(&text, format!("{key}\n")).unwrap();
    let vault = |name: &str, value: &str| {
        let variables = HashMap::from([(name, value.to_owned())]);
        FileVault::from_environment(&own, |name| variables.get(name).cloned())
    };
    let sealed = seal(&vault("CAREEN_KEY", &key), "value");
    for path in [&raw, &text] {
        let vault = vault("CAREEN_KEY_FILE", path.to_str().unwrap());
        assert_eq!(open(&vault, "r1/token", &sealed).unwrap(), "value");
    }
    assert!(!own.exists());
    seal(&vault("OTHER", ""), "value");
    assert!(own.exists());
}

#[test]
fn a_new_key_seals_and_the_earlier_ones_still_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let (vault, running) = (FileVault::open(&path), FileVault::open(&path));
    let first = seal(&running, "first");
    assert!(vault.renew().unwrap());
    let second = seal(&vault, "second");
    assert_ne!(first.key_id, second.key_id);
    assert_eq!(second.key_id, vault.key_id().unwrap());
    assert!(vault.renew().unwrap());
    for opener in [&vault, &running, &FileVault::open(&path)] {
        assert_eq!(open(opener, "r1/token", &first).unwrap(), "first");
        assert_eq!(open(opener, "r1/token", &second).unwrap(), "second");
    }
    let metadata = path.metadata().unwrap();
    assert_eq!(
        (metadata.len(), metadata.permissions().mode() & 0o777),
        (3 * 32, 0o600)
    );
}

#[test]
fn of_mounted_keys_the_first_seals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mounted");
    let name = path.to_str().unwrap().to_owned();
    let vault = FileVault::from_environment(&folder.path().join("own"), |variable| {
        (variable == "CAREEN_KEY_FILE").then(|| name.clone())
    });
    let [old, new] = [[7; 32], [9; 32]].map(|key| STANDARD.encode(key));
    std::fs::write(&path, &old).unwrap();
    let sealed = seal(&vault, "value");
    std::fs::write(&path, format!("{new}\n{old}\n")).unwrap();
    assert!(!vault.renew().unwrap(), "it is made elsewhere");
    assert_ne!(seal(&vault, "value").key_id, sealed.key_id);
    assert_eq!(open(&vault, "r1/token", &sealed).unwrap(), "value");
}

#[test]
fn two_that_renew_at_once_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let sealed: Vec<Sealed> = std::thread::scope(|scope| {
        let renew = || {
            let vault = FileVault::open(&path);
            vault.renew().unwrap();
            seal(&vault, "value")
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(renew)).collect();
        all.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let vault = FileVault::open(&path);
    for one in &sealed {
        assert_eq!(open(&vault, "r1/token", one).unwrap(), "value");
    }
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for content in ["", "short", &"x".repeat(5_000), &STANDARD.encode([7; 31])] {
        std::fs::write(&path, content).unwrap();
        chmod(&path, 0o600);
        let value = SecretString::from("value");
        let error = FileVault::open(&path).seal("r", &value).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}
