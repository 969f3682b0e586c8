//! Registries of this machine for tests: open, with a password, or with TLS of a private authority.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use careen::{
    adapters::registry::{HttpRegistry, Terms},
    ports::{
        Blob, Manifest, Registry, RegistryError, RegistryLogin, Repository, Trust, Upload, sha256,
        whole,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// The one user of a registry with a password.
pub const USER: &str = "alice";
/// Their password, and what the registry knows of it.
pub const PASSWORD: &str = "wonderland";
const HTPASSWD: &str = "alice:$2y$04$OvVfi.gZCIGDpf3jFt4CQ.v5/EP0V1EJj4KSKRunuDV70pf3dlQ06\n";

/// What a registry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Open,
    Password,
    Tls,
}

/// A registry that ends with this value.
pub struct Server {
    /// Host and port.
    pub host: String,
    /// The authority that vouches for it, in PEM.
    pub authority: Option<String>,
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts one; `None` where the program is not installed, unless that is required.
    pub fn start(kind: Kind) -> Option<Server> {
        Server::start_at(kind, "127.0.0.1")
    }

    /// Starts one at another address of this machine.
    pub fn start_at(kind: Kind, address: &str) -> Option<Server> {
        Server::start_with((kind, address), "")
    }

    /// Starts one that tells of pushes at an address, with this `Authorization` header.
    pub fn start_telling(url: &str, authorization: &str) -> Option<Server> {
        let more = format!(
            "notifications:\n  endpoints:\n    - {{name: careen, url: \"{url}\", timeout: 1s, threshold: 5, \
             backoff: 1s, headers: {{Authorization: [\"{authorization}\"]}}}}\n"
        );
        Server::start_with((Kind::Open, "127.0.0.1"), &more)
    }

    fn start_with((kind, address): (Kind, &str), more: &str) -> Option<Server> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = (kind == Kind::Tls).then(|| certificate(folder.path(), address));
        let file = configure(folder.path(), kind, &format!("{address}:0"));
        let text = std::fs::read_to_string(&file).expect("a configuration") + more;
        std::fs::write(&file, text).expect("a configuration");
        let Some((process, host)) = serve(&file) else {
            let required = std::env::var("CAREEN_TEST_REGISTRY").is_ok_and(|it| it == "required");
            assert!(
                !required,
                "CAREEN_TEST_REGISTRY=required: no docker-registry"
            );
            println!("skipped: docker-registry is not installed");
            return None;
        };
        Some(Server {
            host,
            authority,
            process,
            folder,
        })
    }

    /// Takes it away from everybody, for a while.
    pub fn stop(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
    }

    /// Brings it back at its address, with all that it held.
    pub fn start_again(&mut self) {
        let file = configure(self.folder.path(), Kind::Open, &self.host);
        let (process, _) = serve(&file).expect("it was there before");
        self.process = process;
    }

    /// A client of it that loses no time.
    pub fn client(&self) -> HttpRegistry {
        let registry = HttpRegistry::new(Terms {
            first_wait: std::time::Duration::from_millis(5),
            ..Terms::default()
        });
        let trust = Trust {
            authority: self.authority.clone(),
            plain_http: false,
        };
        registry.trust(&self.host, &trust);
        registry
    }

    /// A repository of it, without a login.
    pub fn at(&self, path: &str) -> Repository {
        Repository {
            host: self.host.clone(),
            path: path.to_owned(),
            login: None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The same repository with a login.
pub fn logged_in(mut at: Repository, username: &str, password: &str) -> Repository {
    at.login = Some(RegistryLogin {
        server: at.host.clone(),
        username: username.to_owned(),
        password: password.into(),
    });
    at
}

fn serve(file: &Path) -> Option<(Child, String)> {
    let mut process = Command::new("docker-registry")
        .arg("serve")
        .arg(file)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(process.stderr.take()?).lines();
    let address = lines.find_map(|line| {
        let line = line.ok()?;
        let (_, rest) = line.split_once("listening on ")?;
        Some(rest.split(['"', ',', ' ']).next()?.to_owned())
    });
    // What it says later is read, or it would stop when the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    Some((
        process,
        address.expect("the registry says where it listens"),
    ))
}

