//! What a window is to the compositor: a toplevel, or a popup of one.

use std::{cell::Cell, rc::Rc};

use wl_proxy::object::Object;
use wl_proxy::protocols::{
    wayland::wl_surface::WlSurface,
    xdg_decoration_unstable_v1::{
        zxdg_decoration_manager_v1::ZxdgDecorationManagerV1,
        zxdg_toplevel_decoration_v1::{ZxdgToplevelDecorationV1, ZxdgToplevelDecorationV1Mode},
    },
    xdg_shell::{
        xdg_popup::{XdgPopup, XdgPopupHandler},
        xdg_positioner::{
            XdgPositioner, XdgPositionerAnchor, XdgPositionerConstraintAdjustment,
            XdgPositionerGravity,
        },
        xdg_surface::{XdgSurface, XdgSurfaceHandler},
        xdg_toplevel::{XdgToplevel, XdgToplevelHandler, XdgToplevelState},
        xdg_wm_base::XdgWmBase,
    },
};

use crate::{
    bridge::Bridge,
    window::{Geometry, Properties, State},
};

pub struct Role {
    pub xdg_surface: Rc<XdgSurface>,
    pub kind: Kind,
    pub is_configured: bool,
}

pub enum Kind {
    Toplevel {
        toplevel: Rc<XdgToplevel>,
        decoration: Option<Rc<ZxdgToplevelDecorationV1>>,
    },
    Popup {
        popup: Rc<XdgPopup>,
        parent: u32,
        /// Counts the moves that were asked for.
        token: u32,
    },
}

impl Role {
    pub fn toplevel(
        bridge: &Rc<Bridge>,
        base: &Rc<XdgWmBase>,
        decorations: Option<&Rc<ZxdgDecorationManagerV1>>,
        window: u32,
        surface: &Rc<WlSurface>,
    ) -> Self {
        let xdg_surface = base.new_send_get_xdg_surface(surface);
        xdg_surface.set_handler(SurfaceEvents(bridge.clone(), window));
        let toplevel = xdg_surface.new_send_get_toplevel();
        toplevel.set_handler(ToplevelEvents(bridge.clone(), window));
        let decoration =
            decorations.map(|manager| manager.new_send_get_toplevel_decoration(&toplevel));
        Self {
            xdg_surface,
            kind: Kind::Toplevel {
                toplevel,
                decoration,
            },
            is_configured: false,
        }
    }

    /// `place` is relative to the parent, whose own place is of no matter.
    pub fn popup(
        bridge: &Rc<Bridge>,
        base: &Rc<XdgWmBase>,
        window: u32,
        surface: &Rc<WlSurface>,
        parent: (u32, &Role, Geometry),
        place: Geometry,
    ) -> Self {
        let xdg_surface = base.new_send_get_xdg_surface(surface);
        xdg_surface.set_handler(SurfaceEvents(bridge.clone(), window));
        let (parent, role, size) = parent;
        let positioner = position(base, size, place);
        let popup = xdg_surface.new_send_get_popup(Some(&role.xdg_surface), &positioner);
        positioner.send_destroy();
        popup.set_handler(PopupEvents {
            bridge: bridge.clone(),
            window,
            told: Cell::new(0),
        });
        Self {
            xdg_surface,
            kind: Kind::Popup {
                popup,
                parent,
                token: 0,
            },
            is_configured: false,
        }
    }

    pub fn parent(&self) -> Option<u32> {
        match self.kind {
            Kind::Popup { parent, .. } => Some(parent),
            Kind::Toplevel { .. } => None,
        }
    }

    pub fn as_toplevel(&self) -> Option<&Rc<XdgToplevel>> {
        match &self.kind {
            Kind::Toplevel { toplevel, .. } => Some(toplevel),
            Kind::Popup { .. } => None,
        }
    }

    pub fn describe(&self, properties: &Properties, parent: Option<&Rc<XdgToplevel>>) {
        let Kind::Toplevel {
            toplevel,
            decoration,
        } = &self.kind
        else {
            return;
        };
        toplevel.send_set_title(&properties.title);
        toplevel.send_set_app_id(&properties.class);
        toplevel.send_set_parent(parent);
        let (min, max) = bounds(properties);
        toplevel.send_set_min_size(min.0, min.1);
        toplevel.send_set_max_size(max.0, max.1);
        if let Some(decoration) = decoration {
            decoration.send_set_mode(if properties.decorates_itself {
                ZxdgToplevelDecorationV1Mode::CLIENT_SIDE
            } else {
                ZxdgToplevelDecorationV1Mode::SERVER_SIDE
            });
        }
    }

