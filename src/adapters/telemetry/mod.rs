//! What careen says of itself: lines on standard error, and spans to an OpenTelemetry collector where one is named.

mod problems;

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

/// What is written to standard error, as `tracing-subscriber` reads it; errors alone unless set.
const LINES: &str = "CAREEN_LOG";
/// How it is written: `text`, or `json` for one object a line.
const FORMAT: &str = "CAREEN_LOG_FORMAT";
/// The address of a collector that speaks OTLP over http, such as `http://127.0.0.1:4318`.
const ENDPOINT: &str = "CAREEN_OTLP_ENDPOINT";
/// How long one export may take, and the last one when careen ends.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps spans on their way; when it is dropped, the last of them are sent.
#[must_use]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Begins to say what happens, as these variables want it. `Err` says which of them cannot be used.
pub fn begin(variable: impl Fn(&str) -> Option<String>) -> Result<Telemetry, String> {
    let set = |name| variable(name).filter(|it| !it.is_empty());
    let endpoint = set(ENDPOINT);
    let provider = endpoint.map(|it| provider(&it)).transpose()?;
    let lines = lines(set(LINES), set(FORMAT).as_deref())?;
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("careen"));
        layer.with_filter(ours())
    });
    tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .with(problems::Problems.with_filter(Targets::new().with_target("careen", Level::WARN)))
        .init();
    Ok(Telemetry { provider })
}

/// What is exported: the libraries below have much to say that belongs to nobody's run.
fn ours() -> Targets {
    Targets::new().with_target("careen", Level::INFO)
}

fn lines<S>(
    filter: Option<String>,
    format: Option<&str>,
) -> Result<Box<dyn Layer<S> + Send + Sync>, String>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let filter = EnvFilter::new(filter.unwrap_or_else(|| "error".to_owned()));
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        None | Some("text") => Ok(lines.with_filter(filter).boxed()),
        Some("json") => Ok(lines.json().flatten_event(true).with_filter(filter).boxed()),
        Some(other) => Err(format!("{FORMAT} is {other:?}; it can be text or json")),
    }
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, String> {
    let wrong = |why: String| format!("{ENDPOINT} cannot be used: {why}");
    let address = url::Url::parse(endpoint).map_err(|error| wrong(error.to_string()))?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err(wrong(format!("{endpoint:?} is no web address")));
    }
    let traces = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces)
        .with_timeout(TIMEOUT)
        .build();
    let exporter = exporter.map_err(|error| wrong(error.to_string()))?;
    let own = Resource::builder().with_service_name("careen").build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(own)
        .build())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider {
            // A collector that is away holds nobody up for long, and nobody can be told of it any more.
            let _ = provider.shutdown_with_timeout(TIMEOUT);
        }
    }
}
