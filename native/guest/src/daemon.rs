//! Programs that the user's session needs for as long as the machine runs; each says a line when it is ready.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::account::Account;
use crate::environment::Environment;
use crate::launch::Launch;
use crate::link::Log;
use crate::reaper::{Reaper, into_file};

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

/// Starts a daemon as the user and waits for its first bytes on standard output.
pub fn start(reaper: &Reaper, log: &Log, user: &Account, environment: &Environment, argv: &[&str]) -> Result<(), DaemonError> {
    let argv: Vec<String> = argv.iter().map(|argument| (*argument).to_owned()).collect();
    let name = argv.first().cloned().unwrap_or_default();
    let failed = |error| DaemonError::Start { name: name.clone(), error };
    let launch = Launch { argv: &argv, environment, cwd: None, account: user, has_terminal: false };
    let mut command = launch.command().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let (mut child, exit) = reaper.spawn(&mut command).map_err(failed)?;
    if let Some(output) = child.stdout.take() {
        wait_for_output(&name, into_file(output))?;
    }
    let (log, watched) = (log.clone(), name.clone());
    let watch = move || match exit.take() {
        Ok(status) => log.warn(&format!("{watched} ended: {status}")),
        Err(error) => log.warn(&format!("{watched}: {error}")),
    };
    thread::Builder::new().name(name.clone()).spawn(watch).map(drop).map_err(failed)
}

fn wait_for_output(name: &str, mut output: impl Read + AsFd) -> Result<(), DaemonError> {
    let timeout = PollTimeout::try_from(DEADLINE).unwrap_or(PollTimeout::MAX);
    if poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], timeout) == Ok(0) {
        return Err(DaemonError::Deadline(name.to_owned()));
    }
    match output.read(&mut [0; 512]) {
        Ok(count) if count > 0 => Ok(()),
        _ => Err(DaemonError::Ended(name.to_owned())),
    }
}
