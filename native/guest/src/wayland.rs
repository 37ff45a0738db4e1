//! The user's Wayland socket. How windows leave the machine is known here only: by waypipe, over vsock to the host.

use crate::daemon::{self, DaemonError, Starting};
use crate::environment::{RUNTIME_DIRECTORY, WAYLAND_SOCKET};
use crate::link::Log;
use crate::reaper::Reaper;
use crate::session::Users;
use crate::vsock::HOST;

/// waypipe starts its command when it listens, and ends with it.
const READY_COMMAND: [&str; 3] = ["sh", "-c", "echo ready; exec sleep infinity"];

/// Clients make pools far larger than what they draw (foot: 512 MiB), and waypipe allocates a mirror of each, of which it
/// touches only what was drawn. The kernel's own estimate refuses that in a small machine.
const OVERCOMMIT: &str = "/proc/sys/vm/overcommit_memory";

/// Ready when clients can connect. `port` is the host's, where a waypipe of the same version listens.
pub fn start(
    reaper: &Reaper,
    log: &Log,
    users: &Users,
    port: u32,
) -> Result<Starting, DaemonError> {
    if let Err(error) = std::fs::write(OVERCOMMIT, "1") {
        log.warn(&format!("{OVERCOMMIT}: {error}"));
    }
    let socket = format!("{HOST}:{port}");
    let display = format!("{RUNTIME_DIRECTORY}/{WAYLAND_SOCKET}");
    let options = [
        "waypipe",
        "--compress",
        "none",
        "--no-gpu",
        "--vsock",
        "--socket",
        &socket,
        "--display",
        &display,
        "server",
    ];
    daemon::start(
        reaper,
        log,
        users,
        &[&options[..], &READY_COMMAND[..]].concat(),
    )
}
