//! `careen runs logs`.

use std::{io::Write, process::ExitCode};

use serde_json::json;

use super::{
    super::{CliError, Context, live::tame},
    RunArg,
};
use crate::{
    app::LogQuery,
    client::{Client, Message},
    logs::{Ending, Line},
    ports::{LogKey, Stream},
    server::LineView,
};

/// The options of `careen runs logs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArg,
    /// Only the log of this step
    #[arg(short, long, value_name = "ID")]
    step: Option<String>,
    /// Only this attempt
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Only this generation: one that begins anew after its worker was lost is the next
    #[arg(long, value_name = "N")]
    generation: Option<u32>,
    /// Go on until the run has ended
    #[arg(short, long)]
    follow: bool,
    /// Begin at this line of each log, from 1
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "tail")]
    from: u64,
    /// Only the last lines of each log
    #[arg(long, value_name = "N")]
    tail: Option<u64>,
    /// At most so many lines
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print the time of each line
    #[arg(short, long)]
    timestamps: bool,
    /// Print the bytes as they were written, without step ids
    #[arg(long)]
    raw: bool,
}

/// Prints a log; with --json, an object a line.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let query = LogQuery {
        step: args.step.clone(),
        attempt: args.attempt,
        generation: args.generation,
        from: args.from.saturating_sub(1),
        tail: args.tail,
        limit: args.limit,
        follow: args.follow,
    };
    if let Some(client) = context.client()? {
        return remote(context, &client, &args, &query).await;
    }
    let app = context.app().await?;
    let id = args.run.find(&app).await?;
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let is_json = context.globals.json;
    let mut shown = 1;
    app.read_logs(&id, &query, |step, key, line| {
        let written = if is_json {
            writeln!(out, "{}", to_json(step, key, line))
        } else {
            let mark = mark(&args, &mut shown, key.generation);
            write!(out, "{mark}").and_then(|()| print(&mut out, &args, step, line))
        };
        // A reader that went away wants no more.
        written
            .and_then(|()| if args.follow { out.flush() } else { Ok(()) })
            .is_ok()
    })
    .await?;
    let _ = out.flush();
    Ok(ExitCode::SUCCESS)
}

/// Prints a log of a server; it is followed through its stream.
async fn remote(
    context: &Context,
    client: &Client,
    args: &Args,
    query: &LogQuery,
) -> Result<ExitCode, CliError> {
    let run = args.run.word.as_str();
    let mut shown = 1;
    if !args.follow {
        let page = client.logs(run, query).await?;
        let lines = page.lines.iter();
        lines.for_each(|line| print_view(context, args, &mut shown, line));
        if !page.complete && query.limit.is_none() && !context.globals.quiet {
            anstream::eprintln!("there are more lines; --from and --limit read on");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut messages = client.follow(run);
    loop {
        match messages.next().await? {
            Message::End => return Ok(ExitCode::SUCCESS),
            Message::Lines(lines) => {
                let is_wanted = |line: &&LineView| {
                    query.step.as_ref().is_none_or(|step| *step == line.step)
                        && query.attempt.is_none_or(|it| it == line.attempt)
                        && query.generation.is_none_or(|it| it == line.generation)
                        && line.line > query.from
                };
                let wanted = lines.iter().filter(is_wanted);
                wanted.for_each(|line| print_view(context, args, &mut shown, line));
            }
            Message::Events(_) | Message::Run(..) => {}
        }
    }
}

/// What stands before the first line of a generation that is not the first: the run began anew there. Nothing where the
/// bytes are wanted as they were written.
fn mark(args: &Args, shown: &mut u32, generation: u32) -> String {
    if std::mem::replace(shown, generation) == generation || args.raw {
        return String::new();
    }
    format!("--- generation {generation}: the worker was lost, and the run began anew ---\n")
}

fn print_view(context: &Context, args: &Args, shown: &mut u32, line: &LineView) {
    if context.globals.json {
        return anstream::println!("{}", json!(line));
    }
    anstream::print!("{}", mark(args, shown, line.generation));
    let at = if args.timestamps {
        format!("{} ", line.at)
    } else {
        String::new()
    };
    let step = match args.step {
        Some(_) => String::new(),
        None => format!("{} | ", line.step.replace(char::is_control, "?")),
    };
    if args.raw {
        anstream::println!("{}", line.text);
    } else {
        anstream::println!("{at}{step}{}", tame(line.text.as_bytes()));
    }
}

fn print(out: &mut impl Write, args: &Args, step: &str, line: &Line) -> std::io::Result<()> {
    if args.raw {
        out.write_all(&line.text)?;
        return out.write_all(match line.ending {
            Ending::Newline => b"\n",
            Ending::Stream | Ending::Continued => b"",
        });
    }
    if args.timestamps {
        write!(out, "{} ", time(line.at_nanos))?;
    }
    if args.step.is_none() {
        write!(out, "{} | ", step.replace(char::is_control, "?"))?;
    }
    writeln!(out, "{}", tame(&line.text))
}

fn to_json(step: &str, key: &LogKey, line: &Line) -> serde_json::Value {
    json!({
        "step": step,
        "generation": key.generation,
        "attempt": key.attempt,
        "line": line.number + 1,
        "at": time(line.at_nanos),
        "stream": match line.stream { Stream::Stdout => "stdout", Stream::Stderr => "stderr" },
        "text": String::from_utf8_lossy(&line.text),
    })
}

fn time(nanos: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(nanos)
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
