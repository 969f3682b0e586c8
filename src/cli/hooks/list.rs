//! `careen hooks list`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use super::super::{CliError, Context};
use crate::{
    app::AppError,
    ports::{Delivery, DeliveryFilter},
};

/// The options of `careen hooks list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show at most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// Lists deliveries.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let filter = DeliveryFilter {
        before: None,
        limit: args.limit.clamp(1, 500),
    };
    let deliveries = match context.client()? {
        Some(client) => client.deliveries(&filter).await?,
        None => {
            let app = context.app().await?;
            app.deliveries
                .deliveries(&filter)
                .await
                .map_err(AppError::from)?
        }
    };
    if context.globals.json {
        context.print_json(&serde_json::json!(deliveries));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["DELIVERY", "CAME", "SOURCE", "EVENT", "DECISION"]);
    for delivery in &deliveries {
        table.add_row(row(delivery));
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(ExitCode::SUCCESS)
}

fn row(delivery: &Delivery) -> [String; 5] {
    let decision = delivery.decision.as_ref();
    let plain = |text: &str| text.replace(char::is_control, " ");
    [
        delivery.number.to_string(),
        delivery.at.format("%F %T").to_string(),
        plain(&delivery.source),
        plain(&delivery.event),
        plain(decision.map_or("not decided yet", |it| &it.summary)),
    ]
}
