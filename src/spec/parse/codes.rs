//! The codes of the findings about a task file, all in one place; they are stable between versions.

pub use crate::yaml::codes::*;

/// A key that the language does not have; an error when the caller is strict.
pub const UNKNOWN_KEY: &str = "unknown-key";
/// A key that a map has twice.
pub const DUPLICATE_KEY: &str = "duplicate-key";
/// A property that changes nothing where it stands.
pub const NO_EFFECT: &str = "no-effect";
/// A fraction where a whole number is wanted; it is cut off.
pub const CUT_NUMBER: &str = "cut-number";
/// A name that a list has twice.
pub const REPEATED: &str = "repeated";
/// A value of a type that the property does not take.
pub const WRONG_TYPE: &str = "wrong-type";
/// A value of the right type that is out of its range.
pub const BAD_VALUE: &str = "bad-value";
/// An entry of a list with nothing in it.
pub const EMPTY_ENTRY: &str = "empty-entry";
/// A version that the language does not have.
pub const VERSION: &str = "version";
/// A step that is none, or several at once.
pub const STEP_KIND: &str = "step-kind";
/// An id that cannot be used.
pub const STEP_ID: &str = "step-id";
/// A `when` that cannot be followed.
pub const WHEN: &str = "when";
/// An environment entry that cannot be read.
pub const ENVIRONMENT: &str = "env";
/// Quotes inside an environment entry, which a shell would remove.
pub const ENVIRONMENT_QUOTES: &str = "env-quotes";
/// A mount that cannot be made.
pub const MOUNT: &str = "mount";
/// A volume that cannot be filled.
pub const VOLUME: &str = "volume";
/// A secret that cannot be looked up.
pub const SECRET: &str = "secret";
/// A network that cannot be made.
pub const NETWORK: &str = "network";
/// A working directory outside of the workspace.
pub const WORKING_DIRECTORY: &str = "working-directory";
/// Something that only Windows has.
pub const PLATFORM: &str = "platform";
/// `detach` where nothing can be detached.
pub const DETACH: &str = "detach";
/// An image name that cannot be pushed.
pub const IMAGE: &str = "image";
/// Something of the language that careen does not do yet.
pub const NOT_SUPPORTED: &str = "not-supported";
