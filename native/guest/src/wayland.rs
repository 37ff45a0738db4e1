//! The user's Wayland socket. How windows leave the machine is known here only: by waypipe, over vsock to the host.

use crate::account::Account;
use crate::daemon::{self, DaemonError};
use crate::environment::{Environment, RUNTIME_DIRECTORY, WAYLAND_SOCKET};
use crate::link::Log;
use crate::reaper::Reaper;
use crate::vsock::HOST;

/// waypipe starts its command when it listens, and ends with it.
const READY_COMMAND: [&str; 3] = ["sh", "-c", "echo ready; exec sleep infinity"];

/// Returns when clients can connect. `port` is the host's, where a waypipe of the same version listens.
pub fn start(reaper: &Reaper, log: &Log, user: &Account, environment: &Environment, port: u32) -> Result<(), DaemonError> {
    let socket = format!("{HOST}:{port}");
    let display = format!("{RUNTIME_DIRECTORY}/{WAYLAND_SOCKET}");
    let options = ["waypipe", "--compress", "none", "--no-gpu", "--vsock", "--socket", &socket, "--display", &display, "server"];
    daemon::start(reaper, log, user, environment, &[&options[..], &READY_COMMAND[..]].concat())
}
