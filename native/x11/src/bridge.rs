//! The two sides joined: each X11 window that is mapped and has a surface gets a role, and events cross over.

mod roles;

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use wl_proxy::protocols::{
    wayland::{wl_data_device_manager::WlDataDeviceManager, wl_seat::WlSeat},
    xdg_decoration_unstable_v1::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1,
    xdg_shell::{
        xdg_toplevel::{XdgToplevel, XdgToplevelResizeEdge},
        xdg_wm_base::XdgWmBase,
    },
};

use crate::{
    role::Kind,
    seat::Input,
    selection::Selection,
    surface::Surface,
    window::{Geometry, Properties, State, Window},
    x11::{X11, XError},
};

/// _NET_WM_MOVERESIZE counts the edges clockwise from the upper left corner; 8 is a move.
const EDGES: [XdgToplevelResizeEdge; 8] = [
    XdgToplevelResizeEdge::TOP_LEFT,
    XdgToplevelResizeEdge::TOP,
    XdgToplevelResizeEdge::TOP_RIGHT,
    XdgToplevelResizeEdge::RIGHT,
    XdgToplevelResizeEdge::BOTTOM_RIGHT,
    XdgToplevelResizeEdge::BOTTOM,
    XdgToplevelResizeEdge::BOTTOM_LEFT,
    XdgToplevelResizeEdge::LEFT,
];
const MOVE: usize = 8;

#[derive(Default)]
pub struct Globals {
    pub wm_base: RefCell<Option<Rc<XdgWmBase>>>,
    pub decorations: RefCell<Option<Rc<ZxdgDecorationManagerV1>>>,
    pub data_devices: RefCell<Option<Rc<WlDataDeviceManager>>>,
    pub seat: RefCell<Option<Rc<WlSeat>>>,
}

#[derive(Default)]
pub struct Bridge {
    /// There once Xwayland takes connections.
    pub x: OnceCell<X11>,
    pub globals: Globals,
    pub input: Input,
    pub selection: Selection,
    windows: RefCell<BTreeMap<u32, Window>>,
    /// Surfaces and windows whose other half has not been told of yet, by serial.
    named_surfaces: RefCell<HashMap<u64, Rc<Surface>>>,
    named_windows: RefCell<HashMap<u64, u32>>,
}

// Told by X11.
impl Bridge {
    pub fn created(&self, window: u32, geometry: Geometry, is_override: bool) {
        let new = Window {
            geometry,
            is_override,
            ..Window::default()
        };
        self.windows.borrow_mut().insert(window, new);
    }

    pub fn destroyed(&self, window: u32) {
        self.unmapped(window);
        self.windows.borrow_mut().remove(&window);
    }

    pub fn mapped(self: &Rc<Self>, window: u32, is_override: bool) {
        self.with(window, |known| {
            known.is_mapped = true;
            known.is_override = is_override;
        });
        self.show(window);
    }

    pub fn unmapped(&self, window: u32) {
        self.hide(window);
        let surface = self.with(window, |known| {
            known.is_mapped = false;
            known.surface.take()
        });
        if let Some(surface) = surface.flatten() {
            surface.window.set(None);
        }
    }

    pub fn moved(self: &Rc<Self>, window: u32, geometry: Geometry) {
        let before = self.with(window, |known| {
            std::mem::replace(&mut known.geometry, geometry)
        });
        if before.is_some_and(|before| before != geometry) {
            self.reposition(window);
            self.show(window);
        }
    }

    pub fn described(&self, window: u32, properties: Properties) {
        let before = self.with(window, |known| {
            std::mem::replace(&mut known.properties, properties.clone())
        });
        if before.is_some_and(|before| before != properties) {
            self.describe(window);
        }
    }

    /// What the application wants its window to be.
    pub fn stated(&self, window: u32, state: State) {
        self.with(window, |known| match &known.role {
            Some(role) if known.state != state => role.set_state(state),
            Some(_) => {}
            None => known.state = state,
        });
    }

    pub fn window_named(self: &Rc<Self>, window: u32, serial: u64) {
        match self.named_surfaces.borrow_mut().remove(&serial) {
            Some(surface) => self.join(window, surface),
            None => {
                self.named_windows.borrow_mut().insert(serial, window);
            }
        }
    }

    pub fn dragged(&self, window: u32, direction: u32) {
        let Some(seat) = self.globals.seat.borrow().clone() else {
            return;
        };
        let serial = self.input.serial.get();
        let Some(toplevel) = self.toplevel(window) else {
            return;
        };
        match usize::try_from(direction) {
            Ok(MOVE) => toplevel.send_move(&seat, serial),
            Ok(edge) => {
                if let Some(&edge) = EDGES.get(edge) {
                    toplevel.send_resize(&seat, serial, edge);
                }
            }
            Err(_) => {}
        }
    }

    pub fn minimize(&self, window: u32) {
        if let Some(toplevel) = self.toplevel(window) {
            toplevel.send_set_minimized();
        }
    }

