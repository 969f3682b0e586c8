//! `careen hooks rejected`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::super::{CliError, Context};
use crate::app::AppError;

/// The options of `careen hooks rejected`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show at most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// Lists deliveries that were refused.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let refused = match context.client()? {
        Some(client) => client.rejections().await?,
        None => {
            let app = context.app().await?;
            app.deliveries
                .rejections(args.limit)
                .await
                .map_err(AppError::from)?
        }
    };
    if context.globals.json {
        context.print_json(&serde_json::json!(refused));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["CAME", "FROM", "BYTES", "WHY"]);
    for it in refused.iter().take(args.limit as usize) {
        let at = it.at.format("%F %T").to_string();
        table.add_row([at, it.from.clone(), it.bytes.to_string(), it.reason.clone()]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}
