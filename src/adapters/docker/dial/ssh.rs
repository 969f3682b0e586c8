//! Connections through the `ssh` program: `docker system dial-stdio` on the engine's machine.
//!
//! The first connection carries all others, so that they cost no new handshake; where its server allows no more of
//! them on one connection, `ssh` opens another by itself.

use std::{
    future::Future,
    io,
    pin::Pin,
    process::Stdio,
    task::{Context, Poll, ready},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::words::{no_ssh_program, ssh_error};

/// Nobody reads more of what `ssh` has to say.
const LONGEST_COMPLAINT_BYTES: u64 = 16 * 1024;

/// How the program is called.
#[derive(Debug)]
pub(super) struct Program {
    destination: String,
    arguments: Vec<String>,
    /// Holds the socket at which connections meet.
    folder: TempDir,
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
        })
    }

    /// Starts a connection; whether somebody answers is seen when something is read.
    pub(super) fn connect(&self) -> io::Result<SshStream> {
        let socket = self.folder.path().join("all");
        let mut command = Command::new("ssh");
        command.arg("-T");
        // There is nobody to ask, and a master in the background would outlive us.
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=30",
            "ControlMaster=auto",
            "ControlPersist=no",
        ] {
            command.args(["-o", option]);
        }
        command.arg("-S").arg(socket).args(&self.arguments);
        // The terminal's Ctrl-C is for us: the connection is still needed to stop what runs.
        command.process_group(0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_ssh_program(&self.destination),
            _ => error,
        })?;
        SshStream::of(child, self.destination.clone())
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

/// A running `ssh`: its input, its output, and why it ended in case that nothing came.
pub(super) struct SshStream {
    input: ChildStdin,
    output: ChildStdout,
    failing: Option<Pin<Box<dyn Future<Output = io::Error> + Send>>>,
    is_answered: bool,
}

impl SshStream {
    fn of(mut child: Child, destination: String) -> io::Result<SshStream> {
        let missing = || io::Error::other("ssh has no input or output");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let complaint = child.stderr.take().ok_or_else(missing)?;
        // Its end is awaited so that no dead process is left, and no later than its last words.
        let ended = tokio::spawn(last_words(child, complaint));
        let failing = async move { ssh_error(&ended.await.unwrap_or_default(), &destination) };
        Ok(SshStream {
            input,
            output,
            failing: Some(Box::pin(failing)),
            is_answered: false,
        })
    }
}

async fn last_words(mut child: Child, complaint: ChildStderr) -> String {
    let mut words = Vec::new();
    let mut complaint = complaint.take(LONGEST_COMPLAINT_BYTES);
    // Whatever was read so far is as much as there is to say.
    let _ = complaint.read_to_end(&mut words).await;
    drop(complaint);
    let _ = child.wait().await;
    String::from_utf8_lossy(&words).into_owned()
}

impl AsyncRead for SshStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(context, buffer))?;
        if self.is_answered || buffer.filled().len() > before {
            self.is_answered = true;
            return Poll::Ready(Ok(()));
        }
        let Some(failing) = self.failing.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        let error = ready!(failing.as_mut().poll(context));
        self.failing = None;
        Poll::Ready(Err(error))
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
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
