//! What a store's errors mean: where, what is wrong in words that stay the same, and what to try.

use std::{error::Error as _, io};

use object_store::{Error, ObjectStoreScheme, client::HttpError};
use url::Url;

use crate::ports::ObjectError;

/// Where machines of clouds find credentials of their own.
const METADATA: [&str; 2] = ["169.254.169.254", "169.254.170.2"];
/// What object_store puts before the status of an answer.
const STATUS: &str = "status code: ";

/// Where a store is, and which settings are its own.
#[derive(Clone)]
pub(super) struct Address {
    text: String,
    shown: String,
}

/// An error, link after link.
type Cause<'a> = &'a (dyn std::error::Error + 'static);

impl Address {
    /// Takes an address as it was set.
    pub fn of(text: String) -> Address {
        let shown = match Url::parse(&text) {
            Ok(mut url) if text.contains("://") => {
                url.set_query(None);
                let _ = url.set_password(None);
                url.into()
            }
            _ => text.clone(),
        };
        Address { text, shown }
    }

    /// The address as it was set.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says what an error of the store means.
    pub fn trouble(&self, error: &Error) -> ObjectError {
        let (whole, said) = (error.to_string(), said(error));
        if METADATA.iter().any(|it| whole.contains(it)) {
            return self.error("it was given no credentials", self.credentials());
        }
        // By what was answered: an error of a list is of no kind of its own.
        match status(error).as_deref() {
            Some("404") => {
                let problem = format!("there is no such {} ({said})", self.bucket());
                let hint = format!("Make the {}, or mend CAREEN_OBJECTS", self.bucket());
                self.error(problem, hint)
            }
            Some("401" | "403") => self.error(format!("it refuses ({said})"), self.credentials()),
            _ if is_passing(error) => {
                let place = place(&whole).map_or(String::new(), |it| format!(" at {it}"));
                self.passing(format!("it cannot be reached{place} ({said})"))
            }
            _ => self.error(said, self.settings()),
        }
    }

    /// Says that no answer came.
    pub fn silent(&self) -> ObjectError {
        self.passing("it does not answer".to_owned())
    }

    /// Says that what is to be kept cannot be read.
    pub fn unreadable(&self, error: &io::Error) -> ObjectError {
        self.error(format!("what it is to keep cannot be read: {error}"), "")
    }

    fn error(&self, problem: impl Into<String>, hint: impl Into<String>) -> ObjectError {
        ObjectError {
            address: self.shown.clone(),
            problem: problem.into(),
            hint: hint.into(),
            is_passing: false,
        }
    }

    fn passing(&self, problem: String) -> ObjectError {
        let hint = match self.kind() {
            Kind::Azure => "Start it, or mend AZURE_STORAGE_ENDPOINT",
            Kind::S3 => "Start it, or mend AWS_ENDPOINT and AWS_REGION",
            Kind::Folder => "",
        };
        ObjectError {
            is_passing: true,
            ..self.error(problem, hint)
        }
    }

    fn kind(&self) -> Kind {
        let url = Url::parse(&self.text).ok();
        match url.and_then(|url| ObjectStoreScheme::parse(&url).ok()) {
            Some((ObjectStoreScheme::AmazonS3, _)) => Kind::S3,
            Some((ObjectStoreScheme::MicrosoftAzure, _)) => Kind::Azure,
            _ => Kind::Folder,
        }
    }

    fn bucket(&self) -> &'static str {
        match self.kind() {
            Kind::Azure => "container",
            Kind::S3 => "bucket",
            Kind::Folder => "folder",
        }
    }

    fn credentials(&self) -> &'static str {
        match self.kind() {
            Kind::S3 => {
                "Mend AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or what their _FILE name), \
                 and let that key list, read, write and delete in the bucket"
            }
            Kind::Azure => {
                "Mend AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN (or what \
                 their _FILE name), and let them list, read, write and delete in the container"
            }
            Kind::Folder => "Give this user the right to write there, or mend CAREEN_OBJECTS",
        }
    }

    fn settings(&self) -> &'static str {
        match self.kind() {
            Kind::S3 => "Mend CAREEN_OBJECTS or the AWS_ settings",
            Kind::Azure => "Mend CAREEN_OBJECTS or the AZURE_ settings",
            Kind::Folder => "Mend CAREEN_OBJECTS",
        }
    }
}

