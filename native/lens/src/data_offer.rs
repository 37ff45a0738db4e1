//! What the host offers: a selection is read by a client in use, dragged data by the client that it was dropped on.

use std::{cell::Cell, os::fd::OwnedFd, rc::Rc};

use wl_proxy::protocols::wayland::wl_data_offer::{WlDataOffer, WlDataOfferHandler};

use crate::{clipboard::Offered, session::Session};

/// What an offer may be read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Not yet, or no more: dragged over the client, dragged away, or finished.
    Nothing,
    Pasting,
    Dropped,
}

pub struct Offer {
    session: Rc<Session>,
    offered: Offered,
    pub is_for: Rc<Cell<Use>>,
}

impl Offer {
    pub fn new(session: &Rc<Session>) -> Self {
        Self {
            session: session.clone(),
            offered: Offered::default(),
            is_for: Rc::new(Cell::new(Use::Nothing)),
        }
    }

    fn may_be_read(&self) -> bool {
        match self.is_for.get() {
            Use::Nothing => false,
            Use::Pasting => self.session.focus.may_paste(),
            Use::Dropped => true,
        }
    }
}

impl WlDataOfferHandler for Offer {
    fn handle_offer(&mut self, slf: &Rc<WlDataOffer>, mime_type: &str) {
        if self.offered.admit(mime_type) {
            slf.send_offer(mime_type);
        }
    }

    fn handle_accept(&mut self, slf: &Rc<WlDataOffer>, serial: u32, mime_type: Option<&str>) {
        slf.send_accept(serial, mime_type.filter(|mime| self.offered.has(mime)));
    }

    // Refused, the descriptor closes: the client reads an empty answer.
    fn handle_receive(&mut self, slf: &Rc<WlDataOffer>, mime_type: &str, fd: &Rc<OwnedFd>) {
        if self.may_be_read() && self.offered.has(mime_type) {
            slf.send_receive(mime_type, fd);
        }
    }

    fn handle_finish(&mut self, slf: &Rc<WlDataOffer>) {
        self.is_for.set(Use::Nothing);
        slf.send_finish();
    }
}
