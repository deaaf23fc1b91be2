//! `client-keys` in a web service: see the README.md of the folder above.

mod apps;
mod authorize;
mod dotenv;
mod key_table;
mod log;
mod operator;
mod serve;
mod settings;
mod tls;

use clap::{Parser, Subcommand, error::ErrorKind};
use settings::Settings;
use std::{error::Error, fmt, iter, process::ExitCode};
use tokio::runtime::Runtime;
use tokio_postgres::error::{DbError, SqlState};
use tracing::warn;

/// Serves GET /apps to clients with a key. The settings come from the environment and from .env.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Issue a client key and list it in the database; without one, add its id to `CLIENT_KEYS` yourself
    Issue {
        /// The name of the client that gets the key; required with a database, refused without one
        #[arg(value_parser = operator::parse_label)]
        label: Option<String>,
        /// The first day (UTC) on which the service refuses the key, such as 2027-01-31; needs a database
        #[arg(long, value_parser = operator::parse_date)]
        expires: Option<String>,
    },
    /// Create the database's table, or bring it up to date
    Migrate,
    /// List the database's keys
    List,
    /// Revoke one of the database's keys, or all of them
    Revoke {
        /// The key's 16 digits that `list` and the log show
        #[arg(value_parser = operator::parse_handle, required_unless_present = "all", conflicts_with = "all")]
        handle: Option<String>,
        /// Revoke all keys, after a confirmation
        #[arg(long)]
        all: bool,
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Read a token from standard input; show whose key it is, and whether the service accepts it
    Whose,
}

type Failure = Box<dyn Error + Send + Sync>;

/// What the operator set or typed is wrong: the exit status is 2. After any other failure it is 1.
#[derive(Debug)]
struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Mistake {}

fn main() -> ExitCode {
    let Err(failure) = run() else {
        log::end(String::new());
        return ExitCode::SUCCESS;
    };
    log::end(format!("service: {}\n", describe(&*failure)));
    ExitCode::from(if failure.is::<Mistake>() { 2 } else { 1 })
}

/// An error and its causes, without the details of the database, which show a row's values.
fn describe(error: &(dyn Error + 'static)) -> String {
    let text = |error: &(dyn Error + 'static)| match error.downcast_ref::<DbError>() {
        Some(error) if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN].contains(error.code()) => {
            format!("{}; run `service migrate`", error.message())
        }
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    };
    let chain = iter::successors(Some(error), |error| (*error).source());
    chain.map(text).collect::<Vec<_>>().join(": ")
}

fn run() -> Result<(), Failure> {
    let command = match Arguments::try_parse() {
        Ok(arguments) => arguments.command,
        Err(help) if matches!(help.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(help.print()?);
        }
        // Not clap's own text, which shows what was typed: that may be a token.
        Err(error) => Err(Mistake(match error.source() {
            Some(rule) => rule.to_string(),
            None => format!("{}; see service --help", error.kind()),
        }))?,
    };
    let settings = Settings::load()?;
    let filter = settings.log_filter()?;
    let known = filter.is_some();
    log::start(filter.unwrap_or_else(|| "info".into()));
    if !known {
        warn!("RUST_LOG is not a filter that the service understands; it logs at the level info");
    }
    let runtime = Runtime::new()?;
    let done = runtime.block_on(async {
        match command {
            None => serve::serve(settings).await,
            Some(command) => operator::operate(command, &settings).await,
        }
    });
    // A runtime that is dropped would wait for the look-up of a host name, however long that hangs.
    runtime.shutdown_background();
    done
}
