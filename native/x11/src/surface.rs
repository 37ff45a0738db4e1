//! Xwayland's surfaces: what they show is held back until they have a role and the compositor has configured it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wl_proxy::{
    object::{Object, ObjectCoreApi, ObjectUtils},
    protocols::{
        wayland::{
            wl_buffer::WlBuffer,
            wl_compositor::{WlCompositor, WlCompositorHandler},
            wl_surface::{WlSurface, WlSurfaceHandler},
        },
        xwayland_shell_v1::{
            xwayland_shell_v1::{XwaylandShellV1, XwaylandShellV1Handler},
            xwayland_surface_v1::{XwaylandSurfaceV1, XwaylandSurfaceV1Handler},
        },
    },
};

use crate::bridge::Bridge;

/// The arguments of a wl_surface.attach.
type Attachment = (Option<Rc<WlBuffer>>, i32, i32);

pub struct Surface {
    pub wayland: Rc<WlSurface>,
    /// The X11 window that it shows.
    pub window: Cell<Option<u32>>,
    is_open: Cell<bool>,
    held: RefCell<Option<Attachment>>,
    owes_commit: Cell<bool>,
    serial: Cell<Option<u64>>,
}

impl Surface {
    /// The surface behind an object that Xwayland made; none for one that is being handled.
    pub fn of(wayland: &Rc<WlSurface>) -> Option<Rc<Self>> {
        let handler = wayland.try_get_handler_ref::<SurfaceHandler>().ok()?;
        Some(handler.surface.clone())
    }

    /// Lets through what was held back, and all that follows.
    pub fn open(&self) {
        if self.is_open.replace(true) {
            return;
        }
        if let Some((buffer, x, y)) = self.held.take()
            && buffer
                .as_ref()
                .is_none_or(|buffer| buffer.server_id().is_some())
        {
            self.wayland.send_attach(buffer.as_ref(), x, y);
        }
        if self.owes_commit.take() {
            self.wayland.send_commit();
        }
    }

    /// Shows nothing any more: only then can the surface get another role.
    pub fn close(&self) {
        if self.is_open.replace(false) {
            self.wayland.send_attach(None, 0, 0);
            self.wayland.send_commit();
        }
    }
}

pub struct CompositorHandler(pub Rc<Bridge>);

impl WlCompositorHandler for CompositorHandler {
    fn handle_create_surface(&mut self, slf: &Rc<WlCompositor>, id: &Rc<WlSurface>) {
        id.set_handler(SurfaceHandler {
            bridge: self.0.clone(),
            surface: Rc::new(Surface {
                wayland: id.clone(),
                window: Cell::default(),
                is_open: Cell::default(),
                held: RefCell::default(),
                owes_commit: Cell::default(),
                serial: Cell::default(),
            }),
        });
        slf.send_create_surface(id);
    }
}

struct SurfaceHandler {
    bridge: Rc<Bridge>,
    surface: Rc<Surface>,
}

impl WlSurfaceHandler for SurfaceHandler {
    fn handle_attach(
        &mut self,
        slf: &Rc<WlSurface>,
        buffer: Option<&Rc<WlBuffer>>,
        x: i32,
        y: i32,
    ) {
        if self.surface.is_open.get() {
            slf.send_attach(buffer, x, y);
        } else {
            self.surface.held.replace(Some((buffer.cloned(), x, y)));
        }
    }

    fn handle_commit(&mut self, slf: &Rc<WlSurface>) {
        if self.surface.is_open.get() {
            slf.send_commit();
        } else {
            self.surface.owes_commit.set(true);
        }
    }

    fn handle_destroy(&mut self, slf: &Rc<WlSurface>) {
        self.bridge
            .surface_destroyed(&self.surface, self.surface.serial.get());
        slf.send_destroy();
        slf.unset_handler();
    }
}

/// The global through which Xwayland says which window a surface belongs to.
pub struct ShellHandler(pub Rc<Bridge>);

impl XwaylandShellV1Handler for ShellHandler {
    fn handle_destroy(&mut self, slf: &Rc<XwaylandShellV1>) {
        slf.delete_id();
    }

    fn handle_get_xwayland_surface(
        &mut self,
        _slf: &Rc<XwaylandShellV1>,
        id: &Rc<XwaylandSurfaceV1>,
        surface: &Rc<WlSurface>,
    ) {
        if let Some(surface) = Surface::of(surface) {
            id.set_handler(AssociationHandler {
                bridge: self.0.clone(),
                surface,
            });
        }
    }
}

struct AssociationHandler {
    bridge: Rc<Bridge>,
    surface: Rc<Surface>,
}

impl XwaylandSurfaceV1Handler for AssociationHandler {
    fn handle_destroy(&mut self, slf: &Rc<XwaylandSurfaceV1>) {
        slf.delete_id();
        slf.unset_handler();
    }

    fn handle_set_serial(&mut self, _slf: &Rc<XwaylandSurfaceV1>, serial_lo: u32, serial_hi: u32) {
        let serial = u64::from(serial_hi) << 32 | u64::from(serial_lo);
        self.surface.serial.set(Some(serial));
        self.bridge.surface_named(serial, &self.surface);
    }
}