fn configure(folder: &Path, kind: Kind, address: &str) -> PathBuf {
    let place = folder.display();
    let (mut http, mut auth) = (format!("{{addr: \"{address}\"}}"), String::new());
    match kind {
        Kind::Open => {}
        Kind::Password => {
            let file = folder.join("htpasswd");
            std::fs::write(&file, HTPASSWD).expect("a password file");
            auth = format!(
                "auth: {{htpasswd: {{realm: test, path: \"{}\"}}}}\n",
                file.display()
            );
        }
        Kind::Tls => {
            http = format!(
                "{{addr: \"{address}\", tls: {{certificate: \"{place}/own.pem\", key: \"{place}/own.key\"}}}}"
            );
        }
    }
    let text = format!(
        "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\nstorage:\n  \
         filesystem: {{rootdirectory: \"{place}/data\"}}\n  delete: {{enabled: true}}\n{auth}http: {http}\n"
    );
    let file = folder.join("config.yml");
    std::fs::write(&file, text).expect("a configuration");
    file
}

/// Makes a private authority and a certificate of it for this machine, and returns the authority's.
fn certificate(folder: &Path, address: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "careen test authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let authority = authority.expect("an authority");
    let names = ["localhost".to_owned(), address.to_owned()];
    let own = CertificateParams::new(names).expect("two names");
    let key = KeyPair::generate().expect("a key");
    let signed = own.signed_by(&key, &authority).expect("a certificate");
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).expect("a file");
    };
    write("own.pem", signed.pem());
    write("own.key", key.serialize_pem());
    authority.pem()
}

/// Writes bytes as a blob.
pub async fn write_blob(
    registry: &dyn Registry,
    at: &Repository,
    bytes: &[u8],
) -> Result<String, RegistryError> {
    let blob = Blob {
        digest: sha256(bytes),
        size_bytes: bytes.len() as u64,
    };
    let Upload::Open(upload) = registry.begin_blob(at, &blob.digest, None).await? else {
        panic!("nothing was to be mounted");
    };
    let sent = whole(bytes.to_vec());
    registry.write_blob(at, &upload, &blob, sent).await?;
    Ok(blob.digest)
}

/// Writes an image of some layers and its tag.
pub async fn write_image(
    registry: &dyn Registry,
    (at, tag): (&Repository, &str),
    layers: &[&[u8]],
) -> Result<Manifest, RegistryError> {
    let config = br#"{"architecture": "amd64", "os": "linux"}"#;
    let mut blobs = Vec::new();
    for bytes in std::iter::once(&&config[..]).chain(layers) {
        let digest = write_blob(registry, at, bytes).await?;
        blobs.push((digest, bytes.len()));
    }
    let entry = |kind: &str, (digest, size): &(String, usize)| serde_json::json!({"mediaType": kind, "digest": digest, "size": size});
    let layers: Vec<_> = blobs[1..]
        .iter()
        .map(|it| entry("application/vnd.oci.image.layer.v1.tar", it))
        .collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let text = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": entry("application/vnd.oci.image.config.v1+json", &blobs[0]),
        "layers": layers,
    });
    let manifest = Manifest::new(media_type, text.to_string());
    registry.put_manifest(at, tag, &manifest).await?;
    Ok(manifest)
}

/// Writes an index of images for two platforms.
pub async fn write_index(
    registry: &dyn Registry,
    (at, tag): (&Repository, &str),
) -> Result<(Manifest, [Manifest; 2]), RegistryError> {
    let amd = write_image(registry, (at, "one"), &[b"amd64 layer"]).await?;
    let arm = write_image(registry, (at, "two"), &[b"arm64 layer"]).await?;
    let entry = |manifest: &Manifest, architecture: &str| {
        serde_json::json!({
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": manifest.bytes.len(),
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let media_type = "application/vnd.oci.image.index.v1+json";
    let text = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [entry(&amd, "amd64"), entry(&arm, "arm64")],
    });
    let index = Manifest::new(media_type, text.to_string());
    registry.put_manifest(at, tag, &index).await?;
    Ok((index, [amd, arm]))
}
