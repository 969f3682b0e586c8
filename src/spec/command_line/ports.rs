//! Ports, as docker's `-p` and `--expose` take them.

use crate::spec::{PortMapping, Protocol};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Where a port listens when no address is written: this machine only.
const LOOPBACK: &str = "127.0.0.1";

/// Reads `[[address:]host-port:]port[/protocol]`, with ranges on both sides; one mapping for each port.
pub fn parse_port(text: &str) -> Result<Vec<PortMapping>, String> {
    if text.contains('=') {
        return long_form(text);
    }
    let (ports, protocol) = split_protocol(text)?;
    let (head, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, host) = head.rsplit_once(':').unwrap_or(("", head));
    let container = parse_range(container)?;
    let host = match host {
        "" => None,
        host => Some(parse_range(host)?),
    };
    if let Some(host) = &host
        && host.clone().count() != container.clone().count()
    {
        return Err(format!(
            "`{text}` has ranges of different lengths; write one host port for each port"
        ));
    }
    let host_address = parse_address(address)?;
    let protocol = protocol.unwrap_or(Protocol::Tcp);
    Ok(container
        .enumerate()
        .map(|(index, container_port)| PortMapping {
            host_address: host_address.clone(),
            host_port: host.clone().and_then(|mut range| range.nth(index)),
            container_port,
            protocol,
        })
        .collect())
}

/// Reads `port[/protocol]` or a range of them.
pub fn parse_expose(text: &str) -> Result<Vec<(u16, Option<Protocol>)>, String> {
    if text.contains(':') {
        return Err(format!(
            "`{text}` names a host port; an exposed port has none, a published one has"
        ));
    }
    let (ports, protocol) = split_protocol(text)?;
    Ok(parse_range(ports)?.map(|port| (port, protocol)).collect())
}

/// Reads `published=8080,target=80,protocol=tcp`.
fn long_form(text: &str) -> Result<Vec<PortMapping>, String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            _ => return Err(format!("`{field}` is no field of a published port")),
        }
    }
    parse_port(&format!("{published}:{target}/{protocol}"))
}

fn split_protocol(text: &str) -> Result<(&str, Option<Protocol>), String> {
    let Some((ports, protocol)) = text.split_once('/') else {
        return Ok((text, None));
    };
    match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Ok((ports, Some(Protocol::Tcp))),
        "udp" => Ok((ports, Some(Protocol::Udp))),
        "sctp" => Ok((ports, Some(Protocol::Sctp))),
        _ => Err(format!("`{protocol}` is none of tcp, udp and sctp")),
    }
}

fn parse_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (parse_number(first)?, parse_number(last)?);
    if first > last {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(first..=last)
}

fn parse_number(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(format!("`{text}` is no port; ports go from 1 to 65535")),
    }
}

/// Reads an address; IPv6 may stand in brackets. A name is refused: it could mean many addresses.
fn parse_address(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(LOOPBACK.to_owned());
    }
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    match inner.unwrap_or(text).parse::<IpAddr>() {
        Ok(address) if inner.is_none() || address.is_ipv6() => Ok(address.to_string()),
        _ => Err(format!("`{text}` is no IP address")),
    }
}
