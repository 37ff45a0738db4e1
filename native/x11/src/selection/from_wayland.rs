//! From the compositor's side to an X11 application: read to the end from a pipe, then put into a property.

use std::{os::fd::OwnedFd, rc::Rc};

use rustix::{
    io::{Errno, read},
    pipe::{PipeFlags, pipe_with},
};
use wl_proxy::protocols::wayland::wl_data_offer::WlDataOffer;
use x11rb::{
    NONE,
    connection::RequestConnection as _,
    protocol::xproto::{
        AtomEnum, ConnectionExt as _, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
        SelectionNotifyEvent, SelectionRequestEvent,
    },
    wrapper::ConnectionExt as _,
};

use super::{LARGEST, names};
use crate::x11::{X11, XError};

/// Bytes of a request besides the data.
const REQUEST: usize = 64;

pub struct Reading {
    pub pipe: Rc<OwnedFd>,
    to_latin: bool,
    data: Vec<u8>,
    request: SelectionRequestEvent,
}

impl Reading {
    pub fn start(
        offer: &Rc<WlDataOffer>,
        mime: &str,
        request: SelectionRequestEvent,
    ) -> Option<Self> {
        let (pipe, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        rustix::io::ioctl_fionbio(&pipe, true).ok()?;
        offer.send_receive(mime, &Rc::new(writer));
        Some(Self {
            pipe: Rc::new(pipe),
            to_latin: request.target == u32::from(AtomEnum::STRING) && mime != names::X11_LATIN,
            data: Vec::new(),
            request,
        })
    }

    /// Whether all of it is there.
    pub fn read(&mut self) -> bool {
        let mut chunk = [0; 65_536];
        loop {
            match read(&self.pipe, &mut chunk) {
                Ok(0) => return true,
                Ok(count) => self.data.extend_from_slice(&chunk[..count]),
                Err(Errno::AGAIN) => return false,
                Err(Errno::INTR) => {}
                Err(_) => return true,
            }
            if self.data.len() > LARGEST {
                self.data.clear();
                return true;
            }
        }
    }

    pub fn answer(&mut self, x: &X11) -> Result<(), XError> {
        if self.to_latin {
            self.data = names::utf8_to_latin(&self.data);
        }
        let request = &self.request;
        let largest = x.connection.maximum_request_bytes() - REQUEST;
        let mut mode = PropMode::REPLACE;
        let property = x.property_of(request);
        // An empty answer is one, too.
        let chunks = self
            .data
            .chunks(largest)
            .chain(self.data.is_empty().then_some(&[][..]));
        for chunk in chunks {
            let (window, target) = (request.requestor, request.target);
            x.connection
                .change_property8(mode, window, property, target, chunk)?;
            mode = PropMode::APPEND;
        }
        x.answer_selection(request, property)
    }
}

impl X11 {
    pub fn atom(&self, name: &str) -> Result<u32, XError> {
        let cookie = self.connection.intern_atom(false, name.as_bytes())?;
        Ok(cookie.reply()?.atom)
    }

    pub fn atom_name(&self, atom: u32) -> Result<String, XError> {
        // An atom that does not exist is the client's error, and has no name.
        let reply = self.connection.get_atom_name(atom)?.reply();
        Ok(reply.map_or_else(
            |_| String::new(),
            |reply| String::from_utf8_lossy(&reply.name).into_owned(),
        ))
    }

    pub(super) fn tell_targets(
        &self,
        request: &SelectionRequestEvent,
        types: &[String],
    ) -> Result<(), XError> {
        let mut targets = vec![self.atoms.TARGETS];
        for target in names::targets_of(types) {
            targets.push(self.atom(target)?);
        }
        let (window, property) = (request.requestor, self.property_of(request));
        self.connection.change_property32(
            PropMode::REPLACE,
            window,
            property,
            AtomEnum::ATOM,
            &targets,
        )?;
        self.answer_selection(request, property)
    }

    pub(super) fn refuse_selection(&self, request: &SelectionRequestEvent) -> Result<(), XError> {
        self.answer_selection(request, NONE)
    }

    /// Old clients name no property, and mean the one of the target's name (ICCCM 2.2).
    fn property_of(&self, request: &SelectionRequestEvent) -> u32 {
        if request.property == NONE {
            request.target
        } else {
            request.property
        }
    }

    fn answer_selection(
        &self,
        request: &SelectionRequestEvent,
        property: u32,
    ) -> Result<(), XError> {
        let event = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.connection
            .send_event(false, request.requestor, EventMask::NO_EVENT, event)?;
        Ok(())
    }
}
