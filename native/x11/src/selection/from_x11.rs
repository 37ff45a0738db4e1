//! From an X11 application to the compositor's side: asked for one at a time, whole or in pieces (INCR), written to a pipe.

use std::{
    collections::VecDeque,
    os::fd::OwnedFd,
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::io::{Errno, write};
use x11rb::{
    CURRENT_TIME, NONE,
    protocol::xproto::{AtomEnum, ConnectionExt as _, Property, PropertyNotifyEvent},
};

use super::{LARGEST, names};
use crate::x11::{X11, XError};

/// How long an application may take to answer before the next is served.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Fetches {
    current: Option<Fetch>,
    waiting: VecDeque<(u32, Rc<OwnedFd>)>,
}

struct Fetch {
    pipe: Rc<OwnedFd>,
    is_latin: bool,
    data: VecDeque<u8>,
    total: usize,
    state: Progress,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Asked,
    InPieces,
    Complete,
}

impl Fetches {
    pub fn add(&mut self, x: &X11, target: u32, pipe: Rc<OwnedFd>) {
        // The compositor's side decides how its end behaves; ours must not make the bridge wait.
        let _ = rustix::io::ioctl_fionbio(&pipe, true);
        self.waiting.push_back((target, pipe));
        self.next(x);
    }

    /// The pipe that has something to take.
    pub fn pipe(&self) -> Option<&Rc<OwnedFd>> {
        let current = self.current.as_ref()?;
        (!current.data.is_empty()).then_some(&current.pipe)
    }

    pub fn answered(&mut self, x: &X11, property: u32) {
        let Some(current) = &mut self.current else {
            return;
        };
        if property == NONE {
            current.state = Progress::Complete;
        } else if let Ok((kind, data)) = take(x) {
            if kind == x.atoms.INCR {
                current.state = Progress::InPieces;
                current.since = Instant::now();
            } else {
                current.push(&data);
                current.state = Progress::Complete;
            }
        }
        self.pump(x);
    }

    pub fn property_changed(&mut self, x: &X11, event: &PropertyNotifyEvent) {
        let is_piece = event.atom == x.atoms.CLOCHE_SELECTION && event.state == Property::NEW_VALUE;
        let Some(current) = &mut self.current else {
            return;
        };
        if !is_piece || current.state != Progress::InPieces {
            return;
        }
        match take(x) {
            Ok((_, data)) if !data.is_empty() => {
                current.push(&data);
                current.since = Instant::now();
            }
            _ => current.state = Progress::Complete,
        }
        self.pump(x);
    }

    pub fn pump(&mut self, x: &X11) {
        if let Some(current) = &mut self.current {
            let is_broken = current.write().is_err();
            let is_done = current.state == Progress::Complete && current.data.is_empty();
            if is_broken || is_done {
                self.current = None;
            }
        }
        self.next(x);
    }

    fn next(&mut self, x: &X11) {
        let is_late = |fetch: &Fetch| fetch.data.is_empty() && fetch.since.elapsed() > PATIENCE;
        if !self.waiting.is_empty() && self.current.as_ref().is_some_and(is_late) {
            self.current = None;
        }
        if self.current.is_some() {
            return;
        }
        let Some((target, pipe)) = self.waiting.pop_front() else {
            return;
        };
        let asked = ask(x, target);
        if asked.is_ok() {
            self.current = Some(Fetch {
                pipe,
                is_latin: target == u32::from(AtomEnum::STRING),
                data: VecDeque::new(),
                total: 0,
                state: Progress::Asked,
                since: Instant::now(),
            });
        }
    }
}

impl Fetch {
    fn push(&mut self, data: &[u8]) {
        self.total += data.len();
        if self.total > LARGEST {
            self.data.clear();
            self.state = Progress::Complete;
        } else if self.is_latin {
            self.data.extend(names::latin_to_utf8(data));
        } else {
            self.data.extend(data);
        }
    }

    /// Fails when nobody reads any more.
    fn write(&mut self) -> Result<(), Errno> {
        while !self.data.is_empty() {
            match write(&self.pipe, self.data.as_slices().0) {
                Ok(count) => drop(self.data.drain(..count)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn ask(x: &X11, target: u32) -> Result<(), XError> {
    let (clipboard, property) = (x.atoms.CLIPBOARD, x.atoms.CLOCHE_SELECTION);
    x.connection.delete_property(x.own, property)?;
    x.connection
        .convert_selection(x.own, clipboard, target, property, CURRENT_TIME)?;
    Ok(())
}

/// The type of what the owner has put there, and the bytes; removing it asks for the next piece.
fn take(x: &X11) -> Result<(u32, Vec<u8>), XError> {
    let property = x.atoms.CLOCHE_SELECTION;
    let longest = u32::try_from(LARGEST / 4).unwrap_or(u32::MAX);
    let reply = x
        .connection
        .get_property(true, x.own, property, AtomEnum::ANY, 0, longest)?
        .reply()?;
    Ok((reply.type_, reply.value))
}

impl X11 {
    pub(super) fn take_targets(&self) -> Result<Vec<String>, XError> {
        let (own, property) = (self.own, self.atoms.TARGETS);
        let reply = self
            .connection
            .get_property(true, own, property, AtomEnum::ANY, 0, 1024)?
            .reply()?;
        let atoms: Vec<u32> = reply.value32().into_iter().flatten().collect();
        atoms.into_iter().map(|atom| self.atom_name(atom)).collect()
    }
}
