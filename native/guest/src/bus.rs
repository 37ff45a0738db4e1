//! The user's session bus.

use crate::account::Account;
use crate::daemon::{self, DaemonError};
use crate::environment::{BUS_SOCKET, Environment};
use crate::link::Log;
use crate::reaper::Reaper;

/// Returns when clients can connect.
pub fn start(reaper: &Reaper, log: &Log, user: &Account, environment: &Environment) -> Result<(), DaemonError> {
    let address = format!("--address=unix:path={BUS_SOCKET}");
    let argv = ["dbus-daemon", "--session", "--nofork", "--nopidfile", &address, "--print-address"];
    daemon::start(reaper, log, user, environment, &argv)
}
