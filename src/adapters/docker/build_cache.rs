//! The engine's build cache, let go of by age, count and bytes.

use std::{collections::HashMap, future::poll_fn, pin::Pin, time::Duration};

use bollard::query_parameters::PruneBuildOptionsBuilder;
use chrono::{DateTime, Utc};
use hyper::{
    Request,
    body::{Body, Incoming},
};
use serde::Deserialize;

use super::{DockerEngine, dial};
use crate::ports::{BuildCacheBounds, EngineError};

/// The longest list of records that is read: a million of them.
const LIST_BYTES: usize = 512 << 20;

/// A part of the cache, as the engine lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    #[serde(default)]
    in_use: bool,
    #[serde(default)]
    size: u64,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

/// The answer to what takes room. Engines before API 1.52 list the records at its top.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    build_cache: Option<Vec<Record>>,
    build_cache_usage: Option<Items>,
}

impl Usage {
    fn records(self) -> Vec<Record> {
        let nested = self.build_cache_usage.and_then(|it| it.items);
        self.build_cache.or(nested).unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Items {
    items: Option<Vec<Record>>,
}

/// Lets go of what is beyond the bounds, and says how many bytes that freed. The engine knows only ages in all its
/// versions, so the other bounds are put as the age at which they are kept.
pub(super) async fn prune(
    engine: &DockerEngine,
    bounds: &BuildCacheBounds,
) -> Result<u64, EngineError> {
    let counts = bounds.records.is_some() || bounds.bytes.is_some();
    let records = match counts {
        true => list(engine).await?,
        false => Vec::new(),
    };
    let Some(age) = age(bounds, records, Utc::now()) else {
        return Ok(0);
    };
    let age = format!("{}s", age.as_secs());
    let options = PruneBuildOptionsBuilder::new().all(true);
    let options = options.filters(&HashMap::from([("until", vec![age])]));
    let docker = engine.patient().await?;
    let freed = docker.prune_build(Some(options.build())).await;
    let freed = freed.map_err(|error| engine.error(error))?.space_reclaimed;
    Ok(freed.and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
}

/// For how long what is to stay was not used, at most; `None` when all of it stays.
fn age(
    bounds: &BuildCacheBounds,
    mut records: Vec<Record>,
    now: DateTime<Utc>,
) -> Option<Duration> {
    let used = |it: &Record| it.last_used_at.unwrap_or(it.created_at);
    // Those in use stay whatever is asked, and leave the less room to the others.
    records.sort_by_key(|it| (!it.in_use, std::cmp::Reverse(used(it))));
    let (mut count, mut bytes) = (0, 0);
    let beyond = records.iter().find(|it| {
        count += 1;
        bytes += it.size;
        let is_beyond = bounds.records.is_some_and(|kept| count > kept)
            || bounds.bytes.is_some_and(|kept| bytes > kept);
        is_beyond && !it.in_use
    });
    let beyond = beyond.map(|it| (now - used(it)).to_std().unwrap_or_default());
    let ages = [bounds.unused_for, beyond];
    ages.into_iter().flatten().min()
}

/// Lists the records; the client's own types leave out what the engines of today say.
async fn list(engine: &DockerEngine) -> Result<Vec<Record>, EngineError> {
    let broken = |error: hyper::Error| EngineError::Broken(error.to_string());
    let (stream, version) = engine.raw().await?;
    let path = format!("/v{version}/system/df?type=build-cache&verbose=1");
    let odd = |error: &dyn std::fmt::Display| EngineError::Other(error.to_string());
    let request = Request::get(path).body(String::new());
    let request = request.map_err(|error| odd(&error))?;
    let answer = dial::ask(stream, request).await.map_err(broken)?;
    if !answer.status().is_success() {
        let status = format!("it does not list its build cache: {}", answer.status());
        return Err(EngineError::Other(status));
    }
    let body = whole(answer.into_body()).await?;
    let usage: Usage = serde_json::from_slice(&body).map_err(|error| odd(&error))?;
    Ok(usage.records())
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, EngineError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|error| EngineError::Broken(error.to_string()))?;
        if let Ok(piece) = frame.into_data() {
            bytes.extend_from_slice(&piece);
        }
        if bytes.len() > LIST_BYTES {
            let why = format!("its list of the build cache is larger than {LIST_BYTES} bytes");
            return Err(EngineError::Other(why));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn record(unused_for: i64, size: u64, in_use: bool) -> Record {
        Record {
            in_use,
            size,
            created_at: DateTime::UNIX_EPOCH,
            last_used_at: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(1000 - unused_for)),
        }
    }

    #[test]
    fn what_was_used_longest_ago_goes_until_every_bound_is_kept() {
        let seconds = |days: Option<u64>, records, bytes| {
            let bounds = BuildCacheBounds {
                unused_for: days.map(Duration::from_secs),
                records,
                bytes,
            };
            let all = vec![
                record(500, 10, false),
                record(20, 30, false),
                record(300, 20, false),
                record(900, 5, true),
            ];
            let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(1000);
            age(&bounds, all, now).map(|it| it.as_secs())
        };
        assert_eq!(seconds(None, None, None), None);
        assert_eq!(seconds(Some(400), None, None), Some(400));
        assert_eq!(seconds(None, Some(4), Some(65)), None, "all of it fits");
        assert_eq!(seconds(None, Some(3), None), Some(500));
        assert_eq!(seconds(None, Some(2), None), Some(300));
        assert_eq!(seconds(None, None, Some(60)), Some(500));
        assert_eq!(seconds(None, None, Some(1)), Some(20));
        assert_eq!(
            seconds(Some(400), Some(2), Some(60)),
            Some(300),
            "the strictest"
        );
    }

    #[test]
    fn engines_of_today_and_of_before_list_their_records() {
        let record = r#"{"ID":"a","InUse":false,"Size":7,"CreatedAt":"2026-11-21T16:37:06.39Z"}"#;
        for text in [
            format!(r#"{{"Images":[],"BuildCache":[{record}]}}"#),
            format!(r#"{{"BuildCacheUsage":{{"Items":[{record}]}}}}"#),
        ] {
            let usage: Usage = serde_json::from_str(&text).unwrap();
            let records = usage.records();
            assert_eq!((records.len(), records[0].size), (1, 7));
        }
    }
}
