//! The clipboard, in both directions. Whoever copied last owns it: an X11 application, or the compositor's side.

mod from_wayland;
mod from_x11;
mod names;

use std::{
    cell::{OnceCell, RefCell},
    os::fd::OwnedFd,
    rc::Rc,
};

use rustix::event::PollFlags;
use wl_proxy::{
    object::{Object, ObjectUtils},
    protocols::wayland::{
        wl_data_device::{WlDataDevice, WlDataDeviceHandler},
        wl_data_offer::{WlDataOffer, WlDataOfferHandler},
        wl_data_source::{WlDataSource, WlDataSourceHandler},
    },
};
use x11rb::{
    CURRENT_TIME, NONE,
    protocol::{
        xfixes::SelectionNotifyEvent as OwnerEvent,
        xproto::{
            ConnectionExt as _, PropertyNotifyEvent, SelectionNotifyEvent, SelectionRequestEvent,
        },
    },
};

use crate::{bridge::Bridge, x11::XError};
use from_wayland::Reading;
use from_x11::Fetches;

/// Bytes of one paste; what is longer arrives empty.
const LARGEST: usize = 64 << 20;

#[derive(Default)]
pub struct Selection {
    device: OnceCell<Rc<WlDataDevice>>,
    /// What the compositor offers, with its types.
    offer: RefCell<Option<(Rc<WlDataOffer>, Vec<String>)>>,
    /// What an X11 application has copied, as offered to the compositor.
    source: RefCell<Option<Rc<WlDataSource>>>,
    /// The targets that the X11 owner has.
    targets: RefCell<Vec<String>>,
    fetches: RefCell<Fetches>,
    readings: RefCell<Vec<Reading>>,
}

impl Selection {
    /// Begins once the compositor's globals for it are there.
    pub fn start(&self, bridge: &Rc<Bridge>) {
        if self.device.get().is_some() {
            return;
        }
        let manager = bridge.globals.data_devices.borrow();
        let seat = bridge.globals.seat.borrow();
        if let (Some(manager), Some(seat)) = (&*manager, &*seat) {
            let device = manager.new_send_get_data_device(seat);
            device.set_handler(DeviceHandler(bridge.clone()));
            let _ = self.device.set(device);
        }
    }

    /// The pipes to wait for.
    pub fn waiting(&self) -> Vec<(Rc<OwnedFd>, PollFlags)> {
        let readings = self.readings.borrow();
        let reading = readings
            .iter()
            .map(|reading| (reading.pipe.clone(), PollFlags::IN));
        let writing = self.fetches.borrow();
        let writing = writing
            .pipe()
            .map(|pipe| (pipe.clone(), PollFlags::OUT))
            .into_iter();
        reading.chain(writing).collect()
    }

    /// Moves what the pipes take and give without waiting.
    pub fn pump(&self, bridge: &Rc<Bridge>) {
        let Some(x) = bridge.x.get() else { return };
        self.readings.borrow_mut().retain_mut(|reading| {
            let is_over = reading.read();
            if is_over {
                bridge.tell(|x| reading.answer(x));
            }
            !is_over
        });
        self.fetches.borrow_mut().pump(x);
        bridge.tell(|x| Ok(x11rb::connection::Connection::flush(&x.connection)?));
    }

    pub fn owner_changed(&self, bridge: &Rc<Bridge>, event: &OwnerEvent) -> Result<(), XError> {
        let Some(x) = bridge.x.get() else {
            return Ok(());
        };
        if event.owner == x.own {
            return Ok(());
        }
        if event.owner == NONE {
            self.withdraw();
            return Ok(());
        }
        x.connection.convert_selection(
            x.own,
            x.atoms.CLIPBOARD,
            x.atoms.TARGETS,
            x.atoms.TARGETS,
            event.timestamp,
        )?;
        Ok(())
    }

    /// Another client asks for what the compositor's side has copied.
    pub fn requested(
        &self,
        bridge: &Rc<Bridge>,
        event: SelectionRequestEvent,
    ) -> Result<(), XError> {
        let Some(x) = bridge.x.get() else {
            return Ok(());
        };
        let offer = self.offer.borrow();
        let Some((offer, types)) = &*offer else {
            return x.refuse_selection(&event);
        };
        if event.target == x.atoms.TARGETS {
            return x.tell_targets(&event, types);
        }
        let name = x.atom_name(event.target)?;
        let reading =
            names::type_for(&name, types).and_then(|mime| Reading::start(offer, mime, event));
        match reading {
            Some(reading) => {
                self.readings.borrow_mut().push(reading);
                Ok(())
            }
            None => x.refuse_selection(&event),
        }
    }

