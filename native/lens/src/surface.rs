//! wl_surface: memory that a surface may show stays counted when its pool and buffer are gone: a compositor keeps it mapped.

use std::rc::Rc;

use cloche_wayland::farewell::NO_MEMORY;
use wl_proxy::{
    object::ObjectUtils,
    protocols::wayland::{
        wl_buffer::WlBuffer,
        wl_compositor::{WlCompositor, WlCompositorHandler},
        wl_subcompositor::{WlSubcompositor, WlSubcompositorHandler},
        wl_subsurface::WlSubsurface,
        wl_surface::{WlSurface, WlSurfaceHandler},
    },
};

use crate::{
    session::Session,
    shm::{Buffer, quota::Reservation},
};

/// Pools that a subsurface may have committed without hearing of their release. Programs that draw ahead have three or four.
const SHOWN: usize = 128;

pub struct Compositor {
    pub session: Rc<Session>,
}

impl WlCompositorHandler for Compositor {
    fn handle_create_surface(&mut self, slf: &Rc<WlCompositor>, id: &Rc<WlSurface>) {
        id.set_handler(Surface {
            session: self.session.clone(),
            is_part: false,
            attached: None,
            shown: Vec::new(),
        });
        slf.send_create_surface(id);
    }
}

pub struct Subcompositor;

impl WlSubcompositorHandler for Subcompositor {
    fn handle_get_subsurface(
        &mut self,
        slf: &Rc<WlSubcompositor>,
        id: &Rc<WlSubsurface>,
        surface: &Rc<WlSurface>,
        parent: &Rc<WlSurface>,
    ) {
        if let Ok(mut surface) = surface.try_get_handler_mut::<Surface>() {
            surface.is_part = true;
        }
        slf.send_get_subsurface(id, surface, parent);
    }
}

struct Surface {
    session: Rc<Session>,
    /// A subsurface: what it commits may wait for its parent, in a queue behind what it committed before.
    is_part: bool,
    /// What the next commit shows: nothing, or what is not memory of a pool, is `Some(None)`.
    attached: Option<Option<Rc<Reservation>>>,
    shown: Vec<Rc<Reservation>>,
}

impl WlSurfaceHandler for Surface {
    fn handle_attach(
        &mut self,
        slf: &Rc<WlSurface>,
        buffer: Option<&Rc<WlBuffer>>,
        x: i32,
        y: i32,
    ) {
        let memory = buffer.and_then(|it| Some(it.try_get_handler_mut::<Buffer>().ok()?.memory()));
        if let Some(memory) = &memory {
            memory.show();
        }
        self.attached = Some(memory);
        slf.send_attach(buffer, x, y);
    }

    fn handle_commit(&mut self, slf: &Rc<WlSurface>) {
        if let Some(memory) = self.attached.take() {
            let is_part = self.is_part;
            self.shown.retain(|it| is_part && it.is_shown());
            let is_known = |it: &Rc<_>| self.shown.iter().any(|known| Rc::ptr_eq(known, it));
            if let Some(memory) = memory.filter(|it| !is_known(it)) {
                self.shown.push(memory);
            }
            if self.shown.len() > SHOWN {
                let reason = format!("a surface that shows more than {SHOWN} pools");
                self.session.reject(slf.clone(), NO_MEMORY, &reason);
                return;
            }
        }
        slf.send_commit();
    }
}
