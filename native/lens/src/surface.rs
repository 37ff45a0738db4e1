//! Surfaces: what they show is copied into the compositor's memory when it is committed.

use std::rc::Rc;

use wl_proxy::{
    object::{ObjectCoreApi, ObjectUtils},
    protocols::wayland::{
        wl_buffer::WlBuffer,
        wl_compositor::{WlCompositor, WlCompositorHandler},
        wl_surface::{WlSurface, WlSurfaceHandler},
    },
};

use crate::{
    damage::{Damage, History},
    session::{NO_MEMORY, Session},
    shm::buffer::{Pixels, ShmBuffer},
};

pub struct Compositor {
    pub session: Rc<Session>,
}

impl WlCompositorHandler for Compositor {
    fn handle_create_surface(&mut self, slf: &Rc<WlCompositor>, id: &Rc<WlSurface>) {
        id.set_handler(Surface {
            session: self.session.clone(),
            attached: None,
            damage: Damage::default(),
            history: History::new(id.unique_id()),
        });
        slf.send_create_surface(id);
    }
}

struct Surface {
    session: Rc<Session>,
    /// Pixels attached since the last commit that the compositor sees a copy of.
    attached: Option<Rc<Pixels>>,
    damage: Damage,
    history: History,
}

impl WlSurfaceHandler for Surface {
    fn handle_attach(
        &mut self,
        slf: &Rc<WlSurface>,
        buffer: Option<&Rc<WlBuffer>>,
        x: i32,
        y: i32,
    ) {
        self.attached =
            buffer.and_then(|buffer| buffer.try_get_handler_ref::<ShmBuffer>().ok()?.pixels());
        slf.send_attach(buffer, x, y);
    }

    // In surface coordinates, which scale, transform and viewport turn into rows that are not worth working out.
    fn handle_damage(&mut self, slf: &Rc<WlSurface>, x: i32, y: i32, width: i32, height: i32) {
        self.damage = Damage::Everything;
        slf.send_damage(x, y, width, height);
    }

    fn handle_damage_buffer(
        &mut self,
        slf: &Rc<WlSurface>,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
    ) {
        self.damage.add(&Damage::of_rectangle(y, height));
        slf.send_damage_buffer(x, y, width, height);
    }

    fn handle_commit(&mut self, slf: &Rc<WlSurface>) {
        let shown = self.history.commit(std::mem::take(&mut self.damage));
        if let Some(pixels) = self.attached.take()
            && let Err(error) = pixels.copy(&self.history, shown)
        {
            self.session
                .reject(slf.clone(), NO_MEMORY, &error.to_string());
            return;
        }
        slf.send_commit();
    }
}