enum Kind {
    Folder,
    S3,
    Azure,
}

/// Says whether it is the bucket that is missing, and not an object in it.
pub(super) fn is_of_bucket(error: Cause<'_>) -> bool {
    let text = error.to_string();
    ["NoSuchBucket", "ContainerNotFound"]
        .iter()
        .any(|it| text.contains(it))
}

/// Says whether the same may go well later: the connection failed, or the store has too much to do.
fn is_passing(error: &Error) -> bool {
    let status = status(error);
    status.is_some_and(|it| it.starts_with('5') || it == "429") || is_of_connection(error)
}

fn is_of_connection(error: &Error) -> bool {
    links(error).any(|it| it.is::<HttpError>())
}

/// The status that was answered, if anything was.
fn status(error: &Error) -> Option<String> {
    let text = root(error).to_string();
    let (_, rest) = text.split_once(STATUS)?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// What was said in the end: by the store, by the connection, or by who reads the settings.
fn said(error: &Error) -> String {
    let is_answer = status(error).is_some() || is_of_connection(error);
    let link = if is_answer {
        Some(root(error))
    } else {
        error.source()
    };
    answer(&link.unwrap_or(error).to_string())
}

fn links(error: &Error) -> impl Iterator<Item = Cause<'_>> {
    std::iter::successors(error.source(), |it: &Cause<'_>| (*it).source())
}

/// What lies behind all that was said about it.
fn root(error: &Error) -> Cause<'_> {
    links(error).last().unwrap_or(error)
}

/// Makes one line of an answer: its status, and code and message of its XML.
fn answer(text: &str) -> String {
    let Some((_, rest)) = text.split_once(STATUS) else {
        return text.trim().to_owned();
    };
    let (status, body) = rest.split_once(": ").unwrap_or((rest, ""));
    let parts = [Some(status), tag(body, "Code"), tag(body, "Message")];
    let parts = parts.into_iter().flatten();
    let parts: Vec<&str> = parts.map(|it| it.trim().trim_end_matches('.')).collect();
    parts.join(", ")
}

/// The first line of an element.
fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once("</")?;
    text.lines().next()
}

/// The host that was asked.
fn place(text: &str) -> Option<String> {
    let url = text.split_whitespace().find(|it| it.starts_with("http"))?;
    Some(Url::parse(url).ok()?.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_without_what_differs_each_time() {
        let cases = [
            (
                "Server returned non-2xx status code: 404 Not Found: <?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket\
                 </Code><Message>The bucket does not exist.\nRequestId:1</Message></Error>",
                "404 Not Found, NoSuchBucket, The bucket does not exist",
            ),
            (
                "Server returned non-2xx status code: 403 Forbidden: ",
                "403 Forbidden",
            ),
            (
                "Connection refused (os error 111)",
                "Connection refused (os error 111)",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(answer(text), wanted);
        }
    }

    #[test]
    fn where_there_are_no_credentials_the_machine_is_asked_in_vain() {
        let error = Error::Generic {
            store: "S3",
            source: "Error performing PUT http://169.254.169.254/latest/api/token in 1s".into(),
        };
        let trouble = Address::of("s3://bucket".to_owned()).trouble(&error);
        assert_eq!(trouble.problem, "it was given no credentials");
        assert!(trouble.hint.contains("AWS_ACCESS_KEY_ID"));
    }

    #[test]
    fn an_address_is_shown_without_secrets() {
        let shown = |text: &str| Address::of(text.to_owned()).silent().address;
        assert_eq!(shown("az://box@account/a?sig=x"), "az://box@account/a");
        assert_eq!(shown("s3://me:hush@bucket/a"), "s3://me@bucket/a");
        assert_eq!(shown("/var/objects"), "/var/objects");
    }
}
