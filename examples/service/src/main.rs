//! `client-keys` in a web service: see the README.md of the folder above.

mod apps;
mod authorize;
mod key_table;
mod operator;
mod serve;
mod settings;

use std::{
    env,
    error::Error,
    ffi::OsString,
    fmt,
    io::{self, Write},
    iter,
    process::ExitCode,
};
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

const USAGE: &str = "usage:
  service                serve GET /apps
  service issue          make a client key; its id goes into CLIENT_KEYS
  service issue LABEL    make a client key; its id goes into the database
  service migrate        make the database's table
  service list           list the database's keys
  service revoke KEY_ID  revoke one of them";

type Failure = Box<dyn Error + Send + Sync>;

/// What the operator set or typed is wrong: exit status 2. After any other failure it is 1.
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
        return ExitCode::SUCCESS;
    };
    let first: &(dyn Error + 'static) = &*failure;
    let chain = iter::successors(Some(first), |error| (*error).source());
    let texts: Vec<String> = chain.map(ToString::to_string).collect();
    // `eprintln!` would panic if nobody takes it, and change the exit status.
    let _ = writeln!(io::stderr(), "service: {}", texts.join(": "));
    ExitCode::from(if first.is::<Mistake>() { 2 } else { 1 })
}

fn run() -> Result<(), Failure> {
    settings::load_dotenv()?;
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    // On standard error: what `issue` prints on standard output is for one person, and no log's business.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_env_filter(filter.from_env_lossy())
        // Its report that standard error takes nothing goes to standard error: a panic in every request.
        .log_internal_errors(false)
        .init();
    let arguments: Result<Vec<String>, OsString> = env::args_os().skip(1).map(OsString::into_string).collect();
    let arguments = arguments.map_err(|_| Mistake("an argument is not UTF-8".to_owned()))?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let database = settings::database()?;
    let table = || {
        let missing = || Mistake("DATABASE_URL: not set, and this command needs it".to_owned());
        database.as_ref().ok_or_else(missing)
    };
    let runtime = Runtime::new()?;
    match *arguments.as_slice() {
        [] => runtime.block_on(serve::serve(database)),
        ["issue"] if database.is_some() => Err(Mistake("issue LABEL: say whose key it is".to_owned()))?,
        ["issue"] => runtime.block_on(operator::issue_key(&settings::secret()?, None)),
        // `list` prints one line for each key, on somebody's terminal.
        ["issue", label] if label.contains(char::is_control) => Err(Mistake(
            "issue LABEL: expected one line of text, without tabs".to_owned(),
        ))?,
        ["issue", label] => {
            let table = Some((table()?, label));
            runtime.block_on(operator::issue_key(&settings::secret()?, table))
        }
        ["migrate"] => runtime.block_on(operator::migrate(table()?)),
        ["list"] => runtime.block_on(operator::list(table()?)),
        ["revoke", key_id] => {
            let key_id = key_id
                .parse()
                .map_err(|error| Mistake(format!("revoke KEY_ID: {error}")))?;
            runtime.block_on(operator::revoke(table()?, key_id))
        }
        _ => Err(Mistake(USAGE.to_owned()))?,
    }
}
