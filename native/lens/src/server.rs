//! Accepts the guest's clients, a thread each, until asked to stop or the compositor is gone.

use std::{
    io,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net::UnixListener,
    },
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use cloche_wayland::{
    farewell::{NO_MEMORY, error_message},
    logger,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{SendFlags, send},
};
use thiserror::Error;

use crate::{
    compositor::{Compositor, CompositorError, Door},
    policy::Policy,
    session,
    shm::quota::InstanceTotals,
};

const CLIENTS: usize = 64;
/// How long accepting rests when the process is out of descriptors.
const REST: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Compositor(#[from] CompositorError),
    #[error("can't wait for clients")]
    Poll(#[source] io::Error),
    #[error("the listening socket failed")]
    Accept(#[source] io::Error),
}

pub struct Server {
    policy: Arc<Policy>,
    door: Arc<Door>,
    clients: Arc<AtomicUsize>,
    totals: Arc<InstanceTotals>,
}

impl Server {
    pub fn new(policy: Policy, door: Door) -> Self {
        Self {
            policy: Arc::new(policy),
            door: Arc::new(door),
            clients: Arc::default(),
            totals: Arc::default(),
        }
    }

    /// Returns when `stop` becomes readable.
    pub fn run(
        &self,
        listener: &UnixListener,
        compositor: &Compositor,
        stop: BorrowedFd<'_>,
    ) -> Result<(), ServerError> {
        listener
            .set_nonblocking(true)
            .map_err(ServerError::Accept)?;
        let mut resting = false;
        loop {
            compositor
                .state
                .before_poll()
                .map_err(CompositorError::Gone)?;
            let accepting = if resting {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            let mut descriptors = [
                PollFd::from_borrowed_fd(stop, PollFlags::IN),
                PollFd::new(compositor.state.poll_fd(), PollFlags::IN),
                PollFd::new(listener, accepting),
            ];
            match poll(&mut descriptors, resting.then_some(&REST)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(ServerError::Poll(error.into())),
            }
            let [stopped, spoken, knocked] =
                descriptors.map(|descriptor| !descriptor.revents().is_empty());
            if stopped {
                return Ok(());
            }
            if spoken {
                compositor.dispatch()?;
            }
            resting = knocked && self.accept(listener)?;
        }
    }

    /// Whether accepting has to rest.
    fn accept(&self, listener: &UnixListener) -> Result<bool, ServerError> {
        match listener.accept() {
            Ok((stream, _)) => self.admit(stream.into()),
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    || error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if matches!(
                    Errno::from_io_error(&error),
                    Some(Errno::MFILE | Errno::NFILE)
                ) =>
            {
                log::warn!("no descriptors left for another client");
                return Ok(true);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(ServerError::Accept(error)),
        }
        Ok(false)
    }

    fn admit(&self, socket: OwnedFd) {
        let Some(place) = Place::take(&self.clients) else {
            log::warn!("client refused: {CLIENTS} are connected");
            let message = error_message(1, NO_MEMORY, "too many clients");
            let _ = send(&socket, &message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
            return;
        };
        let (policy, door, totals) = (self.policy.clone(), self.door.clone(), self.totals.clone());
        // A panic ends this client's thread and nothing else.
        let serving = move || {
            let _place = place;
            if let Err(error) = session::serve(socket, &door, policy, &totals) {
                log::info!("client ended: {}", logger::chain(&error));
            }
        };
        if let Err(error) = thread::Builder::new().name("client".into()).spawn(serving) {
            log::warn!("client refused: {error}");
        }
    }
}

/// One of the places for clients; given back on drop.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(clients: &Arc<AtomicUsize>) -> Option<Self> {
        let room = |taken: usize| (taken < CLIENTS).then_some(taken + 1);
        clients
            .fetch_update(Relaxed, Relaxed, room)
            .ok()
            .map(|_| Self(clients.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let clients = Arc::default();
        let mut places: Vec<_> = (0..CLIENTS).map(|_| Place::take(&clients)).collect();
        assert!(places.iter().all(Option::is_some) && Place::take(&clients).is_none());
        places.pop();
        assert!(Place::take(&clients).is_some());
    }
}
