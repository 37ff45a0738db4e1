//! The primary selection, by the same rules as the clipboard.

use std::{os::fd::OwnedFd, rc::Rc};

use wl_proxy::{
    object::ObjectCoreApi,
    protocols::{
        wayland::wl_seat::WlSeat,
        wp_primary_selection_unstable_v1::{
            zwp_primary_selection_device_manager_v1::{
                ZwpPrimarySelectionDeviceManagerV1, ZwpPrimarySelectionDeviceManagerV1Handler,
            },
            zwp_primary_selection_device_v1::{
                ZwpPrimarySelectionDeviceV1, ZwpPrimarySelectionDeviceV1Handler,
            },
            zwp_primary_selection_offer_v1::{
                ZwpPrimarySelectionOfferV1, ZwpPrimarySelectionOfferV1Handler,
            },
            zwp_primary_selection_source_v1::{
                ZwpPrimarySelectionSourceV1, ZwpPrimarySelectionSourceV1Handler,
            },
        },
    },
};

use crate::{clipboard::Offered, session::Session};

type Manager = ZwpPrimarySelectionDeviceManagerV1;
type Device = ZwpPrimarySelectionDeviceV1;
type Source = ZwpPrimarySelectionSourceV1;
type Offer = ZwpPrimarySelectionOfferV1;

pub struct PrimaryManager {
    pub session: Rc<Session>,
}

impl ZwpPrimarySelectionDeviceManagerV1Handler for PrimaryManager {
    fn handle_create_source(&mut self, slf: &Rc<Manager>, id: &Rc<Source>) {
        id.set_handler(PrimarySource::default());
        if self.session.policy.clipboard.guest_to_host {
            slf.send_create_source(id);
        }
    }

    fn handle_get_device(&mut self, slf: &Rc<Manager>, id: &Rc<Device>, seat: &Rc<WlSeat>) {
        id.set_handler(PrimaryDevice {
            session: self.session.clone(),
        });
        if !self.session.policy.clipboard.is_none() {
            slf.send_get_device(id, seat);
        }
    }
}

#[derive(Default)]
struct PrimarySource {
    offered: Offered,
}

impl ZwpPrimarySelectionSourceV1Handler for PrimarySource {
    fn handle_offer(&mut self, slf: &Rc<Source>, mime_type: &str) {
        if slf.server_id().is_some() && self.offered.admit(mime_type) {
            slf.send_offer(mime_type);
        }
    }

    fn handle_destroy(&mut self, slf: &Rc<Source>) {
        match slf.server_id() {
            Some(_) => slf.send_destroy(),
            None => slf.delete_id(),
        }
    }

    fn handle_send(&mut self, slf: &Rc<Source>, mime_type: &str, fd: &Rc<OwnedFd>) {
        if self.offered.has(mime_type) {
            slf.send_send(mime_type, fd);
        }
    }
}

struct PrimaryDevice {
    session: Rc<Session>,
}

impl ZwpPrimarySelectionDeviceV1Handler for PrimaryDevice {
    fn handle_set_selection(&mut self, slf: &Rc<Device>, source: Option<&Rc<Source>>, serial: u32) {
        match source {
            _ if self.session.policy.clipboard.guest_to_host => {
                slf.send_set_selection(source, serial)
            }
            Some(source) => source.send_cancelled(),
            None => {}
        }
    }

    fn handle_data_offer(&mut self, slf: &Rc<Device>, offer: &Rc<Offer>) {
        if !self.session.policy.clipboard.host_to_guest {
            offer.set_forward_to_client(false);
            offer.send_destroy();
            return;
        }
        offer.set_handler(PrimaryOffer {
            session: self.session.clone(),
            offered: Offered::default(),
        });
        slf.send_data_offer(offer);
    }

    fn handle_selection(&mut self, slf: &Rc<Device>, id: Option<&Rc<Offer>>) {
        if self.session.policy.clipboard.host_to_guest {
            slf.send_selection(id);
        }
    }

    fn handle_destroy(&mut self, slf: &Rc<Device>) {
        match slf.server_id() {
            Some(_) => slf.send_destroy(),
            None => slf.delete_id(),
        }
    }
}

struct PrimaryOffer {
    session: Rc<Session>,
    offered: Offered,
}

impl ZwpPrimarySelectionOfferV1Handler for PrimaryOffer {
    fn handle_offer(&mut self, slf: &Rc<Offer>, mime_type: &str) {
        if self.offered.admit(mime_type) {
            slf.send_offer(mime_type);
        }
    }

    fn handle_receive(&mut self, slf: &Rc<Offer>, mime_type: &str, fd: &Rc<OwnedFd>) {
        if self.session.focus.may_paste() && self.offered.has(mime_type) {
            slf.send_receive(mime_type, fd);
        }
    }
}
