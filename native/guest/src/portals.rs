//! The portals process: the user's, with a connection to the host's broker as its standard input.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use cloche_protocol::{MEDIA_PORT, PORTALS_PORT};
use cloche_wayland::logger;
use nix::errno::Errno;
use nix::sys::prctl::set_no_new_privs;

use crate::daemon::{self, Daemon, DaemonError, Starting};
use crate::link::Log;
use crate::reaper::Reaper;
use crate::session::Users;
use crate::vsock;

/// The word on the command line that makes this program the portals process.
pub const COMMAND: &str = "portals";

#[derive(Debug, thiserror::Error)]
pub enum PortalsError {
    #[error("cannot connect to the host's broker: {0}")]
    Connect(Errno),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

/// Ready when programs can ask. The session bus has to be there.
pub fn start(reaper: &Reaper, log: &Log, users: &Users) -> Result<Starting, PortalsError> {
    let stream = vsock::connect_host(PORTALS_PORT).map_err(PortalsError::Connect)?;
    let daemon = Daemon {
        name: "the portals process",
        argv: &["/proc/self/exe", COMMAND],
        account: &users.user,
        environment: &users.user_environment,
        input: OwnedFd::from(stream).into(),
    };
    Ok(daemon::start(reaper, log, daemon)?)
}

/// `portals [SOCKET]`, with the connection as standard input; says a line on standard output when ready. SOCKET stands for the
/// host's media port where there is no machine.
pub fn serve(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    logger::install("portals");
    let socket = words.next();
    let connect_media = move || match &socket {
        Some(path) => Ok(File::from(OwnedFd::from(UnixStream::connect(path)?))),
        None => Ok(vsock::connect_host(MEDIA_PORT)?),
    };
    let outcome = set_no_new_privs()
        .map_err(io::Error::from)
        .and_then(|()| io::stdin().as_fd().try_clone_to_owned())
        .map_err(cloche_portals::PortalsError::from)
        .and_then(|stream| {
            cloche_portals::serve(File::from(stream), Box::new(connect_media), say_ready)
        });
    let Err(error) = outcome;
    eprintln!("portals: {}", logger::chain(&error));
    ExitCode::FAILURE
}

/// Standard output is closed by it: whoever waits hears no more.
fn say_ready() -> io::Result<()> {
    // SAFETY: nothing of this process writes to standard output but this line.
    let mut output = File::from(unsafe { OwnedFd::from_raw_fd(1) });
    output.write_all(b"ready\n")
}
