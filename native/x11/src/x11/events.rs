//! What happens to X11 windows, as told to the window manager.

use std::rc::Rc;

use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ClientMessageEvent, ConfigWindow, ConfigureRequestEvent, PropertyNotifyEvent,
        },
    },
};

use super::{X11, XError};
use crate::{
    bridge::Bridge,
    window::{Geometry, State},
};

/// Of _NET_WM_STATE: remove, add, toggle.
const ADD: u32 = 1;
const TOGGLE: u32 = 2;

impl X11 {
    /// Handles all that is there, and sends what that led to.
    pub fn dispatch(&self, bridge: &Rc<Bridge>) -> Result<(), XError> {
        while let Some(event) = self.connection.poll_for_event()? {
            self.handle(bridge, event)?;
        }
        self.connection.flush()?;
        Ok(())
    }

    fn handle(&self, bridge: &Rc<Bridge>, event: Event) -> Result<(), XError> {
        match event {
            Event::CreateNotify(event) if event.parent == self.root && event.window != self.own => {
                let geometry = Geometry {
                    x: event.x.into(),
                    y: event.y.into(),
                    width: event.width.into(),
                    height: event.height.into(),
                };
                self.watch(event.window)?;
                bridge.created(event.window, geometry, event.override_redirect);
            }
            Event::DestroyNotify(event) => bridge.destroyed(event.window),
            Event::MapRequest(event) => {
                bridge.described(event.window, self.properties(event.window));
                bridge.stated(event.window, self.net_state(event.window));
                self.map(event.window)?;
            }
            Event::MapNotify(event) => {
                bridge.described(event.window, self.properties(event.window));
                bridge.mapped(event.window, event.override_redirect);
            }
            Event::UnmapNotify(event) if event.event == self.root => {
                bridge.unmapped(event.window);
                self.set_wm_state(event.window, false)?;
            }
            Event::ReparentNotify(event) if event.parent != self.root => {
                bridge.destroyed(event.window);
            }
            Event::ConfigureRequest(event) => self.answer(bridge, &event)?,
            Event::ConfigureNotify(event) => {
                let geometry = Geometry {
                    x: event.x.into(),
                    y: event.y.into(),
                    width: event.width.into(),
                    height: event.height.into(),
                };
                bridge.moved(event.window, geometry);
            }
            Event::PropertyNotify(event) => self.property_changed(bridge, event)?,
            Event::ClientMessage(event) => self.message(bridge, &event)?,
            Event::XfixesSelectionNotify(event) => {
                bridge.selection.owner_changed(bridge, &event)?
            }
            Event::SelectionRequest(event) => bridge.selection.requested(bridge, event)?,
            Event::SelectionNotify(event) => bridge.selection.converted(bridge, &event)?,
            // A window may be gone by the time that a request about it is handled.
            Event::Error(error) => log::debug!("X11 error: {error:?}"),
            _ => {}
        }
        Ok(())
    }

    fn answer(&self, bridge: &Rc<Bridge>, event: &ConfigureRequestEvent) -> Result<(), XError> {
        let Some((now, is_fixed)) = bridge.geometry(event.window) else {
            return Ok(());
        };
        let mask = event.value_mask;
        let mut wanted = now;
        if mask.contains(ConfigWindow::X) {
            wanted.x = event.x.into();
        }
        if mask.contains(ConfigWindow::Y) {
            wanted.y = event.y.into();
        }
        if mask.contains(ConfigWindow::WIDTH) {
            wanted.width = event.width.into();
        }
        if mask.contains(ConfigWindow::HEIGHT) {
            wanted.height = event.height.into();
        }
        if is_fixed || wanted == now {
            return self.repeat_geometry(event.window, now);
        }
        self.place(event.window, wanted)
    }

    fn property_changed(
        &self,
        bridge: &Rc<Bridge>,
        event: PropertyNotifyEvent,
    ) -> Result<(), XError> {
        let atoms = &self.atoms;
        if event.window == self.own {
            return bridge.selection.property_changed(bridge, &event);
        }
        let known = [
            atoms.WM_PROTOCOLS,
            atoms._MOTIF_WM_HINTS,
            atoms._NET_WM_NAME,
            AtomEnum::WM_NAME.into(),
            AtomEnum::WM_CLASS.into(),
            AtomEnum::WM_HINTS.into(),
            AtomEnum::WM_NORMAL_HINTS.into(),
            AtomEnum::WM_TRANSIENT_FOR.into(),
        ];
        if known.contains(&event.atom) && bridge.is_shown(event.window) {
            bridge.described(event.window, self.properties(event.window));
        }
        Ok(())
    }

    fn message(&self, bridge: &Rc<Bridge>, event: &ClientMessageEvent) -> Result<(), XError> {
        let atoms = &self.atoms;
        let data = event.data.as_data32();
        let window = event.window;
        if event.type_ == atoms.WL_SURFACE_SERIAL {
            bridge.window_named(window, u64::from(data[1]) << 32 | u64::from(data[0]));
        } else if event.type_ == atoms._NET_WM_STATE {
            let [action, first, second, ..] = data;
            let changed = |now: bool, atom: u32| match action {
                _ if first != atom && second != atom => now,
                TOGGLE => !now,
                action => action == ADD,
            };
            let now = bridge.state(window);
            bridge.stated(
                window,
                State {
                    fullscreen: changed(now.fullscreen, atoms._NET_WM_STATE_FULLSCREEN),
                    maximized: changed(now.maximized, atoms._NET_WM_STATE_MAXIMIZED_VERT),
                },
            );
        } else if event.type_ == atoms._NET_WM_MOVERESIZE {
            bridge.dragged(window, data[2]);
        } else if event.type_ == atoms.WM_CHANGE_STATE {
            bridge.minimize(window);
        } else if event.type_ == atoms._NET_CLOSE_WINDOW {
            bridge.close(window);
        }
        Ok(())
    }
}
