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
        wl_data_offer::WlDataOffer,
        wl_data_source::{WlDataSource, WlDataSourceHandler},
        wl_seat::WlSeat,
        wl_surface::WlSurface,
    },
};

use crate::{
    clipboard::Offered,
    data_offer::{Offer, Use},
    session::Session,
};

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
            dragged: None,
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

struct Device {
    session: Rc<Session>,
    /// The offer of the drag that is over the client, until it leaves or is dropped.
    dragged: Option<Rc<Cell<Use>>>,
}

fn use_of(id: &Rc<WlDataOffer>) -> Option<Rc<Cell<Use>>> {
    Some(id.try_get_handler_mut::<Offer>().ok()?.is_for.clone())
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
        id.set_handler(Offer::new(&self.session));
        slf.send_data_offer(id);
    }

    fn handle_selection(&mut self, slf: &Rc<WlDataDevice>, id: Option<&Rc<WlDataOffer>>) {
        if !self.hears_host() {
            return;
        }
        if let Some(is_for) = id.and_then(use_of) {
            is_for.set(Use::Pasting);
        }
        slf.send_selection(id);
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
        self.dragged = id.and_then(use_of);
        slf.send_enter(serial, surface, x, y, id);
    }

    fn handle_leave(&mut self, slf: &Rc<WlDataDevice>) {
        self.dragged = None;
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
        if !self.hears_host() {
            return;
        }
        self.session.focus.gesture();
        if let Some(is_for) = self.dragged.take() {
            is_for.set(Use::Dropped);
        }
        slf.send_drop();
    }
}
