//! Repositories over ssh, from a real server: with the key of this user, to hosts that are known, submodules included.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::servers::Repository;
use crate::careens::Careen;

const SSHD: &str = "/usr/sbin/sshd";
const ALLOW: [&str; 2] = ["--allow", "private-address"];

/// An ssh server for this user alone; it ends with this value.
struct SshServer {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl SshServer {
    /// Starts one; `None`, said aloud, where the program is not installed.
    fn start() -> Option<SshServer> {
        if !Path::new(SSHD).is_file() {
            println!("skipped: {SSHD} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = port.local_addr().expect("an address").port();
        for name in ["host", "user"] {
            let key = folder.path().join(name);
            done(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &shown(&key)],
            );
        }
        // It refuses to start as root without this folder, which its package makes only when the machine starts.
        let _ = fs::create_dir_all("/run/sshd");
        let place = folder.path().display();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nAuthorizedKeysFile {place}/user.pub\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n"
        );
        let file = folder.path().join("sshd_config");
        fs::write(&file, settings).expect("settings");
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f", &shown(&file)])
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd starts");
        let server = SshServer {
            folder,
            port,
            process,
        };
        server.answers().then_some(server)
    }

    fn answers(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn repository(&self, name: &str, files: &[(&str, &str)]) -> Repository {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).expect("a folder");
        let repository = Repository { path };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository.commit(files);
        repository
    }

    fn url(&self, name: &str) -> String {
        let user = done("id", &["-un"]);
        let place = self.folder.path().join(name);
        format!(
            "ssh://{}@127.0.0.1:{}{}",
            user.trim(),
            self.port,
            place.display()
        )
    }

    /// Lets a careen's user in, and lets it know the host.
    fn introduce(&self, careen: &Careen) {
        let key = careen.path(".ssh/id_ed25519");
        fs::create_dir_all(key.parent().expect("a folder")).expect("a folder");
        fs::copy(self.folder.path().join("user"), &key).expect("the key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("its mode");
        self.be_known(careen, "host.pub");
    }

    fn be_known(&self, careen: &Careen, public_key: &str) {
        let key = fs::read_to_string(self.folder.path().join(public_key)).expect("a key");
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        fs::write(careen.path(".ssh/known_hosts"), line).expect("known hosts");
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shown(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}

fn done(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().expect(program);
    assert!(output.status.success(), "{program} {words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_repository_with_submodules_comes_over_ssh_and_lfs_pointers_are_told() {
    let (Some(mut careen), Some(server)) = (Careen::on_docker(), SshServer::start()) else {
        return;
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    server.repository("lib.git", &[("l", "from the library\n")]);
    let dockerfile = "FROM busybox\nCOPY . /all/\nCMD cat /all/libs/one/l /all/a\n";
    let files = [
        ("a", "from the app\n"),
        ("big", pointer),
        ("Dockerfile", dockerfile),
    ];
    let app = server.repository("app.git", &files);
    let lib = server.folder.path().join("lib.git");
    app.git(&["submodule", "add", "-q", &shown(&lib), "libs/one"]);
    let modules = "[submodule \"libs/one\"]\n\tpath = libs/one\n\turl = ../lib.git\n";
    let commit = app.commit(&[(".gitmodules", modules)]);
    server.introduce(&careen);
    let image = careen.image("over-ssh");
    let url = format!("{}#main", server.url("app.git"));
    let words = [&["build", "-t", &image, "--no-push", &url], &ALLOW[..]].concat();
    let built = careen.does(&words).exits(0);
    assert!(built.stderr.contains("LFS"), "{}", built.stderr);
    let run = careen.latest();
    assert!(run.to_string().contains(&commit), "{run:#}");
    careen.steps(&format!("  - id: show\n    cmd: {image}\n"));
    careen.run(&[]).exits(0);
    assert_eq!(careen.log("show"), "from the library\nfrom the app\n");
}

#[test]
fn a_host_that_is_not_known_and_a_key_that_is_not_let_in_are_told_apart() {
    let Some(server) = SshServer::start() else {
        return;
    };
    server.repository("app.git", &[("acb.yaml", "version: v1.1.0\nsteps: []\n")]);
    let careen = Careen::new();
    let url = server.url("app.git");
    let words = [&["run", &url], &ALLOW[..]].concat();
    server.introduce(&careen);
    // Another key than the host's own: somebody may be in between.
    server.be_known(&careen, "user.pub");
    careen.does(&words).exits(2).says(&["known_hosts"]);
    server.be_known(&careen, "host.pub");
    fs::remove_file(careen.path(".ssh/id_ed25519")).expect("it was there");
    let refused = careen.does(&words).exits(2);
    assert!(
        refused.stderr.contains("add the key to the agent"),
        "{}",
        refused.stderr
    );
}
