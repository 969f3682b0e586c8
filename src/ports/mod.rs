//! What careen needs from the outside, as traits in plain types.

mod access;
mod clock;
mod containers;
mod courier;
mod fetch;
mod folders;
mod frames;
mod images;
mod liveness;
mod objects;
mod store;
mod tasks;
mod vault;

pub use access::{AccessStore, Answer, AuditEntry, Known, Role, TokenRow};
pub use clock::Clock;
pub use containers::{
    ContainerSpec, ContainerState, Containers, EngineError, EngineInfo, Exit, Found, Labels,
    Limits, Mount, MountSource, NetworkMode, NetworkSpec, Output, OutputStream, PublishedPort,
    Resource, Since, State, Stream, TarStream, VolumeSpec,
};
pub use courier::{Courier, CourierError, Parcel};
pub use fetch::{Fetch, FetchError};
pub use folders::{BuildContext, FolderError, Folders, GitInfo, TarSource};
pub use frames::{Cursor, Frame, FrameIndex, FrameIndexStore, FrameStore, LogKey, LogSummary};
pub use images::{
    BuildError, BuildRequest, Built, ImageInfo, Images, Progress, PushedImage, RegistryLogin, Sink,
};
pub use liveness::{Held, Liveness};
pub use objects::{ObjectError, Objects};
pub use store::{
    AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, RunWord, StepRow,
    StoreError,
};
pub use tasks::{Expected, TaskChange, TaskError, TaskFilter, TaskRow, TaskStore, TaskVersion};
pub use vault::{Sealed, Vault, VaultError};
