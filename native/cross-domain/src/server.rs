//! Takes programs at a listening socket, a thread each, and says on request what each of them cost.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::{fd::OwnedFd, unix::net::UnixListener},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use cloche_wayland::{
    farewell::{NO_MEMORY, error_message},
    logger::chain,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{SendFlags, send},
};
use thiserror::Error;

use crate::{
    gpu::Gpu,
    proxy::{self, counters::Counters},
};

/// A device has 64 contexts.
const PROGRAMS: usize = 60;
/// How long accepting rests when the process is out of descriptors.
const REST: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

#[derive(Debug, Error)]
pub enum ServerError {
    #[error("can't wait for programs")]
    Poll(#[source] io::Error),
    #[error("the listening socket failed")]
    Accept(#[source] io::Error),
}

/// Opens the device once more: a context, and so a way to the host, for one program.
pub type Open = dyn Fn() -> io::Result<Rc<dyn Gpu>> + Send + Sync;

pub struct Server {
    open: Arc<Open>,
    programs: Arc<Programs>,
}

#[derive(Default)]
struct Programs(Mutex<(u64, BTreeMap<u64, Arc<Counters>>)>);

impl Programs {
    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Arc<Counters>>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub fn new(open: Arc<Open>) -> Self {
        Self {
            open,
            programs: Arc::default(),
        }
    }

    /// Does not return without an error. Whenever `asked` is readable, its bytes are taken and a line for each program is written.
    pub fn run(&self, listener: &UnixListener, asked: &File) -> Result<(), ServerError> {
        listener
            .set_nonblocking(true)
            .map_err(ServerError::Accept)?;
        let mut is_resting = false;
        loop {
            let accepting = if is_resting {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            let mut descriptors = [
                PollFd::new(asked, PollFlags::IN),
                PollFd::new(listener, accepting),
            ];
            match poll(&mut descriptors, is_resting.then_some(&REST)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(ServerError::Poll(error.into())),
            }
            let [is_asked, has_knocked] = descriptors.map(|it| !it.revents().is_empty());
            if is_asked {
                // What was written does not matter.
                let _ = (&*asked).read(&mut [0; 512]);
                self.report();
            }
            is_resting = has_knocked && self.accept(listener)?;
        }
    }

    /// Whether accepting has to rest.
    fn accept(&self, listener: &UnixListener) -> Result<bool, ServerError> {
        let error = match listener.accept() {
            Ok((stream, _)) => {
                self.admit(stream.into());
                return Ok(false);
            }
            Err(error) => error,
        };
        match Errno::from_io_error(&error) {
            Some(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(false),
            Some(Errno::MFILE | Errno::NFILE) => {
                log::warn!("no descriptors left for another program");
                Ok(true)
            }
            _ => Err(ServerError::Accept(error)),
        }
    }

    fn admit(&self, socket: OwnedFd) {
        let Some(place) = Place::take(&self.programs) else {
            log::warn!("program refused: {PROGRAMS} are connected");
            refuse(&socket, "too many programs");
            return;
        };
        let open = self.open.clone();
        // A panic ends this program's thread and nothing else.
        let serving = move || {
            let gpu = match open() {
                Ok(gpu) => gpu,
                Err(error) => {
                    log::warn!("program refused: can't open the device: {error}");
                    refuse(&socket, "no way to the host's windows");
                    return;
                }
            };
            if let Err(error) = proxy::serve(socket, gpu, &place.counters) {
                log::warn!("program {} ended: {}", place.number, chain(&error));
            }
        };
        if let Err(error) = thread::Builder::new().name("program".into()).spawn(serving) {
            log::warn!("program refused: {error}");
        }
    }

    fn report(&self) {
        let programs = self.programs.lock();
        for (number, counters) in &programs.1 {
            eprintln!("wayland: program {number}: {counters}");
        }
    }
}

fn refuse(socket: &OwnedFd, reason: &str) {
    let message = error_message(1, NO_MEMORY, reason);
    let _ = send(socket, &message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// One of the places for programs; given back on drop, with a line that says what the program cost.
struct Place {
    programs: Arc<Programs>,
    number: u64,
    counters: Arc<Counters>,
}

impl Place {
    fn take(programs: &Arc<Programs>) -> Option<Self> {
        let mut state = programs.lock();
        if state.1.len() >= PROGRAMS {
            return None;
        }
        state.0 += 1;
        let (number, counters) = (state.0, Arc::<Counters>::default());
        state.1.insert(number, counters.clone());
        let programs = programs.clone();
        Some(Self {
            programs,
            number,
            counters,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.programs.lock().1.remove(&self.number);
        if self.counters.read().0 > 0 {
            eprintln!("wayland: program {} ended: {}", self.number, self.counters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let programs = Arc::default();
        let mut places: Vec<_> = (0..PROGRAMS).map(|_| Place::take(&programs)).collect();
        assert!(places.iter().all(Option::is_some) && Place::take(&programs).is_none());
        places.pop();
        assert_eq!(
            Place::take(&programs).map(|it| it.number),
            Some(PROGRAMS as u64 + 1)
        );
    }
}
