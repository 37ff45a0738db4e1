//! One program and its own channel to the host, from accept to the end of either.

use std::{
    cell::{Cell, RefCell},
    os::fd::OwnedFd,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use cloche_wayland::farewell::Farewell;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
};
use thiserror::Error;
use wl_proxy::{
    baseline::Baseline,
    client::Client,
    object::{Object, ObjectCoreApi},
    protocols::wayland::wl_shm::WlShm,
    state::{State, StateError},
};

use super::{
    arena::{Arena, Tokens},
    bridge::{Bridge, BridgeError},
    counters::Counters,
    registry::Display,
};
use crate::{
    channel::{Channel, ChannelError},
    gpu::Gpu,
};

/// How long a program waits for the compositor to give pictures back before it may show another.
const BREATH: Duration = Duration::from_millis(50);
/// How often a stalled transfer is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Rounds of the proxy, 8 KiB of messages from each side at most, before descriptors are looked at again.
const ROUNDS: usize = 8;
/// Enough for all that fits the proxy's socket.
const LAST_ROUNDS: usize = 256;
/// How long a program's last transfers may take when it is gone.
const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug, Error)]
pub enum SessionError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("can't {0}")]
    Call(&'static str, #[source] Errno),
}

/// What the handlers of one program share.
pub struct Session {
    pub arena: Arena,
    pub counters: Arc<Counters>,
    /// The proxy's own, from which all pools are made.
    pub shm: RefCell<Option<Rc<WlShm>>>,
    condemned: Cell<bool>,
    crowded_since: Cell<Option<Instant>>,
}

impl Session {
    /// Ends the program with a protocol error; nothing more that it sent is read.
    pub fn reject(&self, object: Rc<dyn Object>, code: u32, reason: &str) {
        let Some(client) = object.client() else {
            return;
        };
        if !self.condemned.replace(true) {
            log::warn!("program dropped: {reason}");
            client.set_suspended(true);
            // An error that can't be said changes nothing: the program ends.
            let _ = client.display().try_send_error(object, code, reason);
        }
    }

    /// Lets a program wait that shows pictures faster than the compositor gives them back.
    pub fn breathe(&self, client: &Rc<Client>) {
        if self.arena.is_crowded() {
            self.crowded_since.set(Some(Instant::now()));
            client.set_suspended(true);
        }
    }

    /// Ends the wait; whether one goes on.
    fn is_waiting(&self, client: &Rc<Client>) -> bool {
        let Some(since) = self.crowded_since.get() else {
            return false;
        };
        if self.arena.is_crowded() && since.elapsed() < BREATH {
            return true;
        }
        self.crowded_since.set(None);
        client.set_suspended(self.condemned.get());
        false
    }
}

/// Serves one program until it ends, by itself or by an error.
pub fn serve(
    program: OwnedFd,
    gpu: Rc<dyn Gpu>,
    counters: &Arc<Counters>,
) -> Result<(), SessionError> {
    let channel = Rc::new(Channel::open(gpu)?);
    let (near, far) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|errno| SessionError::Call("make a socket", errno))?;
    let program = Rc::new(program);
    let state = State::builder(Baseline::V6)
        .with_logging(false)
        .with_server_fd(&Rc::new(near))
        .build()?;
    // Breaks the cycles between state and objects on every way out, a panic included.
    let destroy = state.create_destructor();
    let client = state.add_client(&program)?;
    let tokens = Rc::new(Tokens::default());
    let session = Rc::new(Session {
        arena: Arena::new(&channel, &tokens),
        counters: counters.clone(),
        shm: RefCell::default(),
        condemned: Cell::new(false),
        crowded_since: Cell::new(None),
    });
    client.set_handler(Farewell::new(&state, &program));
    state.set_handler(Farewell::new(&state, &program));
    client.display().set_handler(Display {
        session: session.clone(),
    });
    let mut turn = Turn {
        bridge: Bridge::new(far, &channel, &tokens),
        state,
        client,
        program,
        session,
        is_stalled: false,
    };
    let outcome = turn.run();
    drop(destroy);
    let Turn {
        bridge, program, ..
    } = turn;
    drop(program);
    outcome.and_then(|()| linger(bridge))
}

