//! The user's Wayland socket, behind it a process of our own that alone may use the device to the host's windows.

mod node;
mod serve;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::path::Path;

use cloche_cross_domain::gpu::find;

use crate::account::Account;
use crate::daemon::{self, Daemon, DaemonError, Starting};
use crate::environment::{Environment, RUNTIME_DIRECTORY, WAYLAND_SOCKET};
use crate::link::Log;
use crate::reaper::Reaper;
use node::NodeError;
pub use serve::serve;

/// The word on the command line that makes this program the Wayland process.
pub const COMMAND: &str = "wayland";

/// The account that has the device: a number that no image gives to anybody.
const OWNER: u32 = 64_990;

/// Characters of a renderer's name, by the bound that the protocol sets.
const RENDERER_CHARACTERS: usize = 80;

#[derive(Debug, thiserror::Error)]
pub enum WaylandError {
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("cannot listen at {path}: {error}")]
    Listen { path: String, error: io::Error },
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

/// Ready when programs can connect.
pub fn start(reaper: &Reaper, log: &Log, user: &Account) -> Result<Starting, WaylandError> {
    let node = node::wait_for_device()?;
    node::give(&node, OWNER)?;
    let path = format!("{RUNTIME_DIRECTORY}/{WAYLAND_SOCKET}");
    let listener = listen(&path, user).map_err(|error| WaylandError::Listen { path, error })?;
    let owner = Account {
        name: COMMAND.to_owned(),
        uid: OWNER,
        gid: OWNER,
        groups: vec![OWNER],
        home: "/".to_owned(),
        shell: String::new(),
    };
    let daemon = Daemon {
        name: "the Wayland process",
        argv: &["/proc/self/exe", COMMAND, &node.to_string_lossy()],
        account: &owner,
        environment: &Environment::new(),
        input: OwnedFd::from(listener).into(),
    };
    Ok(daemon::start(reaper, log, daemon)?)
}

/// What programs in the machine draw with.
pub fn name_renderer() -> String {
    let name = find::name_renderer(Path::new(node::DIRECTORY));
    name.chars().take(RENDERER_CHARACTERS).collect()
}

fn listen(path: &str, user: &Account) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    chown(path, Some(user.uid), Some(user.gid))?;
    Ok(listener)
}
