//! Where a build takes layers from and leaves them: `--cache-from`, `--cache-to`, and `cache: enabled`.

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::moby::buildkit::v1::CacheOptionsEntry;
use serde_json::json;

use crate::ports::BuildRequest;

/// The caches of one build.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Caches {
    imports: Vec<Place>,
    exports: Vec<Place>,
}

/// A cache: its type and what else is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    kind: String,
    attributes: BTreeMap<String, String>,
}

impl Caches {
    /// Reads what is asked for; `Err` names what is not to be had.
    pub(super) fn read(request: &BuildRequest) -> Result<Caches, String> {
        let places = |list: &[String]| -> Result<Vec<Place>, String> {
            list.iter().map(|text| Place::read(text)).collect()
        };
        let mut caches = Caches {
            imports: places(&request.cache_from)?,
            exports: places(&request.cache_to)?,
        };
        if request.inline_cache {
            caches.exports.push(Place::new("inline", &[]));
        }
        if let Some(unreadable) = caches.imports.iter().find(|place| place.kind != "registry") {
            return Err(format!(
                "--cache-from type={} is not supported: name an image or type=registry,ref=IMAGE",
                unreadable.kind
            ));
        }
        Ok(caches)
    }

    /// Takes layers from an image that may be missing.
    pub(super) fn take_from(&mut self, reference: &str) {
        self.imports
            .push(Place::new("registry", &[("ref", reference)]));
    }

    /// Leaves all layers in an image of their own; where that fails, the build is fine all the same.
    pub(super) fn keep_at(&mut self, reference: &str) {
        let attributes = [
            ("ref", reference),
            ("mode", "max"),
            ("ignore-error", "true"),
        ];
        self.exports.push(Place::new("registry", &attributes));
    }

    /// Leaves notes in the image itself, by which others take its layers once it is pushed.
    pub(super) fn keep_inline(&mut self) {
        self.exports.push(Place::new("inline", &[]));
    }

    /// Says whether a cache is left anywhere but in the image.
    pub(super) fn needs_exporter(&self) -> bool {
        self.exports.iter().any(|place| place.kind != "inline")
    }

    /// The imports in the words of the Dockerfile's reader; `None` when there are none.
    pub(super) fn imports(&self) -> Option<String> {
        let entry = |place: &Place| json!({ "Type": place.kind, "Attrs": place.attributes });
        let entries: Vec<_> = self.imports.iter().map(entry).collect();
        (!entries.is_empty()).then(|| json!(entries).to_string())
    }

    /// The exports in BuildKit's words.
    pub(super) fn exports(&self) -> Vec<CacheOptionsEntry> {
        let entry = |place: &Place| CacheOptionsEntry {
            r#type: place.kind.clone(),
            attrs: HashMap::from_iter(place.attributes.clone()),
        };
        self.exports.iter().map(entry).collect()
    }
}

impl Place {
    fn new(kind: &str, attributes: &[(&str, &str)]) -> Place {
        let pairs = attributes.iter();
        Place {
            kind: kind.to_owned(),
            attributes: pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// Reads `type=registry,ref=…`, or an image's name alone.
    fn read(text: &str) -> Result<Place, String> {
        if !text.contains('=') {
            return Ok(Place::new("registry", &[("ref", text)]));
        }
        let mut place = Place::new("registry", &[]);
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("type", kind)) => place.kind = kind.to_owned(),
                Some((name, value)) => {
                    place.attributes.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    return Err(format!(
                        "a cache is written as name=value,…; `{part}` is not"
                    ));
                }
            }
        }
        match place.kind.as_str() {
            "inline" => Ok(place),
            "registry" if place.attributes.contains_key("ref") => Ok(place),
            "registry" => Err(format!("`{text}` names no image: add ref=IMAGE")),
            other => Err(format!(
                "a cache of type={other} is not supported: use type=registry,ref=IMAGE or type=inline"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt, stream};

    use super::*;

    fn read(from: &[&str], to: &[&str]) -> Result<Caches, String> {
        let context = Arc::new(|| stream::empty().boxed());
        let mut request = BuildRequest::new(context, "Dockerfile");
        request.cache_from = from.iter().map(|text| (*text).to_owned()).collect();
        request.cache_to = to.iter().map(|text| (*text).to_owned()).collect();
        Caches::read(&request)
    }

    #[test]
    fn caches_are_read_as_they_are_written() {
        let caches = read(&["h/a:1", "type=registry,ref=h/b"], &["type=inline"]).expect("fine");
        let imports = r#"[{"Type":"registry","Attrs":{"ref":"h/a:1"}},{"Type":"registry","Attrs":{"ref":"h/b"}}]"#;
        assert_eq!(caches.imports().as_deref(), Some(imports));
        assert!(!caches.needs_exporter());
        let caches = read(&[], &["type=registry,ref=h/c:x,mode=max"]).expect("fine");
        assert!(caches.needs_exporter());
        assert_eq!(caches.exports()[0].attrs["mode"], "max");
        assert_eq!(caches.imports(), None);
    }

    #[test]
    fn what_cannot_be_had_is_refused_by_name() {
        for (from, to, word) in [
            (
                [].as_slice(),
                ["type=local,dest=x"].as_slice(),
                "type=local",
            ),
            (&[], &["type=registry"], "ref=IMAGE"),
            (&[], &["type=gha,oops"], "oops"),
            (&["type=inline"], &[], "type=inline"),
        ] {
            let refused = read(from, to).expect_err(word);
            assert!(refused.contains(word), "{refused}");
        }
    }
}