struct Turn {
    state: Rc<State>,
    client: Rc<Client>,
    program: Rc<OwnedFd>,
    session: Rc<Session>,
    bridge: Bridge,
    /// The program does not read.
    is_stalled: bool,
}

impl Turn {
    fn run(&mut self) -> Result<(), SessionError> {
        self.bridge.ask()?;
        while self.state.is_not_destroyed() {
            self.state.before_poll()?;
            self.bridge.push()?;
            if self.session.condemned.get() {
                return Ok(());
            }
            if self.bridge.has_ended() {
                log::info!("the host's end is closed");
                return self.work(LAST_ROUNDS);
            }
            self.hold_back()?;
            self.wait()?;
            self.work(ROUNDS)?;
            // What came is worked on before the next is asked for.
            self.bridge.ask()?;
        }
        // What a program that is gone said last still counts.
        self.bridge.push()?;
        Ok(())
    }

    /// Lets the proxy do what there is to do, both sides taking what it says.
    fn work(&mut self, rounds: usize) -> Result<(), SessionError> {
        for _ in 0..rounds {
            if self.state.is_destroyed() || !self.state.dispatch_available()? {
                return Ok(());
            }
            self.bridge.push()?;
            self.bridge.flush()?;
        }
        Ok(())
    }

    /// A program that doesn't read is sent nothing, so that the host is asked for nothing.
    fn hold_back(&mut self) -> Result<(), SessionError> {
        let is_stalled = !ready(&self.program, PollFlags::OUT)?;
        if is_stalled != self.is_stalled {
            self.is_stalled = is_stalled;
            self.state.set_suspended(is_stalled);
        }
        Ok(())
    }

    /// Returns when something can be done, and does what is not the proxy's.
    fn wait(&mut self) -> Result<(), SessionError> {
        let is_waiting = self.session.is_waiting(&self.client);
        let mut descriptors = vec![
            PollFd::new(self.state.poll_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.bridge.events(), PollFlags::IN),
        ];
        if self.is_stalled {
            descriptors.push(PollFd::new(&self.program, PollFlags::OUT));
        }
        if let Some(socket) = self.bridge.stalled_socket() {
            descriptors.push(PollFd::new(socket, PollFlags::OUT));
        }
        let first_pipe = descriptors.len();
        descriptors.extend(self.bridge.pipe_descriptors());
        let timeout = match (is_waiting, descriptors.len() > first_pipe) {
            (true, _) => Some(BREATH),
            (false, true) => Some(LOOK),
            (false, false) => None,
        };
        sleep(&mut descriptors, timeout)?;
        let ready: Vec<_> = descriptors
            .iter()
            .map(|it| !it.revents().is_empty())
            .collect();
        drop(descriptors);
        if ready[1] {
            self.bridge.pull()?;
        }
        self.bridge.flush()?;
        Ok(self.bridge.pump_pipes(&ready[first_pipe..])?)
    }
}

/// Brings a program's last transfers to the host after its end.
fn linger(mut bridge: Bridge) -> Result<(), SessionError> {
    let end = Instant::now() + LINGER;
    while bridge.is_sending() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let mut descriptors: Vec<_> = bridge.pipe_descriptors().collect();
        sleep(&mut descriptors, Some(left))?;
        let ready: Vec<_> = descriptors
            .iter()
            .map(|it| !it.revents().is_empty())
            .collect();
        drop(descriptors);
        bridge.pump_pipes(&ready)?;
    }
    Ok(())
}

fn ready(descriptor: &OwnedFd, flags: PollFlags) -> Result<bool, SessionError> {
    let mut descriptors = [PollFd::new(descriptor, flags)];
    sleep(&mut descriptors, Some(Duration::ZERO))?;
    Ok(!descriptors[0].revents().is_empty())
}

fn sleep(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), SessionError> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match poll(descriptors, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(SessionError::Call("wait", errno)),
    }
}
