//! One run of the bridge: from the first X11 client to Xwayland's end.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    process::ExitStatus,
    rc::Rc,
};

use rustix::event::{PollFd, PollFlags, poll};
use thiserror::Error;
use wl_proxy::{
    baseline::Baseline,
    client::{Client, ClientHandler},
    state::{State, StateError},
};
use x11rb::rust_connection::RustConnection;

use crate::{
    bridge::Bridge,
    process::{self, Xwayland},
    server::DisplayHandler,
    x11::{X11, XError},
};

#[derive(Debug, Error)]
pub enum Error {
    #[error("Xwayland can't be started")]
    Start(#[source] io::Error),
    #[error("the Wayland connection failed")]
    Wayland(#[from] StateError),
    #[error(transparent)]
    X11(#[from] XError),
    #[error("can't wait for messages")]
    Poll(#[source] io::Error),
    #[error("Xwayland ended with {0}")]
    Ended(ExitStatus),
}

/// Serves the clients of `listen`, the X11 sockets of `display` (":0"), on the compositor that the environment names, until
/// the last has been gone for a while.
pub fn run(listen: Vec<OwnedFd>, display: &str) -> Result<(), Error> {
    let Xwayland {
        mut process,
        wayland,
        manager,
        ready,
    } = process::start(display, listen).map_err(Error::Start)?;
    let result = serve(wayland, manager.into(), ready);
    // It ends by itself when either connection is gone.
    let status = process.wait().map_err(Error::Start)?;
    result?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Ended(status))
    }
}

fn serve(wayland: OwnedFd, manager: OwnedFd, ready: OwnedFd) -> Result<(), Error> {
    let state = State::builder(Baseline::V6).with_logging(false).build()?;
    // Breaks the cycles between state and objects on every way out.
    let _destroy = state.create_destructor();
    rustix::io::ioctl_fionbio(&wayland, true).map_err(|error| Error::Poll(error.into()))?;
    let client = state.add_client(&Rc::new(wayland))?;
    let bridge = Rc::new(Bridge::default());
    client.display().set_handler(DisplayHandler(bridge.clone()));
    client.set_handler(Ended(state.clone(), client.clone()));

    let mut manager = Some(manager);
    while state.is_not_destroyed() {
        if let Some(x) = bridge.x.get() {
            x.dispatch(&bridge)?;
        }
        bridge.selection.pump(&bridge);
        state.before_poll()?;
        let pipes = bridge.selection.waiting();
        let mut descriptors = vec![PollFd::new(state.poll_fd(), PollFlags::IN)];
        match bridge.x.get() {
            Some(x) => {
                descriptors.push(PollFd::from_borrowed_fd(
                    stream(&x.connection),
                    PollFlags::IN,
                ));
            }
            None => descriptors.push(PollFd::new(&ready, PollFlags::IN)),
        }
        for (pipe, flags) in &pipes {
            descriptors.push(PollFd::new(pipe, *flags));
        }
        rustix::io::retry_on_intr(|| poll(&mut descriptors, None))
            .map_err(|error| Error::Poll(error.into()))?;
        let is_ready = descriptors
            .get(1)
            .is_some_and(|descriptor| !descriptor.revents().is_empty());
        drop(descriptors);
        state.dispatch_available()?;
        if is_ready && let Some(manager) = manager.take() {
            let _ = bridge.x.set(X11::open(manager.into())?);
        }
    }
    Ok(())
}

fn stream(connection: &RustConnection) -> std::os::fd::BorrowedFd<'_> {
    connection.stream().as_fd()
}

struct Ended(Rc<State>, Rc<Client>);

impl ClientHandler for Ended {
    fn disconnected(self: Box<Self>) {
        let _ = self.1;
        self.0.destroy();
    }
}
