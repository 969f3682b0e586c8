//! `careen hooks source`.

use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::super::{CliError, Context, request::secret_of};
use crate::{
    app::{NewSource, SecretText},
    server::PutSource,
    triggers::Provider,
};

/// The options of `careen hooks source`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The source's name
    name: String,
    /// The kind of code host: github, gitlab, gitea, bitbucket, azure-devops or generic
    #[arg(long, value_name = "KIND")]
    provider: Provider,
    /// The one task that it may start; all that watch its repositories unless said
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Where the secret is: env:NAME or file:PATH; one is drawn and printed unless said
    #[arg(long, value_name = "FROM")]
    secret_from: Option<String>,
    /// Where a token for the code host's interface is, to report how runs go: env:NAME or file:PATH
    #[arg(long, value_name = "FROM")]
    token_from: Option<String>,
    /// Where that interface is, if that is not told by the repository's address
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

/// Sets who may deliver, and prints the secret if it was drawn.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, CliError> {
    let read = |what: &str, from: &Option<String>| {
        let found = from.as_deref().map(|from| secret_of(what, from));
        found.transpose()
    };
    let (secret, token) = (
        read("secret", &args.secret_from)?,
        read("token", &args.token_from)?,
    );
    let door = args.task.as_ref().map(|task| format!("/{task}"));
    let drawn = match context.client()? {
        Some(client) => {
            let source = PutSource {
                provider: args.provider,
                task: args.task,
                secret: secret.map(SecretText),
                token: token.map(SecretText),
                api: args.api,
            };
            client.put_hook_source(&args.name, &source).await?
        }
        None => {
            let new = NewSource {
                name: args.name,
                provider: args.provider,
                task: args.task,
                secret,
                token,
                api: args.api,
            };
            context.app().await?.set_hook_source(new).await?
        }
    };
    if !context.globals.quiet {
        let door = door.unwrap_or_default();
        anstream::eprintln!(
            "the code host delivers to /hooks{door} of the server, with this secret:"
        );
    }
    if let Some(secret) = drawn {
        anstream::println!("{}", secret.expose_secret());
    }
    Ok(ExitCode::SUCCESS)
}
