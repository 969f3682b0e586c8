//! A way to Postgres that a test can cut or close, or at whose end nobody is let in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A way to Postgres that can be cut: then nothing goes through either way and nobody is told, as when packets are
/// dropped. Or it is closed: then connections break and new ones are refused, as when Postgres is off.
#[derive(Clone)]
pub struct Way {
    pub address: String,
    pub is_cut: Arc<AtomicBool>,
    pub is_closed: Arc<AtomicBool>,
    /// Connections break, and whoever comes again is refused as with a wrong password.
    pub is_refused: Arc<AtomicBool>,
}

impl Way {
    pub async fn to(address: &str) -> Way {
        let mut url = url::Url::parse(address).expect("an address");
        let server = format!(
            "{}:{}",
            url.host_str().expect("a host"),
            url.port().unwrap_or(5432)
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        let way = Way {
            address: url.into(),
            is_cut: Arc::default(),
            is_closed: Arc::default(),
            is_refused: Arc::default(),
        };
        let this = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (this, server) = (this.clone(), server.clone());
                tokio::spawn(async move {
                    match this.is_refused.load(SeqCst) {
                        true => refuse(client).await.ok(),
                        false => this.pass(client, &server).await.ok(),
                    }
                });
            }
        });
        way
    }

    fn is_barred(&self) -> bool {
        self.is_closed.load(SeqCst) || self.is_refused.load(SeqCst)
    }

    /// Passes bytes on until it is closed.
    async fn pass(&self, mut client: TcpStream, server: &str) -> std::io::Result<()> {
        if self.is_barred() {
            return Ok(());
        }
        let mut server = TcpStream::connect(server).await?;
        let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            if self.is_barred() {
                return Ok(());
            }
            if self.is_cut.load(SeqCst) {
                // A connection that was cut stays so: what was dropped is gone.
                tokio::time::sleep(Duration::from_millis(20)).await;
                while self.is_cut.load(SeqCst) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return Ok(());
            }
            let (count, is_up) = tokio::select! {
                count = client.read(&mut up) => (count?, true),
                count = server.read(&mut down) => (count?, false),
                _ = look.tick() => continue,
            };
            if count == 0 {
                return Ok(());
            }
            if self.is_cut.load(SeqCst) {
                continue;
            }
            match is_up {
                true => server.write_all(&up[..count]).await?,
                false => client.write_all(&down[..count]).await?,
            }
        }
    }
}

/// The code that says that SSL is wanted, which comes before all else.
const SSL: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// Answers as Postgres does when the password is wrong.
async fn refuse(mut client: TcpStream) -> std::io::Result<()> {
    loop {
        let length = client.read_u32().await?.saturating_sub(4);
        let mut message = vec![0; length as usize];
        client.read_exact(&mut message).await?;
        if !message.starts_with(&SSL) {
            break;
        }
        client.write_all(b"N").await?;
    }
    let said = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0";
    client.write_all(b"E").await?;
    client.write_u32(said.len() as u32 + 4).await?;
    client.write_all(said).await?;
    client.shutdown().await
}