    pub fn set_state(&self, state: State) {
        let Some(toplevel) = self.as_toplevel() else {
            return;
        };
        if state.fullscreen {
            toplevel.send_set_fullscreen(None);
        } else {
            toplevel.send_unset_fullscreen();
        }
        if state.maximized {
            toplevel.send_set_maximized();
        } else {
            toplevel.send_unset_maximized();
        }
    }

    pub fn reposition(&mut self, base: &Rc<XdgWmBase>, parent: Geometry, place: Geometry) {
        if let Kind::Popup { popup, token, .. } = &mut self.kind {
            use wl_proxy::object::ObjectCoreApi as _;
            if popup.version() >= XdgPopup::MSG__REPOSITION__SINCE {
                *token += 1;
                let positioner = position(base, parent, place);
                popup.send_reposition(&positioner, *token);
                positioner.send_destroy();
            }
        }
    }

    pub fn destroy(self) {
        match &self.kind {
            Kind::Toplevel {
                toplevel,
                decoration,
            } => {
                if let Some(decoration) = decoration {
                    decoration.send_destroy();
                }
                toplevel.unset_handler();
                toplevel.send_destroy();
            }
            Kind::Popup { popup, .. } => {
                popup.unset_handler();
                popup.send_destroy();
            }
        }
        self.xdg_surface.unset_handler();
        self.xdg_surface.send_destroy();
    }
}

/// The smallest and the largest size; 0 is no limit. What contradicts itself is no limit either.
fn bounds(properties: &Properties) -> ((i32, i32), (i32, i32)) {
    let positive = |size: Option<(i32, i32)>| {
        let (width, height) = size.unwrap_or_default();
        (width.max(0), height.max(0))
    };
    let (min, max) = (positive(properties.min_size), positive(properties.max_size));
    let contradicts = |min: i32, max: i32| max != 0 && min > max;
    if contradicts(min.0, max.0) || contradicts(min.1, max.1) {
        return ((0, 0), (0, 0));
    }
    (min, max)
}

fn position(base: &Rc<XdgWmBase>, parent: Geometry, place: Geometry) -> Rc<XdgPositioner> {
    let length = |length: u32| i32::try_from(length).unwrap_or(i32::MAX).max(1);
    let positioner = base.new_send_create_positioner();
    positioner.send_set_size(length(place.width), length(place.height));
    positioner.send_set_anchor_rect(0, 0, length(parent.width), length(parent.height));
    positioner.send_set_anchor(XdgPositionerAnchor::TOP_LEFT);
    positioner.send_set_gravity(XdgPositionerGravity::BOTTOM_RIGHT);
    positioner.send_set_offset(place.x, place.y);
    positioner.send_set_constraint_adjustment(
        XdgPositionerConstraintAdjustment::SLIDE_X | XdgPositionerConstraintAdjustment::SLIDE_Y,
    );
    positioner
}

struct SurfaceEvents(Rc<Bridge>, u32);

impl XdgSurfaceHandler for SurfaceEvents {
    fn handle_configure(&mut self, slf: &Rc<XdgSurface>, serial: u32) {
        slf.send_ack_configure(serial);
        self.0.configured(self.1);
    }
}

struct ToplevelEvents(Rc<Bridge>, u32);

impl XdgToplevelHandler for ToplevelEvents {
    fn handle_configure(&mut self, _slf: &Rc<XdgToplevel>, width: i32, height: i32, states: &[u8]) {
        let has = |state: XdgToplevelState| {
            states
                .as_chunks::<4>()
                .0
                .iter()
                .any(|bytes| u32::from_ne_bytes(*bytes) == state.0)
        };
        let state = State {
            fullscreen: has(XdgToplevelState::FULLSCREEN),
            maximized: has(XdgToplevelState::MAXIMIZED),
        };
        let is_tiled = has(XdgToplevelState::TILED_LEFT) && has(XdgToplevelState::TILED_RIGHT);
        self.0.told_size(self.1, (width, height), state, is_tiled);
    }

    fn handle_close(&mut self, _slf: &Rc<XdgToplevel>) {
        self.0.close(self.1);
    }
}

struct PopupEvents {
    bridge: Rc<Bridge>,
    window: u32,
    told: Cell<u32>,
}

impl XdgPopupHandler for PopupEvents {
    fn handle_repositioned(&mut self, _slf: &Rc<XdgPopup>, token: u32) {
        self.told.set(token);
    }

    fn handle_configure(&mut self, _slf: &Rc<XdgPopup>, x: i32, y: i32, _width: i32, _height: i32) {
        self.bridge.told_place(self.window, (x, y), self.told.get());
    }

    fn handle_popup_done(&mut self, _slf: &Rc<XdgPopup>) {
        self.bridge.dismissed(self.window);
    }
}
