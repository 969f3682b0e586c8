//! What templates see as `.Run`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The facts about a run that its templates may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunVars {
    /// `ID`: the id of the run.
    pub id: String,
    /// `Registry`: the login server; empty when none is set. `RegistryName` follows from it.
    pub registry: String,
    /// `Date`: when the run started.
    pub date: DateTime<Utc>,
    /// `SharedVolume`: the name of the volume behind `/workspace`.
    pub shared_volume: String,
    /// `OS`, such as `linux`.
    pub os: String,
    /// `OSVersion`.
    pub os_version: String,
    /// `Architecture`, such as `amd64`.
    pub architecture: String,
    /// `Commit`: the commit of the context.
    pub commit: String,
    /// `Branch`: its branch.
    pub branch: String,
    /// `TaskName`: the stored task; empty for a run without one.
    pub task_name: String,
    /// `Repository`: where the context came from.
    pub repository: String,
    /// `GitTag`: the tag that started the run.
    pub git_tag: String,
    /// `TriggeredBy`: what started it.
    pub triggered_by: String,
    /// The folder of the context that steps begin in; no template sees it.
    #[serde(default)]
    pub directory: String,
}

impl RunVars {
    /// The registry's name: its login server up to the first dot.
    pub fn registry_name(&self) -> &str {
        self.registry.split('.').next().unwrap_or_default()
    }

    /// Makes the map behind `.Run`.
    pub fn to_value(&self) -> Value {
        json!({
            "Architecture": self.architecture,
            "Branch": self.branch,
            "Commit": self.commit,
            "Date": self.date.format("%Y%m%d-%H%M%Sz").to_string(),
            "GitTag": self.git_tag,
            "ID": self.id,
            "OS": self.os,
            "OSVersion": self.os_version,
            "Registry": self.registry,
            "RegistryName": self.registry_name(),
            "Repository": self.repository,
            "SharedVolume": self.shared_volume,
            "TaskName": self.task_name,
            "TriggeredBy": self.triggered_by,
        })
    }
}
