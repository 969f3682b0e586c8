//! Servers of this machine: git over http with git's own back end, and files with the odd ways of the web.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// The token that repositories below `private/` want to see.
pub const TOKEN: &str = "s3cret-token";

/// A git server with repositories in a folder of its own.
pub struct GitServer {
    root: TempDir,
    address: String,
    packs: Arc<AtomicUsize>,
    logins: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shared {
    root: PathBuf,
    packs: Arc<AtomicUsize>,
    logins: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    pub async fn start() -> GitServer {
        let root = TempDir::new().unwrap();
        let shared = Shared {
            root: root.path().to_owned(),
            packs: Arc::default(),
            logins: Arc::default(),
        };
        let (packs, logins) = (Arc::clone(&shared.packs), Arc::clone(&shared.logins));
        let router = Router::new().fallback(serve_git).with_state(shared);
        GitServer {
            address: serve(router).await,
            root,
            packs,
            logins,
        }
    }

    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// How many packs were sent.
    pub fn packs(&self) -> usize {
        self.packs.load(Ordering::SeqCst)
    }

    /// Every login that was shown.
    pub fn logins(&self) -> Vec<String> {
        self.logins.lock().unwrap().clone()
    }

    /// Makes a repository with one commit of these files on `main`.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> Repository {
        let path = self.root.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        let repository = Repository { path };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        repository.commit(files);
        repository
    }
}

/// A repository of the server; its work tree is what the tests write to.
pub struct Repository {
    pub path: PathBuf,
}

impl Repository {
    /// Commits files and says which commit that is.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            let path = self.path.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, words: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@t",
                "-c",
                "protocol.file.allow=always",
            ])
            .args(words)
            .current_dir(&self.path)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(
            output.status.success(),
            "git {words:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Hands a request to `git http-backend`, as a web server does.
async fn serve_git(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if let Some(login) = login(&parts.headers) {
        shared.logins.lock().unwrap().push(login);
    }
    if path.starts_with("/private/") && !login(&parts.headers).is_some_and(|it| it.ends_with(TOKEN))
    {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")];
        return (StatusCode::UNAUTHORIZED, ask).into_response();
    }
    if let Some(target) = path.strip_prefix("/away/") {
        let to = format!("http://localhost:1/{target}?service=git-upload-pack");
        return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
    }
    if path.ends_with("/git-upload-pack") {
        shared.packs.fetch_add(1, Ordering::SeqCst);
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let kind = header_text(&parts.headers, header::CONTENT_TYPE.as_str());
    let encoding = header_text(&parts.headers, header::CONTENT_ENCODING.as_str());
    let mut child = tokio::process::Command::new("git")
        .args(["-c", "safe.directory=*", "http-backend"])
        .env("GIT_PROJECT_ROOT", &shared.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", &path)
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", kind)
        .env("HTTP_CONTENT_ENCODING", encoding)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    tokio::spawn(async move { input.write_all(&body).await });
    answer(&child.wait_with_output().await.unwrap().stdout)
}

/// Turns what a CGI program says into an answer.
fn answer(said: &[u8]) -> Response {
    let end = said
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .unwrap_or(0);
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&said[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    let body = Bytes::copy_from_slice(said.get(end + 4..).unwrap_or_default());
    response.body(Body::from(body)).unwrap()
}

fn header_text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|it| it.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// The login that a request shows, as `user:password`.
fn login(headers: &HeaderMap) -> Option<String> {
    let value = header_text(headers, "authorization");
    let bytes = BASE64_STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    String::from_utf8(bytes).ok()
}

/// A web server with archives: what is asked of it is told by the first part of the path.
pub struct WebServer {
    address: String,
    pub asked: Arc<Mutex<Vec<String>>>,
    pub content: Arc<Mutex<Vec<u8>>>,
}

type Files = (Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<u8>>>);

impl WebServer {
    pub async fn start(content: Vec<u8>) -> WebServer {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let content = Arc::new(Mutex::new(content));
        let state: Files = (Arc::clone(&asked), Arc::clone(&content));
        let router = Router::new().fallback(serve_file).with_state(state);
        let address = serve(router).await;
        WebServer {
            address,
            asked,
            content,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

async fn serve_file(State((asked, content)): State<Files>, request: Request) -> Response {
    let count = {
        let mut asked = asked.lock().unwrap();
        let login = login(request.headers()).map(|it| format!(" {it}"));
        let mark = header_text(request.headers(), header::IF_NONE_MATCH.as_str());
        let unless = Some(format!(" unless {mark}")).filter(|_| !mark.is_empty());
        let beside = login.or(unless).unwrap_or_default();
        asked.push(format!("{}{beside}", request.uri()));
        asked.len()
    };
    let content = content.lock().unwrap().clone();
    let led = |to: String| (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
    let path = request.uri().path();
    match path.split('/').nth(1).unwrap_or_default() {
        "good" => content.into_response(),
        "marked" if request.headers().contains_key(header::IF_NONE_MATCH) => {
            StatusCode::NOT_MODIFIED.into_response()
        }
        "marked" => ([(header::ETAG, "\"mark\"")], content).into_response(),
        "flaky" if count < 3 => StatusCode::BAD_GATEWAY.into_response(),
        "flaky" => content.into_response(),
        "led" => led("/good/led".to_owned()),
        "loop" => led("/loop".to_owned()),
        "to-file" => led("file:///etc/passwd".to_owned()),
        "to-other" => led(format!("http://localhost:{}/good", port(&request))),
        "cut" => cut(content).into_response(),
        "denied" => StatusCode::FORBIDDEN.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn port(request: &Request) -> String {
    let host = header_text(request.headers(), "host");
    host.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Half of the content, and then a broken connection.
fn cut(content: Vec<u8>) -> Body {
    let half = Bytes::copy_from_slice(&content[..content.len() / 2]);
    let broken = std::io::Error::other("cut");
    Body::from_stream(futures_util::stream::iter([Ok(half), Err(broken)]))
}

/// Packs files into a tar.
pub fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, Path::new(name), text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap()
}