    pub fn state(&self, window: u32) -> State {
        self.with(window, |known| known.state).unwrap_or_default()
    }

    pub fn is_shown(&self, window: u32) -> bool {
        self.with(window, |known| known.role.is_some()) == Some(true)
    }

    /// Where a window is, and whether it has to stay so.
    pub fn geometry(&self, window: u32) -> Option<(Geometry, bool)> {
        self.with(window, |known| {
            let is_fixed = known.state.fullscreen || known.state.maximized || known.is_tiled;
            let is_managed = known.is_mapped && !known.is_override;
            (known.geometry, is_managed && is_fixed)
        })
    }
}

// Told by Wayland.
impl Bridge {
    pub fn surface_named(self: &Rc<Self>, serial: u64, surface: &Rc<Surface>) {
        match self.named_windows.borrow_mut().remove(&serial) {
            Some(window) => self.join(window, surface.clone()),
            None => {
                self.named_surfaces
                    .borrow_mut()
                    .insert(serial, surface.clone());
            }
        }
    }

    pub fn surface_destroyed(&self, surface: &Surface, serial: Option<u64>) {
        if let Some(serial) = serial {
            self.named_surfaces.borrow_mut().remove(&serial);
            self.named_windows.borrow_mut().remove(&serial);
        }
        if let Some(window) = surface.window.take() {
            self.hide(window);
            self.with(window, |known| known.surface = None);
        }
    }

    pub fn configured(self: &Rc<Self>, window: u32) {
        let surface = self.with(window, |known| {
            let role = known.role.as_mut()?;
            role.is_configured = true;
            known.surface.clone()
        });
        if let Some(surface) = surface.flatten() {
            surface.open();
        }
        self.show_popups();
    }

    /// The compositor's choice of a toplevel's size and state; 0 leaves it to the application.
    pub fn told_size(&self, window: u32, size: (i32, i32), state: State, is_tiled: bool) {
        let Some((mut geometry, was)) = self.with(window, |known| {
            known.is_tiled = is_tiled;
            (known.geometry, std::mem::replace(&mut known.state, state))
        }) else {
            return;
        };
        if was != state {
            self.tell(|x| x.set_net_state(window, state));
        }
        let now = geometry;
        (geometry.x, geometry.y) = (0, 0);
        if let (Ok(width @ 1..), Ok(height @ 1..)) = (u32::try_from(size.0), u32::try_from(size.1))
        {
            (geometry.width, geometry.height) = (width, height);
        }
        if now != geometry {
            self.tell(|x| x.place(window, geometry));
        }
    }

    /// Where the compositor has put a popup, after so many moves of ours.
    pub fn told_place(&self, window: u32, (x, y): (i32, i32), token: u32) {
        let place = self.with(window, |known| match known.role.as_ref()?.kind {
            Kind::Popup {
                parent,
                token: last,
                ..
            } if last == token => Some((known.geometry, parent)),
            _ => None,
        });
        let Some((now, parent)) = place.flatten() else {
            return;
        };
        let Some(parent) = self.with(parent, |known| known.geometry) else {
            return;
        };
        let geometry = Geometry {
            x: parent.x + x,
            y: parent.y + y,
            ..now
        };
        if geometry != now {
            self.tell(|x| x.place(window, geometry));
        }
    }

    pub fn dismissed(&self, window: u32) {
        self.hide(window);
        self.tell(|x| x.unmap(window));
    }

    pub fn close(&self, window: u32) {
        if let Some(can_delete) = self.with(window, |known| known.properties.can_delete) {
            self.tell(|x| x.close(window, can_delete));
        }
    }

    pub fn focus(&self, window: Option<u32>) {
        if let Some(window) = window {
            let Some((is_override, takes, message)) = self.with(window, |known| {
                let Properties {
                    takes_focus,
                    wants_focus_message,
                    ..
                } = known.properties;
                (known.is_override, takes_focus, wants_focus_message)
            }) else {
                return;
            };
            self.input.focused.set(Some(window));
            if !is_override {
                self.tell(|x| x.focus(Some(window), takes, message));
            }
        } else {
            self.tell(|x| x.focus(None, true, false));
        }
    }
}

impl Bridge {
    fn with<T>(&self, window: u32, act: impl FnOnce(&mut Window) -> T) -> Option<T> {
        self.windows.borrow_mut().get_mut(&window).map(act)
    }

    /// A request that fails means that Xwayland has gone, which the main loop notices.
    pub fn tell(&self, act: impl FnOnce(&X11) -> Result<(), XError>) {
        if let Some(Err(error)) = self.x.get().map(act) {
            log::debug!("{error}");
        }
    }

    fn toplevel(&self, window: u32) -> Option<Rc<XdgToplevel>> {
        self.with(window, |known| known.role.as_ref()?.as_toplevel().cloned())?
    }

    fn join(self: &Rc<Self>, window: u32, surface: Rc<Surface>) {
        self.hide(window);
        surface.window.set(Some(window));
        self.with(window, |known| known.surface = Some(surface));
        self.show(window);
    }
}
