//! What careen needs from the outside, as traits in plain types.

mod access;
mod addresses;
mod bases;
mod cause;
mod clock;
mod connections;
mod containers;
mod contexts;
mod courier;
mod deliveries;
mod duties;
mod fetch;
mod fleet;
mod folders;
mod frames;
mod images;
mod keyring;
mod liveness;
mod manifest;
mod objects;
mod packed_layer;
mod queue;
mod registry;
mod registry_error;
mod scopes;
mod services;
mod store;
mod stored_secrets;
mod tasks;
mod timers;
mod upkeep;
mod vault;
mod workers;

pub use access::{AccessStore, Answer, AuditEntry, Known, Role, TokenRow};
pub use addresses::is_public;
pub use bases::{BaseDecision, BaseRow, Bases, Looked, NewBase, NewDecision, Observation, Watch};
pub use cause::{Starter, Trigger, TriggerKind};
pub use clock::Clock;
pub use connections::{Connection, ConnectionStore, PasswordSource};
pub use containers::{
    ContainerSpec, ContainerState, Containers, EngineError, EngineInfo, Exit, Found, Labels,
    Limits, Mount, MountSource, NetworkMode, NetworkSpec, Output, OutputStream, PublishedPort,
    Resource, Since, State, Stream, TarStream, VolumeSpec,
};
pub use contexts::{Access, BuildFiles, Contexts, OpenError, OpenFault, Opened, Pin};
pub use courier::{Courier, CourierError, Parcel};
pub use deliveries::{
    Decision, Deliveries, Delivery, DeliveryFilter, HookSource, NewDelivery, Rejection, Report,
    Ruled, Ruling, Starting, TaskDecision, Verdict,
};
pub use duties::Duties;
pub use fetch::{Download, DownloadError, Downloads, Fetch, FetchError};
pub use fleet::{
    FleetEntry, FleetStore, NumberedEntry, RolloutRow, RolloutSchedule, TaskEntry, TaskMakes,
};
pub use folders::{
    BuildContext, ContextEntry, ContextFiles, EntryKind, FolderError, Folders, GitInfo, TarSource,
};
pub use frames::{Cursor, Frame, FrameIndex, FrameIndexStore, FrameStore, LogKey, LogSummary};
pub use images::{
    BuildCacheBounds, BuildError, BuildPart, BuildRequest, BuildSecret, Built, ImageInfo, Images,
    Progress, PushedImage, RegistryLogin, Sink,
};
pub use keyring::{Credential, Keyring, LoginHelpers};
pub use liveness::{Held, Liveness};
pub use manifest::{Contents, Manifest, hex_digest, sha256};
pub use objects::{KeptObject, ObjectError, Objects};
pub use packed_layer::{Growth, PackedLayer};
pub use queue::{
    CancelRequest, Cancellation, Claim, Claimed, DEFAULT_POOL, Enqueued, Group, GroupPolicy,
    LimitRow, LimitScope, NEAR, OnWorkerLoss, Place, Placement, Queue, QueueDepth, StatusCount,
    TakenOver,
};
pub use registry::{
    Blob, BlobStream, Head, Registry, Repository, Right, Trust, Upload, name_of, whole, written,
};
pub use registry_error::RegistryError;
pub use scopes::{CredentialScope, CredentialScopes};
pub use services::Services;
pub use store::{
    AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, RunWord, StepRow,
    StoreError,
};
pub use stored_secrets::{SecretStore, StoredSecret};
pub use tasks::{Expected, TaskChange, TaskError, TaskFilter, TaskRow, TaskStore, TaskVersion};
pub use timers::{Firing, NewTimer, Occurrence, TimedRun, Timer, Timers};
pub use upkeep::{Disk, EndedRun, EndedTotals, Upkeep};
pub use vault::{Sealed, Vault, VaultError};
pub use workers::{
    Capacity, Heard, Needs, SILENCE_SECONDS, WorkerFacts, WorkerRow, WorkerState, Workers,
    platform_name,
};
