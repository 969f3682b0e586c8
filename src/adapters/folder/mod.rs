//! Folders of this machine: walked by ignore rules, packed into tar streams, with what git says of them.
//!
//! `Folder` opens a context and makes a `Selection` of it: for a build, or for the workspace of a run. A selection is
//! walked, hashed or packed. `unpack` is the way back, for archives that nobody vouches for. `LocalFolders` puts all
//! of it behind the port. `Elsewhere` opens contexts of other machines as folders of a `Cache`.

mod cache;
mod elsewhere;
mod error;
mod extract;
mod files;
mod git;
mod hash;
mod hidden;
mod hostile;
mod local;
mod open;
mod pack;
mod selection;
mod source;
mod stream;
mod walk;

pub use cache::{Cache, Draft, Kept};
pub use elsewhere::{Bounds, Elsewhere};
pub use error::{ContextError, UnpackError};
pub use extract::{Caps, Unpacked, unpack};
pub use git::{Checkout, describe};
pub use hidden::Hidden;
pub use local::LocalFolders;
pub use open::{BuildSelection, Folder};
pub use pack::pack_files;
pub use selection::{Notes, Selection};
pub use walk::{Entry, Walk};
