//! Whether a delivery bears its sender's signature or token, compared in constant time.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Provider;

/// Why a delivery is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// The header that would prove it is not there.
    #[error("it bears no signature")]
    Missing,
    /// The header does not prove it.
    #[error("its signature is wrong")]
    Wrong,
}

/// Checks a delivery against a secret, over the body as it came.
pub fn verify(
    provider: Provider,
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
    secret: &SecretString,
) -> Result<(), Unsigned> {
    let of = |name: &str| header(name).filter(|it| !it.is_empty());
    let key = secret.expose_secret().as_bytes();
    let is_right = match provider {
        Provider::Github => match of("x-hub-signature-256") {
            Some(signature) => is_sha256(&signature, body, key),
            None => is_sha1(&of("x-hub-signature").ok_or(Unsigned::Missing)?, body, key),
        },
        Provider::Gitea => {
            let signature = of("x-forgejo-signature").or_else(|| of("x-gitea-signature"));
            is_sha256(&signature.ok_or(Unsigned::Missing)?, body, key)
        }
        Provider::Bitbucket => {
            is_sha256(&of("x-hub-signature").ok_or(Unsigned::Missing)?, body, key)
        }
        Provider::Generic => {
            let signature = of("x-careen-signature-256");
            is_sha256(&signature.ok_or(Unsigned::Missing)?, body, key)
        }
        Provider::Gitlab => {
            let token = of("x-gitlab-token").ok_or(Unsigned::Missing)?;
            is_same(token.as_bytes(), key)
        }
        Provider::AzureDevops => {
            let login = of("authorization").ok_or(Unsigned::Missing)?;
            is_login(&login, key)
        }
    };
    is_right.then_some(()).ok_or(Unsigned::Wrong)
}

fn is_sha256(signature: &str, body: &[u8], key: &[u8]) -> bool {
    let digits = signature.strip_prefix("sha256=").unwrap_or(signature);
    let (Some(given), Ok(mac)) = (from_hex(digits), Hmac::<Sha256>::new_from_slice(key)) else {
        return false;
    };
    mac.chain_update(body).verify_slice(&given).is_ok()
}

fn is_sha1(signature: &str, body: &[u8], key: &[u8]) -> bool {
    let digits = signature.strip_prefix("sha1=").unwrap_or_default();
    let (Some(given), Ok(mac)) = (from_hex(digits), Hmac::<Sha1>::new_from_slice(key)) else {
        return false;
    };
    mac.chain_update(body).verify_slice(&given).is_ok()
}

/// Checks `Basic BASE64(USER:PASSWORD)`: the password, or both where the secret has a colon.
fn is_login(login: &str, key: &[u8]) -> bool {
    let encoded = login.strip_prefix("Basic ").unwrap_or_default().trim();
    let Ok(login) = BASE64_STANDARD.decode(encoded) else {
        return false;
    };
    let colon = login.iter().position(|byte| *byte == b':');
    let password = colon.map_or(&login[..], |at| &login[at + 1..]);
    match key.contains(&b':') {
        true => is_same(&login, key),
        false => is_same(password, key),
    }
}

fn is_same(given: &[u8], expected: &[u8]) -> bool {
    !expected.is_empty() && bool::from(given.ct_eq(expected))
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = digits.chunks(2).map(|pair| {
        let byte = digit(pair[0])? * 16 + digit(pair[1])?;
        u8::try_from(byte).ok()
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::{Provider, Unsigned, verify};

    const BODY: &[u8] = b"Hello, World!";
    const SECRET: &str = "It's a Secret to Everybody";
    /// GitHub's own published example of a signature.
    const PUBLISHED: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn check(provider: Provider, name: &str, value: &str, body: &[u8]) -> Result<(), Unsigned> {
        let header = |asked: &str| (asked == name).then(|| value.to_owned());
        verify(provider, header, body, &SECRET.to_owned().into())
    }

    #[test]
    fn each_code_host_proves_itself_in_its_own_way() {
        let signed = format!("sha256={PUBLISHED}");
        // printf 'Hello, World!' | openssl sha1 -hmac "It's a Secret to Everybody"
        let by_sha1 = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";
        let login = "Basic dTpJdCdzIGEgU2VjcmV0IHRvIEV2ZXJ5Ym9keQ==";
        for (provider, name, value) in [
            (Provider::Github, "x-hub-signature-256", signed.as_str()),
            (Provider::Github, "x-hub-signature", by_sha1),
            (Provider::Gitea, "x-gitea-signature", PUBLISHED),
            (Provider::Gitea, "x-forgejo-signature", PUBLISHED),
            (Provider::Bitbucket, "x-hub-signature", &signed),
            (Provider::Generic, "x-careen-signature-256", &signed),
            (Provider::Gitlab, "x-gitlab-token", SECRET),
            (Provider::AzureDevops, "authorization", login),
        ] {
            assert_eq!(check(provider, name, value, BODY), Ok(()), "{provider:?}");
            let nothing = check(provider, "x-other", value, BODY);
            assert_eq!(nothing, Err(Unsigned::Missing), "{provider:?}");
            let wrong = format!("{}0", &value[..value.len() - 1]);
            assert_eq!(check(provider, name, &wrong, BODY), Err(Unsigned::Wrong));
        }
    }

    #[test]
    fn a_body_that_was_changed_is_not_trusted() {
        let signed = format!("sha256={PUBLISHED}");
        let changed = check(
            Provider::Github,
            "x-hub-signature-256",
            &signed,
            b"Hello, World?",
        );
        assert_eq!(changed, Err(Unsigned::Wrong));
        for odd in [
            "",
            "sha256=",
            "sha256=0",
            "sha256=zz",
            "sha1=",
            "é",
            "sha256=é1",
        ] {
            let found = check(Provider::Github, "x-hub-signature-256", odd, BODY);
            assert!(found.is_err(), "{odd}");
        }
    }

    #[test]
    fn an_empty_secret_trusts_nobody_with_a_token() {
        let header = |_: &str| Some(String::new());
        let found = verify(Provider::Gitlab, header, BODY, &String::new().into());
        assert!(found.is_err());
    }
}
