//! `careen prune`: lets go of what is beyond the bounds of what is kept.

use std::process::ExitCode;

use super::{CliError, Context};
use crate::app::{Gone, Keep, Pruned};

/// The options of `careen prune`; each goes before the setting of its name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep runs and uploaded contexts for so many days
    #[arg(long, value_name = "N")]
    keep_days: Option<u64>,
    /// Keep so many ended runs, the newest
    #[arg(long, value_name = "N")]
    keep_runs: Option<u64>,
    /// Keep logs of so many bytes, the newest
    #[arg(long, value_name = "BYTES")]
    keep_log_bytes: Option<u64>,
    /// Keep uploaded contexts of so many bytes, the newest
    #[arg(long, value_name = "BYTES")]
    keep_context_bytes: Option<u64>,
    /// Let the engine keep what builds do not use for so many days; all builds of the engine are meant, not careen's alone
    #[arg(long, value_name = "N")]
    keep_build_cache_days: Option<u64>,
    /// Let the engine keep so many records of its build cache, those used last
    #[arg(long, value_name = "N")]
    keep_build_cache_records: Option<u64>,
    /// Let the engine keep so many bytes of build cache, those used last
    #[arg(long, value_name = "BYTES")]
    keep_build_cache_bytes: Option<u64>,
}

/// Prunes and says what went, and why.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let set = context.settings.bounds.keep();
    let keep = Keep {
        days: args.keep_days.or(set.days),
        runs: args.keep_runs.or(set.runs),
        log_bytes: args.keep_log_bytes.or(set.log_bytes),
        context_bytes: args.keep_context_bytes.or(set.context_bytes),
        build_cache_days: args.keep_build_cache_days.or(set.build_cache_days),
        build_cache_records: args.keep_build_cache_records.or(set.build_cache_records),
        build_cache_bytes: args.keep_build_cache_bytes.or(set.build_cache_bytes),
    };
    if keep.is_all() {
        return Err(CliError::usage(
            "nothing says what may go",
            "Give a bound, as in --keep-days 90, or set one under [keep] in the settings file",
        ));
    }
    let pruned = context.app().await?.prune(&keep).await?;
    if context.globals.json {
        context.print_json(&serde_json::json!(pruned));
    } else if !context.globals.quiet {
        say(&pruned);
    }
    Ok(ExitCode::SUCCESS)
}

fn say(pruned: &Pruned) {
    let line = |what: &str, gone: &Gone| {
        anstream::println!(
            "{what} {}: {} ({} bytes)",
            gone.name,
            gone.reason,
            gone.bytes
        );
    };
    pruned.runs.iter().for_each(|gone| line("run", gone));
    pruned
        .contexts
        .iter()
        .for_each(|gone| line("context", gone));
    anstream::println!(
        "removed {} runs with their logs, {} contexts, {} deliveries and decisions and {} bytes of build cache",
        pruned.runs.len(),
        pruned.contexts.len(),
        pruned.facts,
        pruned.build_cache_bytes
    );
}
