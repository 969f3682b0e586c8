//! Settings that bound what is kept, and how full the disk may get.

use serde::Deserialize;

use super::{CliError, Setting, Source};
use crate::app::Keep;

/// About how much the files of contexts may take on the disk, those in use aside.
const CACHE_BYTES: u64 = 5 << 30;
/// What stays free for runs under way, their logs above all.
const MIN_FREE_BYTES: u64 = 512 << 20;

/// The bounds, each resolved once; where a bound of what is kept is `None`, all of it is.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// For how many days runs and uploaded contexts are kept.
    pub days: Setting<Option<u64>>,
    /// How many ended runs are kept.
    pub runs: Setting<Option<u64>>,
    /// How many bytes logs may take.
    pub log_bytes: Setting<Option<u64>>,
    /// How many bytes uploaded contexts may take.
    pub context_bytes: Setting<Option<u64>>,
    /// For how many days the engine keeps what builds do not use.
    pub build_cache_days: Setting<Option<u64>>,
    /// How many records of its build cache the engine keeps.
    pub build_cache_records: Setting<Option<u64>>,
    /// How many bytes of build cache the engine keeps.
    pub build_cache_bytes: Setting<Option<u64>>,
    /// How many bytes opened contexts may take on this machine.
    pub cache_bytes: Setting<u64>,
    /// How many bytes must be free for a new run to begin.
    pub min_free_bytes: Setting<u64>,
}

/// The bounds in the settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BoundsFile {
    days: Option<u64>,
    runs: Option<u64>,
    log_bytes: Option<u64>,
    context_bytes: Option<u64>,
    build_cache_days: Option<u64>,
    build_cache_records: Option<u64>,
    build_cache_bytes: Option<u64>,
    cache_bytes: Option<u64>,
    min_free_bytes: Option<u64>,
}

impl Bounds {
    /// Resolves the bounds.
    pub(super) fn read(from: &Source, file: &BoundsFile) -> Result<Self, CliError> {
        Ok(Bounds {
            days: from.pick_number("CAREEN_KEEP_DAYS", file.days)?,
            runs: from.pick_number("CAREEN_KEEP_RUNS", file.runs)?,
            log_bytes: from.pick_number("CAREEN_KEEP_LOG_BYTES", file.log_bytes)?,
            context_bytes: from.pick_number("CAREEN_KEEP_CONTEXT_BYTES", file.context_bytes)?,
            build_cache_days: from
                .pick_number("CAREEN_KEEP_BUILD_CACHE_DAYS", file.build_cache_days)?,
            build_cache_records: from
                .pick_number("CAREEN_KEEP_BUILD_CACHE_RECORDS", file.build_cache_records)?,
            build_cache_bytes: from
                .pick_number("CAREEN_KEEP_BUILD_CACHE_BYTES", file.build_cache_bytes)?,
            cache_bytes: from.pick("CAREEN_KEEP_CACHE_BYTES", None, file.cache_bytes, || {
                CACHE_BYTES
            })?,
            min_free_bytes: from.pick(
                "CAREEN_MIN_FREE_BYTES",
                None,
                file.min_free_bytes,
                || MIN_FREE_BYTES,
            )?,
        })
    }

    /// What is to be kept.
    pub fn keep(&self) -> Keep {
        Keep {
            days: self.days.value,
            runs: self.runs.value,
            log_bytes: self.log_bytes.value,
            context_bytes: self.context_bytes.value,
            build_cache_days: self.build_cache_days.value,
            build_cache_records: self.build_cache_records.value,
            build_cache_bytes: self.build_cache_bytes.value,
        }
    }

    /// Lists names, values and origins, for people.
    pub(super) fn list(&self) -> Vec<(&'static str, String, String)> {
        let bounds = [
            ("keep.days", &self.days),
            ("keep.runs", &self.runs),
            ("keep.log_bytes", &self.log_bytes),
            ("keep.context_bytes", &self.context_bytes),
            ("keep.build_cache_days", &self.build_cache_days),
            ("keep.build_cache_records", &self.build_cache_records),
            ("keep.build_cache_bytes", &self.build_cache_bytes),
        ];
        let numbers = [
            ("keep.cache_bytes", &self.cache_bytes),
            ("keep.min_free_bytes", &self.min_free_bytes),
        ];
        let bounds = bounds.iter().map(|(name, it)| {
            let value = it.value.map_or("all".to_owned(), |it| it.to_string());
            (*name, value, it.origin.to_string())
        });
        let numbers = numbers
            .iter()
            .map(|(name, it)| (*name, it.value.to_string(), it.origin.to_string()));
        bounds.chain(numbers).collect()
    }
}