    /// The X11 owner has answered: with its targets, or with what was asked for.
    pub fn converted(
        &self,
        bridge: &Rc<Bridge>,
        event: &SelectionNotifyEvent,
    ) -> Result<(), XError> {
        let Some(x) = bridge.x.get() else {
            return Ok(());
        };
        if event.target != x.atoms.TARGETS {
            self.fetches.borrow_mut().answered(x, event.property);
            return Ok(());
        }
        if event.property != NONE {
            let targets = x.take_targets()?;
            self.offer_types(bridge, &names::types_of(&targets));
            self.targets.replace(targets);
        }
        Ok(())
    }

    pub fn property_changed(
        &self,
        bridge: &Rc<Bridge>,
        event: &PropertyNotifyEvent,
    ) -> Result<(), XError> {
        if let Some(x) = bridge.x.get() {
            self.fetches.borrow_mut().property_changed(x, event);
        }
        Ok(())
    }

    fn offer_types(&self, bridge: &Rc<Bridge>, types: &[String]) {
        let manager = bridge.globals.data_devices.borrow();
        let (Some(manager), Some(device)) = (&*manager, self.device.get()) else {
            return;
        };
        self.withdraw();
        if types.is_empty() {
            return;
        }
        let source = manager.new_send_create_data_source();
        source.set_handler(SourceHandler(bridge.clone()));
        for mime in types {
            source.send_offer(mime);
        }
        device.send_set_selection(Some(&source), bridge.input.serial.get());
        self.source.replace(Some(source));
    }

    fn withdraw(&self) {
        if let Some(source) = self.source.take() {
            source.unset_handler();
            source.send_destroy();
        }
    }
}

struct DeviceHandler(Rc<Bridge>);

impl WlDataDeviceHandler for DeviceHandler {
    fn handle_data_offer(&mut self, _slf: &Rc<WlDataDevice>, id: &Rc<WlDataOffer>) {
        id.set_handler(OfferHandler::default());
    }

    fn handle_enter(
        &mut self,
        _slf: &Rc<WlDataDevice>,
        _serial: u32,
        _surface: &Rc<wl_proxy::protocols::wayland::wl_surface::WlSurface>,
        _x: wl_proxy::fixed::Fixed,
        _y: wl_proxy::fixed::Fixed,
        id: Option<&Rc<WlDataOffer>>,
    ) {
        // Drags are not carried over: without an answer the compositor shows that nothing can be dropped.
        if let Some(offer) = id {
            offer.send_destroy();
        }
    }

    fn handle_selection(&mut self, _slf: &Rc<WlDataDevice>, id: Option<&Rc<WlDataOffer>>) {
        let selection = &self.0.selection;
        let types = id.and_then(|offer| {
            let handler = offer.try_get_handler_ref::<OfferHandler>().ok()?;
            Some((offer.clone(), handler.types.clone()))
        });
        if let Some((old, _)) = selection.offer.replace(types) {
            old.unset_handler();
            old.send_destroy();
        }
        // One's own copy comes back as an offer.
        if selection.source.borrow().is_some() {
            return;
        }
        let has_offer = selection.offer.borrow().is_some();
        self.0.tell(|x| {
            let owner = if has_offer { x.own } else { NONE };
            let is_owner = || -> Result<bool, XError> {
                let cookie = x.connection.get_selection_owner(x.atoms.CLIPBOARD)?;
                Ok(cookie.reply()?.owner == x.own)
            };
            if has_offer || is_owner()? {
                let clipboard = x.atoms.CLIPBOARD;
                x.connection
                    .set_selection_owner(owner, clipboard, CURRENT_TIME)?;
            }
            Ok(())
        });
    }
}

#[derive(Default)]
struct OfferHandler {
    types: Vec<String>,
}

impl WlDataOfferHandler for OfferHandler {
    fn handle_offer(&mut self, _slf: &Rc<WlDataOffer>, mime_type: &str) {
        self.types.push(mime_type.to_owned());
    }
}

struct SourceHandler(Rc<Bridge>);

impl WlDataSourceHandler for SourceHandler {
    fn handle_send(&mut self, _slf: &Rc<WlDataSource>, mime_type: &str, fd: &Rc<OwnedFd>) {
        let selection = &self.0.selection;
        let target = names::target_for(mime_type, &selection.targets.borrow());
        self.0.tell(|x| {
            let target = x.atom(&target)?;
            selection.fetches.borrow_mut().add(x, target, fd.clone());
            Ok(())
        });
    }

    fn handle_cancelled(&mut self, slf: &Rc<WlDataSource>) {
        self.0.selection.source.take();
        slf.send_destroy();
        slf.unset_handler();
    }
}
