//! X11 for programs that have nothing else: the X server's sockets, and xwayland-satellite from the first connection on.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
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

const PROGRAM: &str = "/usr/bin/xwayland-satellite";
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
    Path::new(PROGRAM).exists()
}

/// Listens from here on.
pub fn start(reaper: &Reaper, log: &Log, users: &Users) -> Result<(), X11Error> {
    let x11 = X11 {
        program: PROGRAM.to_owned(),
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
                Ok(status) => log.warn(&format!("xwayland-satellite ended: {status}")),
                Err(error) => log.warn(&format!("cannot run xwayland-satellite: {error}")),
            }
            thread::sleep(REST);
        }
    };
    let thread = thread::Builder::new().name("x11".into()).spawn(serve);
    thread.map(drop).map_err(X11Error::Thread)
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
        let mut argv = vec![self.program.clone(), X11_DISPLAY.to_owned()];
        for number in numbers {
            argv.extend(["-listenfd".to_owned(), number.to_string()]);
        }
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
        let (program, said) = (folder.join("satellite"), folder.join("said"));
        let script = format!(
            "#!/bin/sh\ntest -S /proc/self/fd/$3 && test -S /proc/self/fd/$5 && echo \"$1 $2 $4\" >{}; exit 7",
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
        assert_eq!(said, ":0 -listenfd -listenfd\n");
        drop(connecting.join());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
