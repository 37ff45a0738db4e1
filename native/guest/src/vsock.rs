//! Streams between the machine and its host.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, VsockAddr, accept4, bind, connect, getpeername,
    listen, socket,
};

pub use libc::VMADDR_CID_HOST as HOST;

/// A stream to a port of the host.
pub fn connect_host(port: u32) -> nix::Result<File> {
    let socket = open()?;
    connect(socket.as_raw_fd(), &VsockAddr::new(HOST, port))?;
    Ok(File::from(socket))
}

pub struct Listener(OwnedFd);

impl Listener {
    pub fn bind(port: u32) -> nix::Result<Self> {
        let socket = open()?;
        bind(
            socket.as_raw_fd(),
            &VsockAddr::new(libc::VMADDR_CID_ANY, port),
        )?;
        listen(&socket, Backlog::new(64)?)?;
        Ok(Self(socket))
    }

    /// The next connection that comes from the host; others are closed.
    pub fn accept_host(&self) -> nix::Result<File> {
        loop {
            let accepted = accept4(self.0.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?;
            // SAFETY: the descriptor is new and nobody else's.
            let stream = unsafe { OwnedFd::from_raw_fd(accepted) };
            if getpeername::<VsockAddr>(stream.as_raw_fd()).is_ok_and(|peer| peer.cid() == HOST) {
                return Ok(File::from(stream));
            }
        }
    }
}

fn open() -> nix::Result<OwnedFd> {
    socket(
        AddressFamily::Vsock,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}
