//! One client of the guest and its own connection to the compositor, from accept to the end of either.

use std::{cell::Cell, io, os::fd::OwnedFd, rc::Rc, sync::Arc};

use cloche_wayland::farewell::{Farewell, NO_MEMORY};
use thiserror::Error;
use wl_proxy::{
    baseline::Baseline,
    object::{Object, ObjectCoreApi},
    state::{State, StateError},
};

use crate::{
    compositor::Door,
    flow::{Flow, FlowError},
    input::Focus,
    policy::Policy,
    registry::Display,
    shm::quota::{InstanceTotals, Quota},
};

/// Objects of one client, those being destroyed included.
const OBJECTS: usize = 65_536;
/// Rounds of at most 8 KiB of messages between two counts of the objects.
const ROUNDS_PER_COUNT: u32 = 64;

#[derive(Debug, Error)]
pub enum SessionError {
    #[error("can't connect to the compositor")]
    Connect(#[source] io::Error),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

/// What the handlers of one client share.
pub struct Session {
    pub policy: Arc<Policy>,
    pub quota: Rc<Quota>,
    pub focus: Focus,
    condemned: Cell<bool>,
}

impl Session {
    /// Ends the client with a protocol error; nothing more that it sent is read.
    pub fn reject(&self, object: Rc<dyn Object>, code: u32, reason: &str) {
        let Some(client) = object.client() else {
            return;
        };
        if !self.condemned.replace(true) {
            log::warn!("client dropped: {reason}");
            client.set_suspended(true);
            // An error that can't be said changes nothing: the client ends.
            let _ = client.display().try_send_error(object, code, reason);
        }
    }

    pub fn is_condemned(&self) -> bool {
        self.condemned.get()
    }
}

/// Serves one client until it ends, by itself or by a protocol error.
pub fn serve(
    socket: OwnedFd,
    door: &Door,
    policy: Arc<Policy>,
    totals: &Arc<InstanceTotals>,
) -> Result<(), SessionError> {
    let socket = Rc::new(socket);
    let server = Rc::new(door.connect().map_err(SessionError::Connect)?);
    let state = State::builder(Baseline::V6)
        .with_logging(false)
        .with_server_fd(&server)
        .build()?;
    // Breaks the cycles between state and objects on every way out, a panic included.
    let _destroy = state.create_destructor();
    let client = state.add_client(&socket)?;
    let session = Rc::new(Session {
        policy,
        quota: Quota::new(totals),
        focus: Focus::default(),
        condemned: Cell::new(false),
    });
    client.set_handler(Farewell::new(&state, &socket));
    state.set_handler(Farewell::new(&state, &socket));
    client.display().set_handler(Display::new(&session));

    let mut flow = Flow::new(state.clone(), client.clone(), socket, server);
    let mut objects = Vec::new();
    let mut rounds = 0;
    while state.is_not_destroyed() {
        state.before_poll()?;
        flow.wait()?;
        state.dispatch_available()?;
        rounds = (rounds + 1) % ROUNDS_PER_COUNT;
        if rounds == 0 {
            client.objects(&mut objects);
            if objects.len() > OBJECTS {
                session.reject(client.display().clone(), NO_MEMORY, "too many objects");
                state.before_poll()?;
            }
            objects.clear();
        }
        if session.is_condemned() {
            return Ok(());
        }
    }
    Ok(())
}
