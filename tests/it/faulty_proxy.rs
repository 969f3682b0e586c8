//! A proxy before a registry that cuts, delays and answers in its place, as a bad day would.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What one connection suffers.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It is closed at once.
    Refuse,
    /// It is closed after so many bytes, both ways counted.
    CutAfter(usize),
    /// Nothing goes through for this long.
    Delay(Duration),
    /// It is answered with this status, and asked to wait so many seconds.
    Answer(u16, u64),
}

/// A proxy that ends with its test.
pub struct Proxy {
    /// Host and port.
    pub host: String,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl Proxy {
    /// Stands before a host and lets each new connection suffer the next of these faults, then none.
    pub async fn before(host: &str, faults: &[Fault]) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let faults = Arc::new(Mutex::new(faults.iter().copied().collect::<VecDeque<_>>()));
        let (server, next) = (host.to_owned(), faults.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let fault = next.lock().expect("a lock").pop_front();
                let server = server.clone();
                // A connection that breaks is what this is for.
                tokio::spawn(async move { pass(client, &server, fault).await.ok() });
            }
        });
        Proxy {
            host: address,
            faults,
        }
    }

    /// Counts the faults that are still to come.
    pub fn left(&self) -> usize {
        self.faults.lock().expect("a lock").len()
    }
}

async fn pass(mut client: TcpStream, server: &str, fault: Option<Fault>) -> std::io::Result<()> {
    let mut left = usize::MAX;
    match fault {
        Some(Fault::Refuse) => return Ok(()),
        Some(Fault::Answer(status, wait)) => return answer(client, status, wait).await,
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::CutAfter(bytes)) => left = bytes,
        None => {}
    }
    let mut server = TcpStream::connect(server).await?;
    let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    while left > 0 {
        let count = tokio::select! {
            count = client.read(&mut up) => {
                let count = count?;
                server.write_all(&up[..count.min(left)]).await?;
                count
            }
            count = server.read(&mut down) => {
                let count = count?;
                client.write_all(&down[..count.min(left)]).await?;
                count
            }
        };
        if count == 0 {
            return Ok(());
        }
        left = left.saturating_sub(count);
    }
    Ok(())
}

async fn answer(mut client: TcpStream, status: u16, wait: u64) -> std::io::Result<()> {
    let mut head = vec![0; 16 << 10];
    let _ = client.read(&mut head).await?;
    let text = format!(
        "HTTP/1.1 {status} Made Up\r\nRetry-After: {wait}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}
