//! The lens's own connection to the compositor: held open to notice its end, and used to ask for a security context.

use std::{
    cell::Cell,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use thiserror::Error;
use wl_proxy::{
    baseline::Baseline,
    object::ObjectError,
    protocols::{
        ObjectInterface,
        wayland::{
            wl_callback::{WlCallback, WlCallbackHandler},
            wl_registry::{WlRegistry, WlRegistryHandler},
        },
    },
    state::{State, StateError},
};

use crate::{naming::InstanceName, security_context};

const ANSWER: Duration = Duration::from_secs(5);

#[derive(Debug, Error)]
pub enum CompositorError {
    #[error("can't connect to the compositor at {0}")]
    Connect(PathBuf, #[source] io::Error),
    #[error("the compositor didn't answer within {} s", ANSWER.as_secs())]
    Silent,
    #[error("the compositor is gone")]
    Gone(#[source] StateError),
    #[error("can't talk to the compositor")]
    Send(#[source] ObjectError),
    #[error("can't make a socket for the security context")]
    Context(#[source] io::Error),
}

/// Where the guest's clients are let in.
#[derive(Debug)]
pub enum Door {
    Plain(PathBuf),
    /// A listening socket that the compositor knows as the sandbox's; it stops when `_close` is dropped.
    Sandboxed {
        socket: OwnedFd,
        _close: OwnedFd,
    },
}

impl Door {
    pub fn connect(&self) -> io::Result<OwnedFd> {
        let path = match self {
            Self::Plain(path) => path.clone(),
            // The socket has no name any more; its open O_PATH descriptor leads to it.
            Self::Sandboxed { socket, .. } => {
                format!("/proc/self/fd/{}", socket.as_raw_fd()).into()
            }
        };
        Ok(UnixStream::connect(path)?.into())
    }
}

pub struct Compositor {
    pub state: Rc<State>,
}

impl Compositor {
    /// Connects, and makes the door: sandboxed where the compositor can.
    pub fn open(path: PathBuf, name: &InstanceName) -> Result<(Self, Door), CompositorError> {
        let socket = UnixStream::connect(&path)
            .map_err(|error| CompositorError::Connect(path.clone(), error))?;
        let builder = State::builder(Baseline::V6)
            .with_logging(false)
            .with_server_fd(&Rc::new(socket.into()));
        let compositor = Self {
            state: builder.build().map_err(CompositorError::Gone)?,
        };
        let found = Rc::new(Cell::new(None));
        let registry = compositor
            .state
            .display()
            .new_try_send_get_registry()
            .map_err(CompositorError::Send)?;
        registry.set_handler(Search {
            found: found.clone(),
        });
        compositor.round_trip()?;
        let door = match found.get() {
            Some(global) => {
                let door = security_context::create(&compositor.state, &registry, global, name)?;
                compositor.round_trip()?;
                door
            }
            None => Door::Plain(path),
        };
        Ok((compositor, door))
    }

    /// Reads what the compositor says, to no one; an error means that it is gone.
    pub fn dispatch(&self) -> Result<(), CompositorError> {
        self.state
            .dispatch_available()
            .map(drop)
            .map_err(CompositorError::Gone)
    }

    fn round_trip(&self) -> Result<(), CompositorError> {
        let done = Rc::new(Cell::new(false));
        let callback = self
            .state
            .display()
            .new_try_send_sync()
            .map_err(CompositorError::Send)?;
        callback.set_handler(Done(done.clone()));
        let deadline = Instant::now() + ANSWER;
        while !done.get() {
            self.state.before_poll().map_err(CompositorError::Gone)?;
            let left = deadline
                .checked_duration_since(Instant::now())
                .ok_or(CompositorError::Silent)?;
            let timeout = Timespec::try_from(left).map_err(|_| CompositorError::Silent)?;
            // Interrupted or timed out, the loop looks again.
            let _ = poll(
                &mut [PollFd::new(self.state.poll_fd(), PollFlags::IN)],
                Some(&timeout),
            );
            self.dispatch()?;
        }
        Ok(())
    }
}

struct Search {
    found: Rc<Cell<Option<u32>>>,
}

impl WlRegistryHandler for Search {
    fn handle_global(
        &mut self,
        _slf: &Rc<WlRegistry>,
        name: u32,
        interface: ObjectInterface,
        _version: u32,
    ) {
        if interface == ObjectInterface::WpSecurityContextManagerV1 {
            self.found.set(Some(name));
        }
    }

    fn handle_global_remove(&mut self, _slf: &Rc<WlRegistry>, _name: u32) {}
}

struct Done(Rc<Cell<bool>>);

impl WlCallbackHandler for Done {
    fn handle_done(&mut self, _slf: &Rc<WlCallback>, _callback_data: u32) {
        self.0.set(true);
    }
}
