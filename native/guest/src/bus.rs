//! The user's session bus.

use std::process::Stdio;

use crate::daemon::{self, Daemon, DaemonError, Starting};
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
    let daemon = Daemon {
        name: argv[0],
        argv: &argv,
        account: &users.user,
        environment: &users.user_environment,
        input: Stdio::null(),
    };
    daemon::start(reaper, log, daemon)
}
