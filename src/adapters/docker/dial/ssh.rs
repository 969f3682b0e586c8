//! Connections through the `ssh` program: `docker system dial-stdio` on the engine's machine.
//!
//! Some of them share one connection to the machine, so that they cost no new handshake. A server allows only so many
//! (`MaxSessions`), and does not like many handshakes at once (`MaxStartups`): so more are made one after the other.

use std::{io, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
};

use super::{ssh_stream::SshStream, words::no_ssh_program};

/// Fewer than the ten that a server allows by default.
const STREAMS_PER_CONNECTION: usize = 8;

/// How often it is looked whether a connection is there to be shared.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How the program is called, and the connections that it keeps.
#[derive(Debug)]
pub(super) struct Program {
    destination: String,
    arguments: Vec<String>,
    /// Holds the sockets at which streams meet.
    folder: TempDir,
    shared: Mutex<Vec<Shared>>,
}

/// A connection that several streams share.
#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    room: Arc<Semaphore>,
}

impl Program {
    /// Prepares calls for `user@host:port`.
    pub(super) fn new(destination: &str) -> io::Result<Program> {
        let (host, port) = split_port(destination);
        let port = port.map(|port| ["-p".to_string(), port.to_string()]);
        let mut arguments: Vec<String> = port.into_iter().flatten().collect();
        // After `--` nothing is an option, whatever it looks like.
        let command = ["--", host, "docker", "system", "dial-stdio"];
        arguments.extend(command.map(str::to_string));
        Ok(Program {
            destination: destination.to_string(),
            arguments,
            folder: TempDir::with_prefix("careen-ssh-")?,
            shared: Mutex::new(Vec::new()),
        })
    }

    /// Opens a stream; whether somebody answers is seen when something is read.
    pub(super) async fn connect(&self) -> io::Result<SshStream> {
        let mut shared = self.shared.lock().await;
        shared.retain(|it| it.socket.exists());
        for it in shared.iter() {
            if let Ok(place) = it.room.clone().try_acquire_owned() {
                let child = self.spawn(&it.socket, "no")?;
                return SshStream::of(child, self.destination.clone(), place);
            }
        }
        let (own, place) = self.new_connection()?;
        let mut child = self.spawn(&own.socket, "yes")?;
        // The lock is held meanwhile: others can then share this one.
        while !own.socket.exists() && child.try_wait()?.is_none() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        shared.push(own);
        SshStream::of(child, self.destination.clone(), place)
    }

    fn new_connection(&self) -> io::Result<(Shared, OwnedSemaphorePermit)> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let room = Arc::new(Semaphore::new(STREAMS_PER_CONNECTION));
        let place = room.clone().try_acquire_owned().map_err(io::Error::other)?;
        // Short, because a socket's path must be.
        let socket = self.folder.path().join(&name[..8]);
        Ok((Shared { socket, room }, place))
    }

    fn spawn(&self, socket: &PathBuf, master: &str) -> io::Result<Child> {
        let mut command = Command::new("ssh");
        command.arg("-T").arg("-S").arg(socket);
        command.args(["-o", &format!("ControlMaster={master}")]);
        // There is nobody to ask, and a master in the background would outlive us.
        for option in ["BatchMode=yes", "ConnectTimeout=30", "ControlPersist=no"] {
            command.args(["-o", option]);
        }
        // The terminal's Ctrl-C is for us: the connection is still needed to stop what runs.
        command.args(&self.arguments).process_group(0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_ssh_program(&self.destination),
            _ => error,
        })
    }
}

/// `host` and `port` of `user@host:port`, where the host may be an address in brackets.
fn split_port(destination: &str) -> (&str, Option<&str>) {
    let before = destination.rfind(']').map_or(0, |end| end + 1);
    match destination[before..].rfind(':') {
        Some(colon) => {
            let (host, port) = destination.split_at(before + colon);
            (host, Some(&port[1..]))
        }
        None => (destination, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_from_the_host() {
        for (destination, expected) in [
            ("host", ("host", None)),
            ("me@host:22", ("me@host", Some("22"))),
            ("me@[::1]:22", ("me@[::1]", Some("22"))),
            ("[::1]", ("[::1]", None)),
        ] {
            assert_eq!(split_port(destination), expected, "{destination}");
        }
    }

    #[test]
    fn a_host_that_looks_like_an_option_is_none() {
        let program = Program::new("-oProxyCommand=touch x").expect("a folder");
        let marks = program.arguments.iter().position(|word| word == "--");
        assert_eq!(marks, Some(0), "{:?}", program.arguments);
    }
}
