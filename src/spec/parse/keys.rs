//! The properties of the language: which there are, and where they do something.

/// One property of an object.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub name: &'static str,
    /// The kinds of step that honour it, as letters: `b`uild, `c`md, `p`ush; empty when nothing does.
    pub honoured_by: &'static str,
}

/// One kind of object of a task file.
#[derive(Debug)]
pub(super) struct Object {
    /// What to call one of them, with an article.
    pub name: &'static str,
    /// Its properties.
    pub keys: &'static [Key],
}

impl Object {
    /// Finds a property by its exact name.
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, honoured_by: &'static str) -> Key {
    Key { name, honoured_by }
}

/// The outermost map.
pub(super) const TASK: Object = Object {
    name: "a task file",
    keys: &[
        key("version", "bcp"),
        key("stepTimeout", "bcp"),
        key("workingDirectory", "bcp"),
        key("env", "bcp"),
        key("secrets", "bcp"),
        key("networks", "bcp"),
        key("volumes", "bcp"),
        key("alias", "bcp"),
        key("steps", "bcp"),
    ],
};

/// An entry of `steps`.
pub(super) const STEP: Object = Object {
    name: "a step",
    keys: &[
        key("id", "bcp"),
        key("cmd", "c"),
        key("build", "b"),
        key("push", "p"),
        key("when", "bcp"),
        key("timeout", "bcp"),
        key("startDelay", "bcp"),
        key("retries", "bc"),
        key("retryDelay", "bc"),
        key("retryOnErrors", "bc"),
        key("repeat", "bc"),
        key("ignoreErrors", "bcp"),
        key("detach", "bc"),
        key("keep", "c"),
        key("pull", "c"),
        key("cmdDownloadRetries", "c"),
        key("cmdDownloadRetryDelay", "c"),
        key("workingDirectory", "bc"),
        key("disableWorkingDirectoryOverride", "bc"),
        key("entryPoint", "c"),
        key("env", "bc"),
        key("expose", "c"),
        key("ports", "c"),
        key("user", "c"),
        key("privileged", "c"),
        key("network", "c"),
        key("isolation", "c"),
        key("cpus", "c"),
        // A mount on a push is an error of its own.
        key("volumeMounts", "bcp"),
        key("cache", "b"),
        key("exitedWith", ""),
        key("exitedWithout", ""),
        key("secret", ""),
    ],
};

/// An entry of `secrets`.
pub(super) const SECRET: Object = Object {
    name: "a secret",
    keys: &[key("id", ""), key("keyvault", ""), key("clientID", "")],
};

/// An entry of `networks`.
pub(super) const NETWORK: Object = Object {
    name: "a network",
    keys: &[
        key("name", ""),
        key("driver", ""),
        key("ipv6", ""),
        key("skipCreation", ""),
        key("isDefault", ""),
    ],
};

/// An entry of `volumes`.
pub(super) const VOLUME: Object = Object {
    name: "a volume",
    keys: &[key("name", ""), key("secret", "")],
};

/// An entry of `volumeMounts`.
pub(super) const MOUNT: Object = Object {
    name: "a mount",
    keys: &[key("name", ""), key("mountPath", "")],
};
