//! `careen fleet rollouts`: rollouts that servers drive.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use super::{
    super::{CliError, Context},
    rollout_desk,
};
use crate::app::{RolloutChange, RolloutView};

/// What to do with rollouts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List rollouts, newest first
    List(ListArgs),
    /// Show how far a rollout is, and what is left
    Show(OneArgs),
    /// Begin nothing more until it is resumed
    Pause(OneArgs),
    /// Go on
    Resume(ResumeArgs),
    /// Begin nothing more; what is under way ends by itself
    Cancel(OneArgs),
}

/// The options of `careen fleet rollouts list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only those that are not over
    #[arg(long)]
    open: bool,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Which rollout.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// The rollout
    #[arg(value_name = "ROLLOUT")]
    id: String,
}

/// The options of `careen fleet rollouts resume`.
#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Try again what failed, also of a rollout that is done
    #[arg(long)]
    retry: bool,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    let desk = rollout_desk(context).await?;
    let view = match command {
        Command::List(args) => {
            let listed = desk.rollouts_of(args.open, args.limit).await?;
            list(context, &listed);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Show(one) => desk.rollout_of(&one.id).await?,
        Command::Pause(one) => desk.change_of(&one.id, RolloutChange::Pause).await?,
        Command::Resume(args) => {
            let change = RolloutChange::Resume { retry: args.retry };
            desk.change_of(&args.one.id, change).await?
        }
        Command::Cancel(one) => desk.change_of(&one.id, RolloutChange::Cancel).await?,
    };
    print(context, &view);
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, listed: &[RolloutView]) {
    if context.globals.json {
        return context.print_json(&json!(listed));
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["ROLLOUT", "STATE", "FRESH", "OF", "WHAT", "BY"]);
    for view in listed {
        let row = &view.rollout;
        table.add_row([
            row.id.clone(),
            state(view),
            view.progress.fresh.to_string(),
            row.tasks.len().to_string(),
            row.subject(),
            row.by.clone(),
        ]);
    }
    anstream::println!("{}", table.trim_fmt());
}

/// Prints how far a rollout is, and what is left.
pub(super) fn print(context: &Context, view: &RolloutView) {
    if context.globals.json {
        return context.print_json(&json!(view));
    }
    let (row, progress) = (&view.rollout, &view.progress);
    anstream::println!("rollout {}: {} ({})", row.id, state(view), row.subject());
    if let Some(reason) = &row.reason {
        anstream::println!("  {reason}");
    }
    anstream::println!(
        "  {} fresh, {} building, {} next, {} waiting, {} stuck, of {}",
        progress.fresh,
        progress.building,
        progress.ready,
        progress.held,
        progress.stuck,
        row.tasks.len()
    );
    for left in &view.left {
        anstream::println!("  {} is {}: {}", left.task, left.state, left.still);
    }
}

fn state(view: &RolloutView) -> String {
    match &view.rollout.schedule {
        Some(schedule) => format!("{} ({})", view.rollout.state.as_str(), schedule.cron),
        None => view.rollout.state.as_str().to_owned(),
    }
}
