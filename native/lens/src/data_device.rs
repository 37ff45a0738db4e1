//! Clipboard and drags: what crosses is what --clipboard allows; the rest looks to the guest like an empty clipboard.

use std::{cell::Cell, os::fd::OwnedFd, rc::Rc};

use wl_proxy::{
    fixed::Fixed,
    object::{ObjectCoreApi, ObjectUtils},
    protocols::wayland::{
        wl_data_device::{WlDataDevice, WlDataDeviceHandler},
        wl_data_device_manager::{
            WlDataDeviceManager, WlDataDeviceManagerDndAction, WlDataDeviceManagerHandler,
        },
        wl_data_offer::{WlDataOffer, WlDataOfferHandler},
        wl_data_source::{WlDataSource, WlDataSourceHandler},
        wl_seat::WlSeat,
        wl_surface::WlSurface,
    },
};

use crate::{clipboard::Offered, session::Session};

pub struct DataDeviceManager {
    pub session: Rc<Session>,
}

impl WlDataDeviceManagerHandler for DataDeviceManager {
    fn handle_create_data_source(&mut self, slf: &Rc<WlDataDeviceManager>, id: &Rc<WlDataSource>) {
        id.set_handler(Source::default());
        if self.session.policy.clipboard.guest_to_host {
            slf.send_create_data_source(id);
        }
    }

    fn handle_get_data_device(
        &mut self,
        slf: &Rc<WlDataDeviceManager>,
        id: &Rc<WlDataDevice>,
        seat: &Rc<WlSeat>,
    ) {
        id.set_handler(Device {
            session: self.session.clone(),
            dragged: Rc::default(),
        });
        if !self.session.policy.clipboard.is_none() {
            slf.send_get_data_device(id, seat);
        }
    }
}

/// A source that the compositor doesn't know when nothing leaves the guest.
#[derive(Default)]
struct Source {
    offered: Offered,
}

fn is_forwarded(object: &impl ObjectCoreApi) -> bool {
    object.server_id().is_some()
}

impl WlDataSourceHandler for Source {
    fn handle_offer(&mut self, slf: &Rc<WlDataSource>, mime_type: &str) {
        if is_forwarded(&**slf) && self.offered.admit(mime_type) {
            slf.send_offer(mime_type);
        }
    }

    fn handle_set_actions(
        &mut self,
        slf: &Rc<WlDataSource>,
        dnd_actions: WlDataDeviceManagerDndAction,
    ) {
        if is_forwarded(&**slf) {
            slf.send_set_actions(dnd_actions);
        }
    }

    fn handle_destroy(&mut self, slf: &Rc<WlDataSource>) {
        match is_forwarded(&**slf) {
            true => slf.send_destroy(),
            false => slf.delete_id(),
        }
    }

    fn handle_send(&mut self, slf: &Rc<WlDataSource>, mime_type: &str, fd: &Rc<OwnedFd>) {
        if self.offered.has(mime_type) {
            slf.send_send(mime_type, fd);
        }
    }
}

/// What became of an offer of a drag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Drag {
    /// It is a selection's.
    #[default]
    None,
    Over,
    /// The user let go of it over the client.
    Dropped,
    Gone,
}

struct Device {
    session: Rc<Session>,
    /// Of the offer that is over the client now, or was last.
    dragged: Rc<Cell<Drag>>,
}

impl Device {
    fn hears_host(&self) -> bool {
        self.session.policy.clipboard.host_to_guest
    }
}

impl WlDataDeviceHandler for Device {
    fn handle_start_drag(
        &mut self,
        slf: &Rc<WlDataDevice>,
        source: Option<&Rc<WlDataSource>>,
        origin: &Rc<WlSurface>,
        icon: Option<&Rc<WlSurface>>,
        serial: u32,
    ) {
        match source {
            _ if self.session.policy.clipboard.guest_to_host => {
                slf.send_start_drag(source, origin, icon, serial)
            }
            Some(source) => source.send_cancelled(),
            None => {}
        }
    }

    fn handle_set_selection(
        &mut self,
        slf: &Rc<WlDataDevice>,
        source: Option<&Rc<WlDataSource>>,
        serial: u32,
    ) {
        match source {
            _ if self.session.policy.clipboard.guest_to_host => {
                slf.send_set_selection(source, serial)
            }
            Some(source) => source.send_cancelled(),
            None => {}
        }
    }

    fn handle_release(&mut self, slf: &Rc<WlDataDevice>) {
        match is_forwarded(&**slf) {
            true => slf.send_release(),
            false => slf.delete_id(),
        }
    }

    fn handle_data_offer(&mut self, slf: &Rc<WlDataDevice>, id: &Rc<WlDataOffer>) {
        if !self.hears_host() {
            id.set_forward_to_client(false);
            id.send_destroy();
            return;
        }
        id.set_handler(Offer {
            session: self.session.clone(),
            offered: Offered::default(),
            drag: Rc::default(),
        });
        slf.send_data_offer(id);
    }

    fn handle_selection(&mut self, slf: &Rc<WlDataDevice>, id: Option<&Rc<WlDataOffer>>) {
        if self.hears_host() {
            slf.send_selection(id);
        }
    }

    fn handle_enter(
        &mut self,
        slf: &Rc<WlDataDevice>,
        serial: u32,
        surface: &Rc<WlSurface>,
        x: Fixed,
        y: Fixed,
        id: Option<&Rc<WlDataOffer>>,
    ) {
        if !self.hears_host() {
            return;
        }
        if let Some(id) = id
            && let Ok(mut offer) = id.try_get_handler_mut::<Offer>()
        {
            offer.drag = Rc::new(Cell::new(Drag::Over));
            self.dragged = offer.drag.clone();
        }
        slf.send_enter(serial, surface, x, y, id);
    }

    fn handle_leave(&mut self, slf: &Rc<WlDataDevice>) {
        // A compositor may end the visit after the drop, too.
        if self.dragged.get() == Drag::Over {
            self.dragged.set(Drag::Gone);
        }
        if self.hears_host() {
            slf.send_leave();
        }
    }

    fn handle_motion(&mut self, slf: &Rc<WlDataDevice>, time: u32, x: Fixed, y: Fixed) {
        if self.hears_host() {
            slf.send_motion(time, x, y);
        }
    }

    fn handle_drop(&mut self, slf: &Rc<WlDataDevice>) {
        if self.hears_host() {
            self.session.focus.gesture();
            if self.dragged.get() == Drag::Over {
                self.dragged.set(Drag::Dropped);
            }
            slf.send_drop();
        }
    }
}

struct Offer {
    session: Rc<Session>,
    offered: Offered,
    drag: Rc<Cell<Drag>>,
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
        let focus = &self.session.focus;
        let in_use = match self.drag.get() {
            Drag::None => focus.may_paste(),
            Drag::Dropped => focus.has_recent_gesture(),
            Drag::Over | Drag::Gone => false,
        };
        if in_use && self.offered.has(mime_type) {
            slf.send_receive(mime_type, fd);
        }
    }
}
