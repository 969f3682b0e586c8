//! URLs taken apart and put together as Go does.
use super::Context;
use super::context::{map_of, text_of};
use super::signature::{Function, Parameter};
use super::url_escape::{Part, escape, unescape};
use crate::template::value::{Map, Text, Value, runes};
use std::net::Ipv6Addr;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Parameter::Text], |context, values| {
        let text = text_of(values, 0);
        context.budget.touch(text.len() * 8)?;
        let url = Url::parse(text).map_err(|fault| format!("unable to parse url: {fault}"))?;
        Ok(url.into_map())
    }),
    Function::new("urlJoin", &[Parameter::Map], join),
];

/// Is a URL in parts, each unescaped.
#[derive(Debug, Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<Vec<u8>>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

impl Url {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (text, fragment) = cut(text, b'#');
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return Err("invalid control character in URL".into());
        }
        let mut url = Url {
            fragment: unescape(fragment.unwrap_or_default(), Part::Fragment)?,
            ..Url::default()
        };
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme_of(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") && !scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if !rest.starts_with(b"/") && cut(rest, b'/').0.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".into());
        }
        let mut path = rest;
        let has_authority =
            rest.starts_with(b"//") && (!scheme.is_empty() || !rest.starts_with(b"///"));
        if has_authority {
            let length = rest[2..]
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(rest.len() - 2);
            path = &rest[2 + length..];
            url.authority(&rest[2..2 + length])?;
        }
        url.path = unescape(path, Part::Path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        self.host = parse_host(
            &self.scheme,
            at.map_or(authority, |at| &authority[at + 1..]),
        )?;
        if let Some(at) = at {
            self.user = Some(parse_user(&authority[..at])?);
        }
        Ok(())
    }

    /// Answers the host without port and brackets.
    fn hostname(&self) -> &[u8] {
        let host = match self.host.iter().rposition(|byte| *byte == b':') {
            Some(colon) if is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host,
        };
        host.strip_prefix(b"[")
            .and_then(|inner| inner.strip_suffix(b"]"))
            .unwrap_or(host)
    }

    fn into_map(self) -> Value {
        let hostname = Value::text(self.hostname());
        [
            ("fragment", Value::from(self.fragment)),
            ("host", Value::from(self.host)),
            ("hostname", hostname),
            ("opaque", Value::from(self.opaque)),
            ("path", Value::from(self.path)),
            ("query", Value::from(self.query)),
            ("scheme", Value::from(self.scheme)),
            ("userinfo", Value::from(self.user.unwrap_or_default())),
        ]
        .into_iter()
        .collect()
    }

    fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if !self.scheme.is_empty() {
            text.extend_from_slice(&self.scheme);
            text.push(b':');
        }
        if self.opaque.is_empty() {
            self.push_place(&mut text);
        } else {
            text.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            text.push(b'?');
            text.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            text.push(b'#');
            text.extend(escape(&self.fragment, Part::Fragment));
        }
        text
    }

    fn push_place(&self, text: &mut Vec<u8>) {
        let has_place = !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some();
        if has_place && (!self.host.is_empty() || !self.path.is_empty() || self.user.is_some()) {
            text.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            text.extend_from_slice(user);
            text.push(b'@');
        }
        text.extend(escape(&self.host, Part::Host));
        let path = if self.path == b"*" {
            self.path.clone()
        } else {
            escape(&self.path, Part::Path)
        };
        if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
            text.push(b'/');
        }
        if text.is_empty() && cut(&path, b'/').0.contains(&b':') {
            text.extend_from_slice(b"./");
        }
        text.extend(path);
    }
}

/// Cuts a text at the first of a byte.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

fn scheme_of(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = text.iter().take_while(|byte| is_part(byte)).count();
    match (text.get(length), text.first()) {
        (Some(b':'), Some(b':')) => Err("missing protocol scheme".into()),
        (Some(b':'), Some(first)) if first.is_ascii_alphabetic() => {
            Ok((&text[..length], &text[length + 1..]))
        }
        _ => Ok((b"", text)),
    }
}

fn is_port(text: &[u8]) -> bool {
    text.is_empty() || text[0] == b':' && text[1..].iter().all(u8::is_ascii_digit)
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return parse_literal(host),
        Some(_) => return Err("invalid IP-literal".into()),
        None => {}
    }
    let first = host.iter().position(|byte| *byte == b':');
    let last = host.iter().rposition(|byte| *byte == b':');
    let colon = if matches!(scheme, b"http" | b"https") {
        first
    } else {
        last
    };
    if let Some(port) = colon
        .map(|colon| &host[colon..])
        .filter(|port| !is_port(port))
    {
        return Err(format!(
            "invalid port {:?} after host",
            runes::to_string(port)
        ));
    }
    unescape(host, Part::Host)
}

/// Reads a host like `[::1]:80`.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, String> {
    let close = host
        .iter()
        .rposition(|byte| *byte == b']')
        .ok_or("missing ']' in host")?;
    let (inside, port) = (&host[1..close], &host[close + 1..]);
    if !is_port(port) {
        return Err(format!(
            "invalid port {:?} after host",
            runes::to_string(port)
        ));
    }
    let zone = inside
        .windows(3)
        .position(|window| window == b"%25")
        .unwrap_or(inside.len());
    let address = unescape(&inside[..zone], Part::Host)?;
    let zone = unescape(&inside[zone..], Part::Zone)?;
    let is_address =
        std::str::from_utf8(&address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok());
    if !is_address || zone.len() == 1 {
        return Err("invalid host: not an IPv6 address".into());
    }
    Ok([b"[", &address[..], &zone[..], b"]", port].concat())
}

/// Reads user and password, and writes them the canonical way.
fn parse_user(text: &[u8]) -> Result<Vec<u8>, String> {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !text.iter().all(fits) {
        return Err("net/url: invalid userinfo".into());
    }
    let (name, password) = cut(text, b':');
    let mut user = escape(&unescape(name, Part::User)?, Part::User);
    if let Some(password) = password {
        user.push(b':');
        user.extend(escape(&unescape(password, Part::User)?, Part::User));
    }
    Ok(user)
}

fn join(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let map = map_of(values, 0);
    let userinfo = entry(&map, "userinfo")?;
    let mut url = Url {
        scheme: entry(&map, "scheme")?.to_vec(),
        host: entry(&map, "host")?.to_vec(),
        path: entry(&map, "path")?.to_vec(),
        query: entry(&map, "query")?.to_vec(),
        opaque: entry(&map, "opaque")?.to_vec(),
        fragment: entry(&map, "fragment")?.to_vec(),
        user: None,
    };
    context
        .budget
        .touch(8 * (url.host.len() + url.path.len() + url.fragment.len()))?;
    if !userinfo.is_empty() {
        let parsed = Url::parse(&[b"proto://", &userinfo[..], b"@host"].concat());
        url.user = parsed
            .map_err(|fault| format!("unable to parse userinfo in dict: {fault}"))?
            .user;
    }
    context.text(url.to_text())
}

fn entry(map: &Map, name: &str) -> Result<Text, String> {
    match map.get(name.as_bytes()) {
        None => Ok(Text::from(*b"")),
        Some(Value::Text(text)) => Ok(text),
        Some(other) => {
            let kind = other.kind_name();
            Err(format!(
                "unable to parse {name} key, must be of type string, but {kind} found"
            ))
        }
    }
}
