//! Mounts, as docker's `--mount` takes them.

use super::volumes::{add, clean, named, relative, tmpfs};
use crate::spec::words::options::Problem;
use crate::spec::{Command, VolumeSource};

/// Reads one `--mount`: `type=volume,source=name,target=/data,readonly`.
pub(super) fn mount(command: &mut Command, text: &str) -> Result<(), Problem> {
    let mut mount = Mount::default();
    for field in csv_fields(text) {
        mount.set(&field)?;
    }
    if mount.target.is_empty() {
        return Err(Problem::from("`target=` is missing".to_owned()));
    }
    match mount.kind.as_str() {
        "tmpfs" => tmpfs(
            command,
            &format!("{}:{}", mount.target, mount.tmpfs_options()),
        ),
        "bind" if !mount.source.starts_with('/') => Err(relative(&mount.source)),
        "bind" => {
            let source = VolumeSource::HostPath(clean(&mount.source));
            add(command, source, &mount.target, mount.read_only)
        }
        "" | "volume" => {
            let source = match mount.source.as_str() {
                "" => VolumeSource::Anonymous,
                name => named(name)?,
            };
            add(command, source, &mount.target, mount.read_only)
        }
        other => Err(format!("`type={other}` is none of volume, bind and tmpfs").into()),
    }
}

/// The fields of a `--mount`.
#[derive(Default)]
struct Mount {
    kind: String,
    source: String,
    target: String,
    read_only: bool,
    size: Option<String>,
    mode: Option<String>,
}

impl Mount {
    fn set(&mut self, field: &str) -> Result<(), Problem> {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field, None),
        };
        let text = || value.unwrap_or_default().to_owned();
        match key.to_ascii_lowercase().as_str() {
            "type" => self.kind = text().to_ascii_lowercase(),
            "source" | "src" => self.source = text(),
            "target" | "dst" | "destination" => self.target = text(),
            "readonly" | "ro" => self.read_only = !matches!(value, Some("false" | "0")),
            "consistency" => {}
            "tmpfs-size" => self.size = Some(text()),
            "tmpfs-mode" => self.mode = Some(text()),
            _ => return Err(format!("`{key}` is no supported field of a mount").into()),
        }
        Ok(())
    }

    fn tmpfs_options(&self) -> String {
        let size = self.size.as_ref().map(|size| format!("size={size}"));
        let mode = self.mode.as_ref().map(|mode| format!("mode={mode}"));
        let written = [size, mode].into_iter().flatten();
        written.collect::<Vec<_>>().join(",")
    }
}

/// Splits at commas; a field in double quotes may hold some.
pub(crate) fn csv_fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.iter_mut().last().into_iter().for_each(|f| f.push(c)),
        }
    }
    fields
}
