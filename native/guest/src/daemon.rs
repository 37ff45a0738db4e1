//! Programs that the session needs for as long as the machine runs; each says a line when it is ready.

use std::fs::File;
use std::io::{self, Read};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::account::Account;
use crate::environment::Environment;
use crate::launch::Launch;
use crate::link::Log;
use crate::reaper::{Reaper, into_file};
use crate::wait::wait_readable;

/// How long a daemon may take until it is ready.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("cannot start {name}: {error}")]
    Start { name: String, error: io::Error },
    #[error("{0} ended before it was ready")]
    Ended(String),
    #[error("{0} was not ready in {DEADLINE:?}")]
    Deadline(String),
}

/// A daemon that has been started and is not ready yet.
pub struct Starting {
    name: String,
    output: File,
}

/// What is started, and as whom.
pub struct Daemon<'a> {
    /// For messages.
    pub name: &'a str,
    pub argv: &'a [&'a str],
    pub account: &'a Account,
    pub environment: &'a Environment,
    pub input: Stdio,
}

/// Starts a daemon. Its end is told to the host whenever it comes.
pub fn start(reaper: &Reaper, log: &Log, daemon: Daemon<'_>) -> Result<Starting, DaemonError> {
    let name = daemon.name.to_owned();
    let failed = |error| DaemonError::Start {
        name: name.clone(),
        error,
    };
    let argv: Vec<String> = daemon.argv.iter().map(ToString::to_string).collect();
    let launch = Launch {
        argv: &argv,
        environment: daemon.environment,
        cwd: Some("/"),
        account: daemon.account,
        has_terminal: false,
    };
    let mut command = launch.command().map_err(failed)?;
    let (output, child_output) = io::pipe().map_err(failed)?;
    command.stdin(daemon.input).stdout(child_output);
    let (_, exit) = reaper.spawn(&mut command).map_err(failed)?;
    let (log, watched) = (log.clone(), name.clone());
    let watch = move || match exit.take() {
        Ok(status) => log.warn(&format!("{watched} ended: {status}")),
        Err(error) => log.warn(&format!("{watched}: {error}")),
    };
    thread::Builder::new()
        .name(name.clone())
        .spawn(watch)
        .map_err(failed)?;
    Ok(Starting {
        name,
        output: into_file(output),
    })
}

impl Starting {
    /// Waits for the first bytes on standard output.
    pub fn wait_until_ready(mut self) -> Result<(), DaemonError> {
        if matches!(wait_readable(&self.output, DEADLINE), Ok(false)) {
            return Err(DaemonError::Deadline(self.name));
        }
        match self.output.read(&mut [0; 512]) {
            Ok(count) if count > 0 => Ok(()),
            _ => Err(DaemonError::Ended(self.name)),
        }
    }
}
