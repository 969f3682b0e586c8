//! Where a build takes layers from and leaves them: `--cache-from`, `--cache-to`, and `cache: enabled`.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use bollard_buildkit_proto::moby::buildkit::v1::CacheOptionsEntry;
use oci_spec::image::Descriptor;
use serde_json::json;

use super::cache_index;
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
        let is_readable = |place: &&Place| matches!(place.kind.as_str(), "registry" | "local");
        if let Some(unreadable) = caches.imports.iter().find(|place| !is_readable(place)) {
            return Err(format!(
                "--cache-from type={} is not supported: name an image, type=registry,ref=IMAGE or type=local,src=DIR",
                unreadable.kind
            ));
        }
        Ok(caches)
    }

    /// Says whether a folder is read or written.
    pub(super) fn are_in_folders(&self) -> bool {
        !self.folders().is_empty()
    }

    /// The folders that are read or written.
    pub(super) fn folders(&self) -> Vec<String> {
        let places = self.imports.iter().chain(&self.exports);
        places
            .filter_map(Place::folder)
            .map(str::to_owned)
            .collect()
    }

    /// Finds in each folder that is read the cache that is meant, and leaves those out that are not there; says which.
    pub(super) fn settle(&mut self) -> Vec<String> {
        let mut notes = Vec::new();
        self.imports.retain_mut(|place| {
            let Some(folder) = place.folder().map(PathBuf::from) else {
                return true;
            };
            if place.attributes.contains_key("digest") {
                return true;
            }
            match cache_index::find(&folder, place.tag()) {
                Ok(digest) => {
                    place.attributes.insert("digest".to_owned(), digest);
                    true
                }
                Err(reason) => {
                    notes.push(format!("no cache at {}: {reason}", folder.display()));
                    false
                }
            }
        });
        notes
    }

    /// Names in each folder that was written what BuildKit left there.
    pub(super) fn name(&self, manifest: &Descriptor) -> Result<(), String> {
        for place in &self.exports {
            if let Some(folder) = place.folder() {
                cache_index::name(Path::new(folder), place.tag(), manifest)
                    .map_err(|error| format!("could not name the cache in {folder}: {error}"))?;
            }
        }
        Ok(())
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
    /// The folder of a cache that is one: where it is read, or else written.
    fn folder(&self) -> Option<&str> {
        let attribute = |name: &str| self.attributes.get(name).map(String::as_str);
        let folder = attribute("src").or_else(|| attribute("dest"));
        folder.filter(|_| self.kind == "local")
    }

    /// The name of the cache in its folder.
    fn tag(&self) -> &str {
        self.attributes.get("tag").map_or("latest", String::as_str)
    }

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
            "local" if place.folder().is_some() => Ok(place),
            "local" => Err(format!("`{text}` names no folder: add src=DIR or dest=DIR")),
            other => Err(format!(
                "a cache of type={other} is not supported: use type=registry,ref=IMAGE, type=local,dest=DIR or type=inline"
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
            ([].as_slice(), ["type=s3,bucket=x"].as_slice(), "type=s3"),
            (&[], &["type=local"], "dest=DIR"),
            (&[], &["type=registry"], "ref=IMAGE"),
            (&[], &["type=gha,oops"], "oops"),
            (&["type=inline"], &[], "type=inline"),
        ] {
            let refused = read(from, to).expect_err(word);
            assert!(refused.contains(word), "{refused}");
        }
    }
}
