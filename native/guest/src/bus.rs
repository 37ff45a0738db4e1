//! The user's session bus.

use crate::daemon::{self, DaemonError, Starting};
use crate::environment::BUS_SOCKET;
use crate::link::Log;
use crate::reaper::Reaper;
use crate::session::Users;

/// Ready when clients can connect.
pub fn start(reaper: &Reaper, log: &Log, users: &Users) -> Result<Starting, DaemonError> {
    let address = format!("--address=unix:path={BUS_SOCKET}");
    let argv = [
        "dbus-daemon",
        "--session",
        "--nofork",
        "--nopidfile",
        &address,
        "--print-address",
    ];
    daemon::start(reaper, log, users, &argv)
}
