//! Viewports: with one in effect, surface coordinates say nothing about the buffer's pixels.

use std::{cell::Cell, rc::Rc};

use wl_proxy::{
    fixed::Fixed,
    object::ObjectUtils,
    protocols::{
        viewporter::{
            wp_viewport::{WpViewport, WpViewportHandler},
            wp_viewporter::{WpViewporter, WpViewporterHandler},
        },
        wayland::wl_surface::WlSurface,
    },
};

use super::surface::Surface;

/// What a surface's viewport has set.
#[derive(Debug, Default)]
pub struct Viewport {
    has_source: Cell<bool>,
    has_destination: Cell<bool>,
}

impl Viewport {
    pub fn is_set(&self) -> bool {
        self.has_source.get() || self.has_destination.get()
    }
}

pub struct Viewporter;

impl WpViewporterHandler for Viewporter {
    fn handle_get_viewport(
        &mut self,
        slf: &Rc<WpViewporter>,
        id: &Rc<WpViewport>,
        surface: &Rc<WlSurface>,
    ) {
        if let Ok(surface) = surface.try_get_handler_ref::<Surface>() {
            id.set_handler(Watch(surface.viewport()));
        }
        slf.send_get_viewport(id, surface);
    }
}

struct Watch(Rc<Viewport>);

impl WpViewportHandler for Watch {
    fn handle_set_source(
        &mut self,
        slf: &Rc<WpViewport>,
        x: Fixed,
        y: Fixed,
        width: Fixed,
        height: Fixed,
    ) {
        let unset = Fixed::from_i32_saturating(-1);
        self.0.has_source.set([x, y, width, height] != [unset; 4]);
        slf.send_set_source(x, y, width, height);
    }

    fn handle_set_destination(&mut self, slf: &Rc<WpViewport>, width: i32, height: i32) {
        self.0.has_destination.set((width, height) != (-1, -1));
        slf.send_set_destination(width, height);
    }

    fn handle_destroy(&mut self, slf: &Rc<WpViewport>) {
        self.0.has_source.set(false);
        self.0.has_destination.set(false);
        slf.send_destroy();
    }
}
