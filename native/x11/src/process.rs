//! Xwayland itself: started with one end of each connection that the bridge and it have.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Child, Command},
};

use rustix::io::{FdFlags, fcntl_setfd};

/// Seconds that it stays after its last client has left.
const LINGER: &str = "10";

pub struct Xwayland {
    pub process: Child,
    /// The end of its Wayland connection at which it is a client.
    pub wayland: OwnedFd,
    /// The window manager's X11 connection.
    pub manager: UnixStream,
    /// Readable once it takes connections.
    pub ready: OwnedFd,
}

/// `listen` are X11 sockets for `display`; Xwayland accepts their clients.
pub fn start(display: &str, listen: Vec<OwnedFd>) -> io::Result<Xwayland> {
    let (wayland, its_wayland) = UnixStream::pair()?;
    let (manager, its_manager) = UnixStream::pair()?;
    let (ready, its_ready) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let number = |fd: &dyn AsRawFd| fd.as_raw_fd().to_string();
    let mut command = Command::new("Xwayland");
    command
        // Pixels go by shared memory only: the server would look for EGL else, and end where an image has none.
        .args([display, "-rootless", "-shm", "-core"])
        .args(["-terminate", LINGER])
        .args(["-wm", &number(&its_manager)])
        .args(["-displayfd", &number(&its_ready)])
        .env("WAYLAND_SOCKET", number(&its_wayland))
        .env_remove("WAYLAND_DISPLAY");
    for socket in &listen {
        command.args(["-listenfd", &number(socket)]);
    }
    let mut inherited = listen;
    inherited.extend([its_wayland.into(), its_manager.into(), its_ready]);
    let keep = move || -> io::Result<()> {
        for fd in &inherited {
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec it calls fcntl alone, which is safe there, and allocates nothing.
    unsafe { command.pre_exec(keep) };
    let process = command.spawn()?;
    Ok(Xwayland {
        process,
        wayland: wayland.into(),
        manager,
        ready,
    })
}
