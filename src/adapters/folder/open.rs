//! Opening a context folder and choosing what of it is sent.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{ContextError, Hidden, Selection};
use crate::dockerignore::Rules;

const IGNORE_FILE: &str = ".dockerignore";

/// What a run's workspace leaves out unless a `!` rule brings it back: what version control keeps beside the files,
/// and virtual environments of Python, whose links only work where they were made.
const NOT_FOR_RUNS: &str =
    "**/.git\n**/.gitignore\n**/.bzr\n**/.bzrignore\n**/.hg\n**/.hgignore\n**/.svn\n**/.venv\n";

/// A folder of this machine, open as a context.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    hidden: Hidden,
}

/// What a build gets.
#[derive(Debug, Clone)]
pub struct BuildSelection {
    /// What of the folder is sent as an archive.
    pub selection: Selection,
    /// What of the folder is sent file by file, the Dockerfile apart: all that is not ignored.
    pub files: Selection,
    /// The Dockerfile's name in the archive.
    pub dockerfile: String,
}

impl Folder {
    /// Opens a folder that exists and can be read; links on the way to it are followed here, once.
    pub fn open(path: &Path) -> Result<Folder, ContextError> {
        let root = fs::canonicalize(path).map_err(|reason| match reason.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                ContextError::Missing(path.to_owned())
            }
            _ => ContextError::reading(path, reason),
        })?;
        if !root.is_dir() {
            return Err(ContextError::NotAFolder(path.to_owned()));
        }
        fs::read_dir(&root).map_err(|reason| ContextError::reading(path, reason))?;
        let hidden = Hidden::default();
        Ok(Folder { root, hidden })
    }

    /// Leaves out these paths of this machine, whatever is chosen.
    pub fn without(self, hidden: &Hidden) -> Folder {
        let hidden = hidden.below(&self.root);
        Folder { hidden, ..self }
    }

    fn select(&self, rules: Rules, added: BTreeMap<String, Vec<u8>>) -> Selection {
        Selection::new((self.root.clone(), self.hidden.clone()), rules, added)
    }

    /// Names the folder, absolute and free of links.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Chooses what a build with this Dockerfile (a path of this machine) gets.
    ///
    /// The rules are those of `<Dockerfile>.dockerignore` beside it, else of the folder's `.dockerignore`. That file
    /// and the Dockerfile are sent even where they are ignored: the engine reads them, and drops them itself then. A
    /// Dockerfile from elsewhere is added under a name made from its content, so that caches still hit.
    pub fn build_context(&self, dockerfile: &Path) -> Result<BuildSelection, ContextError> {
        self.build_context_by(dockerfile, None)
    }

    /// Chooses the same, with another text in place of the Dockerfile's. The file itself stays what it is, for the
    /// build may copy it.
    pub fn build_context_by(
        &self,
        dockerfile: &Path,
        text: Option<&str>,
    ) -> Result<BuildSelection, ContextError> {
        let missing = || ContextError::NoDockerfile(dockerfile.to_owned());
        let resolved = fs::canonicalize(dockerfile).map_err(|_| missing())?;
        if !resolved.is_file() {
            return Err(missing());
        }
        let mut rules = self.build_rules(dockerfile)?;
        let files = self.select(rules.clone(), BTreeMap::new());
        rules.keep(IGNORE_FILE);
        let inside = resolved
            .strip_prefix(&self.root)
            .ok()
            .and_then(Path::to_str);
        let (dockerfile, added) = match (inside, text) {
            (Some(name), None) => {
                rules.keep(name);
                (name.to_owned(), BTreeMap::new())
            }
            (_, Some(text)) => self.add_dockerfile(text.as_bytes().to_vec())?,
            (None, None) => self.add_dockerfile(read(&resolved)?)?,
        };
        let selection = self.select(rules, added);
        Ok(BuildSelection {
            selection,
            files,
            dockerfile,
        })
    }

    /// Chooses what the workspace of a run gets: all but what `.dockerignore` ignores and version control keeps.
    pub fn run_context(&self) -> Result<Selection, ContextError> {
        let own = Rules::parse(NOT_FOR_RUNS).unwrap_or_default();
        let rules = own.followed_by(read_rules(&self.root.join(IGNORE_FILE))?.unwrap_or_default());
        Ok(self.select(rules, BTreeMap::new()))
    }

    /// Chooses all there is.
    pub(super) fn everything(&self) -> Selection {
        self.select(Rules::default(), BTreeMap::new())
    }

    fn build_rules(&self, dockerfile: &Path) -> Result<Rules, ContextError> {
        let mut beside = dockerfile.as_os_str().to_owned();
        beside.push(IGNORE_FILE);
        if let Some(rules) = read_rules(Path::new(&beside))? {
            return Ok(rules);
        }
        Ok(read_rules(&self.root.join(IGNORE_FILE))?.unwrap_or_default())
    }

    /// Makes the added files of a build whose Dockerfile is not in the folder as it is: it, and an ignore file that hides it from
    /// `COPY . .`.
    fn add_dockerfile(
        &self,
        content: Vec<u8>,
    ) -> Result<(String, BTreeMap<String, Vec<u8>>), ContextError> {
        let name = format!(
            ".careen-dockerfile-{}",
            &hex(&Sha256::digest(&content))[..16]
        );
        let ignore_file = self.root.join(IGNORE_FILE);
        let mut ignored = match ignore_file.is_file() {
            true => read(&ignore_file)?,
            // An ignore file that is only there for our sake hides itself too.
            false => IGNORE_FILE.as_bytes().to_vec(),
        };
        ignored.extend_from_slice(format!("\n{name}\n").as_bytes());
        let added = BTreeMap::from([(name.clone(), content), (IGNORE_FILE.to_owned(), ignored)]);
        Ok((name, added))
    }
}

/// Reads an ignore file, if there is one.
fn read_rules(path: &Path) -> Result<Option<Rules>, ContextError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = read(path)?;
    Rules::parse(&String::from_utf8_lossy(&text))
        .map(Some)
        .map_err(|reason| ContextError::IgnoreFile {
            path: path.to_owned(),
            reason,
        })
}

fn read(path: &Path) -> Result<Vec<u8>, ContextError> {
    fs::read(path).map_err(|reason| ContextError::reading(path, reason))
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
