//! X11 for programs that have nothing else: the X server's sockets, and from the first connection on a process of our own
//! that runs Xwayland.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::account::Account;
use crate::environment::{Environment, X11_DISPLAY};
use crate::launch::Launch;
use crate::link::Log;
use crate::reaper::Reaper;
use crate::session::Users;
use crate::wait::{PollFd, PollFlags, wait};

/// The word on the command line that makes this program the X11 process; the listening sockets' numbers follow.
pub const COMMAND: &str = "x11";

/// An image that has it is one with X11.
const SERVER: &str = "/usr/bin/Xwayland";
const DIRECTORY: &str = "/tmp/.X11-unix";
const SOCKET: &str = "/tmp/.X11-unix/X0";
/// Between the end of one server and the start of the next, so that one that can't start is not tried without pause.
const REST: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum X11Error {
    #[error("cannot listen at {SOCKET}: {0}")]
    Listen(io::Error),
    #[error("cannot wait for X11 programs: {0}")]
    Thread(io::Error),
}

pub fn is_installed() -> bool {
    Path::new(SERVER).exists()
}

/// Listens from here on.
pub fn start(reaper: &Reaper, log: &Log, users: &Users) -> Result<(), X11Error> {
    let x11 = X11 {
        program: "/proc/self/exe".to_owned(),
        listeners: listen().map_err(X11Error::Listen)?,
        reaper: reaper.clone(),
        account: users.user.clone(),
        environment: users.user_environment.clone(),
    };
    let log = log.clone();
    let serve = move || {
        loop {
            match x11.serve_once() {
                Ok(status) if status.success() => {}
                Ok(status) => log.warn(&format!("the X11 process ended: {status}")),
                Err(error) => log.warn(&format!("cannot run the X11 process: {error}")),
            }
            thread::sleep(REST);
        }
    };
    let thread = thread::Builder::new().name("x11".into()).spawn(serve);
    thread.map(drop).map_err(X11Error::Thread)
}

/// The X11 process: returns when its last client has been gone for a while.
pub fn serve(numbers: impl Iterator<Item = OsString>) -> ExitCode {
    let listeners: Option<Vec<OwnedFd>> = numbers.map(inherit).collect();
    let Some(listeners) = listeners else {
        eprintln!("cloche-guest: {COMMAND}: expected the numbers of open descriptors");
        return ExitCode::from(2);
    };
    match cloche_x11::run(listeners, X11_DISPLAY) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("X11: {error}");
            ExitCode::FAILURE
        }
    }
}

fn inherit(word: OsString) -> Option<OwnedFd> {
    let number: RawFd = word.to_str()?.parse().ok().filter(|number| *number > 2)?;
    // SAFETY: borrowed for this one call, which fails on a number that is not open.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    // SAFETY: it is open, was handed over by process 1, and each word names another.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

struct X11 {
    program: String,
    listeners: [UnixListener; 2],
    reaper: Reaper,
    account: Account,
    environment: Environment,
}

impl X11 {
    /// Waits for a connection, then for the end of the server that takes it and those that follow.
    fn serve_once(&self) -> io::Result<ExitStatus> {
        let [named, unnamed] = &self.listeners;
        let mut waits = [named, unnamed].map(|listener| PollFd::new(listener, PollFlags::IN));
        while waits.iter().all(|it| it.revents().is_empty()) {
            wait(&mut waits, None)?;
        }
        let numbers = [named, unnamed].map(AsRawFd::as_raw_fd);
        let mut argv = vec![self.program.clone(), COMMAND.to_owned()];
        argv.extend(numbers.map(|number| number.to_string()));
        let launch = Launch {
            argv: &argv,
            environment: &self.environment,
            cwd: None,
            account: &self.account,
            has_terminal: false,
        };
        let mut command = launch.command()?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: between fork and exec it makes system calls only.
        unsafe { command.pre_exec(move || numbers.into_iter().try_for_each(keep_open)) };
        let (_, exit) = self.reaper.spawn(&mut command)?;
        exit.take()
    }
}

/// Lets a descriptor pass to the program that is executed.
fn keep_open(number: RawFd) -> io::Result<()> {
    // SAFETY: the listeners live as long as the thread that starts programs.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

/// The socket with a name, and the one that Linux programs try first.
fn listen() -> io::Result<[UnixListener; 2]> {
    DirBuilder::new().mode(0o1777).create(DIRECTORY)?;
    fs::set_permissions(DIRECTORY, Permissions::from_mode(0o1777))?;
    let named = UnixListener::bind(SOCKET)?;
    fs::set_permissions(SOCKET, Permissions::from_mode(0o777))?;
    let address = SocketAddr::from_abstract_name(SOCKET)?;
    Ok([named, UnixListener::bind_addr(&address)?])
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_first_connection_starts_the_server_with_both_sockets() {
        let folder = std::env::temp_dir().join(format!("cloche-x11-{}", std::process::id()));
        fs::create_dir(&folder).expect("folder");
        let (program, said) = (folder.join("server"), folder.join("said"));
        let script = format!(
            "#!/bin/sh\ntest -S /proc/self/fd/$2 && test -S /proc/self/fd/$3 && echo \"$1 $#\" >{}; exit 7",
            said.display()
        );
        fs::write(&program, script).expect("script");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("executable");
        let listener = |name| UnixListener::bind(folder.join(name)).expect("listener");
        let x11 = X11 {
            program: program.display().to_string(),
            listeners: [listener("a"), listener("b")],
            reaper: Reaper::of_tests(),
            account: Account {
                name: "user".into(),
                uid: nix::unistd::getuid().as_raw(),
                gid: nix::unistd::getgid().as_raw(),
                groups: Vec::new(),
                home: "/".into(),
                shell: "/bin/sh".into(),
            },
            environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        };
        let path = folder.join("b");
        let connecting = thread::spawn(move || UnixStream::connect(path));
        let status = x11.serve_once().expect("served");
        assert_eq!(status.code(), Some(7));
        let said = fs::read_to_string(said).expect("both sockets were there");
        assert_eq!(said, "x11 3\n");
        drop(connecting.join());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
