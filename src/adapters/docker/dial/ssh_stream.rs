//! What goes through a running `ssh`.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    sync::OwnedSemaphorePermit,
};

use super::words::ssh_error;

/// Nobody reads more of what `ssh` has to say.
const LONGEST_COMPLAINT_BYTES: u64 = 16 * 1024;

/// A running `ssh`: its input, its output, and why it ended in case that nothing came.
pub(super) struct SshStream {
    input: ChildStdin,
    output: ChildStdout,
    failing: Option<Pin<Box<dyn Future<Output = io::Error> + Send>>>,
    is_answered: bool,
    is_asked: bool,
    /// Who waits for an answer before anything was asked.
    early_reader: Option<Waker>,
    /// Its place on a shared connection, given back at its end.
    _place: OwnedSemaphorePermit,
}

impl SshStream {
    /// Takes the pipes of a child.
    pub(super) fn of(
        mut child: Child,
        destination: String,
        place: OwnedSemaphorePermit,
    ) -> io::Result<SshStream> {
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
            is_asked: false,
            early_reader: None,
            _place: place,
        })
    }

    /// Where nobody has answered yet, the last words of `ssh` say more than the end of its output or input.
    fn poll_outcome(
        &mut self,
        outcome: io::Result<()>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(failing) = self.failing.as_mut().filter(|_| !self.is_answered) else {
            return Poll::Ready(outcome);
        };
        let error = ready!(failing.as_mut().poll(context));
        self.failing = None;
        Poll::Ready(Err(error))
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
        // An HTTP client forgets why a connection ended on which it has asked nothing yet; so it hears of it later.
        if !self.is_asked {
            self.early_reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.output).poll_read(context, buffer));
        self.is_answered |= buffer.filled().len() > before;
        self.poll_outcome(read, context)
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.is_asked = true;
        self.early_reader.take().into_iter().for_each(Waker::wake);
        match ready!(Pin::new(&mut self.input).poll_write(context, bytes)) {
            Ok(count) => Poll::Ready(Ok(count)),
            Err(error) => self.poll_outcome(Err(error), context).map_ok(|()| 0),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}
