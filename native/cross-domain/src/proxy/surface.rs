//! Surfaces: what a commit shows is copied into the host's memory, and the program's buffer is its own again at once.

use std::rc::Rc;

use cloche_wayland::{farewell::NO_MEMORY, geometry::Shape};
use thiserror::Error;
use wl_proxy::{
    object::{ObjectCoreApi, ObjectUtils},
    protocols::wayland::{
        wl_buffer::WlBuffer,
        wl_compositor::{WlCompositor, WlCompositorHandler},
        wl_output::WlOutputTransform,
        wl_surface::{WlSurface, WlSurfaceHandler},
    },
};

use super::{
    arena::ArenaError,
    damage::History,
    pool::PoolError,
    region::{Rectangle, Region, bounds},
    session::Session,
    shm::{Picture, ProgramBuffer},
    viewport::Viewport,
};

#[derive(Debug, Error)]
enum ShowError {
    #[error(transparent)]
    Arena(#[from] ArenaError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("a buffer without wl_shm")]
    NoShm,
}

pub struct Compositor {
    pub session: Rc<Session>,
}

impl WlCompositorHandler for Compositor {
    fn handle_create_surface(&mut self, slf: &Rc<WlCompositor>, id: &Rc<WlSurface>) {
        id.set_handler(Surface::new(&self.session, id.unique_id()));
        slf.send_create_surface(id);
    }
}

/// What a program attached and did not commit yet.
struct Attached {
    buffer: Option<Rc<WlBuffer>>,
    /// Nothing for buffers that the host knows itself.
    picture: Option<Picture>,
    x: i32,
    y: i32,
}

pub struct Surface {
    session: Rc<Session>,
    attached: Option<Attached>,
    /// In pixels of the buffer.
    damage: Region,
    /// In the surface's coordinates.
    surface_damage: Region,
    has_moved: bool,
    scale: i32,
    is_transformed: bool,
    viewport: Rc<Viewport>,
    history: History,
    /// The shape of what is shown, if it is a program's picture.
    shown: Option<Shape>,
}

impl Surface {
    fn new(session: &Rc<Session>, id: u64) -> Self {
        Self {
            session: session.clone(),
            attached: None,
            damage: Region::default(),
            surface_damage: Region::default(),
            has_moved: false,
            scale: 1,
            is_transformed: false,
            viewport: Rc::default(),
            history: History::new(id),
            shown: None,
        }
    }

    pub fn viewport(&self) -> Rc<Viewport> {
        self.viewport.clone()
    }

    /// The pixels of the picture that the commit changes.
    fn take_damage(&mut self, shape: &Shape) -> Region {
        let all = bounds(shape);
        let mut damage = std::mem::take(&mut self.damage).clip(all);
        let in_surface = std::mem::take(&mut self.surface_damage);
        let has_moved = std::mem::take(&mut self.has_moved);
        if in_surface.is_empty() {
            return damage;
        }
        if self.is_transformed || has_moved || self.viewport.is_set() {
            return all.into();
        }
        let pixels = in_surface.rectangles().iter();
        let pixels = pixels.filter_map(|it| it.scale(self.scale).intersect(all));
        pixels.for_each(|rectangle| damage.add(rectangle));
        damage
    }

    fn commit_attached(
        &mut self,
        slf: &Rc<WlSurface>,
        attached: Attached,
    ) -> Result<(), ShowError> {
        let Attached {
            buffer,
            picture,
            x,
            y,
        } = attached;
        match picture {
            Some(picture) => {
                self.show(slf, &picture, (x, y))?;
                slf.send_commit();
                if let Some(buffer) = buffer.filter(|buffer| buffer.client_id().is_some()) {
                    buffer.send_release();
                }
                if let Some(client) = slf.client() {
                    self.session.breathe(&client);
                }
            }
            None => {
                self.history.forget();
                self.shown = None;
                self.damage = Region::default();
                self.surface_damage = Region::default();
                slf.send_attach(buffer.as_ref(), x, y);
                slf.send_commit();
            }
        }
        Ok(())
    }

    fn show(
        &mut self,
        slf: &Rc<WlSurface>,
        picture: &Picture,
        (x, y): (i32, i32),
    ) -> Result<(), ShowError> {
        let shape = picture.geometry.shape;
        let damage = self.take_damage(&shape);
        let is_same = self.shown.replace(shape) == Some(shape);
        if !is_same {
            self.history.forget();
        } else if damage.is_empty() && (x, y) == (0, 0) {
            // The content stays, so what is shown stays.
            return Ok(());
        }
        let damaged = damage.area() * u64::from(shape.pixel_bytes);
        let mark = self.history.commit(damage);
        let shm = self.session.shm.borrow().clone().ok_or(ShowError::NoShm)?;
        let taken = self.session.arena.take(&shm, shape, &self.history)?;
        let mut copied = 0;
        for rectangle in taken.lacking.rectangles() {
            let target = &taken.piece.memory.mapping;
            copied += picture.pool.copy(&picture.geometry, *rectangle, target)?;
        }
        taken.piece.show(mark);
        self.session.counters.add_frame(damaged, copied);
        slf.send_attach(Some(&taken.buffer), x, y);
        Ok(())
    }
}

impl WlSurfaceHandler for Surface {
    // Told to the host with the commit: which buffer it will be depends on the damage.
    fn handle_attach(
        &mut self,
        _slf: &Rc<WlSurface>,
        buffer: Option<&Rc<WlBuffer>>,
        x: i32,
        y: i32,
    ) {
        let picture = buffer.and_then(|buffer| {
            let buffer = buffer.try_get_handler_ref::<ProgramBuffer>().ok()?;
            Some(buffer.0.clone())
        });
        self.has_moved |= (x, y) != (0, 0);
        self.attached = Some(Attached {
            buffer: buffer.cloned(),
            picture,
            x,
            y,
        });
    }

    fn handle_damage(&mut self, slf: &Rc<WlSurface>, x: i32, y: i32, width: i32, height: i32) {
        if let Some(rectangle) = Rectangle::new(x, y, width, height) {
            self.surface_damage.add(rectangle);
        }
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
        if let Some(rectangle) = Rectangle::new(x, y, width, height) {
            self.damage.add(rectangle);
        }
        slf.send_damage_buffer(x, y, width, height);
    }

    fn handle_offset(&mut self, slf: &Rc<WlSurface>, x: i32, y: i32) {
        self.has_moved |= (x, y) != (0, 0);
        slf.send_offset(x, y);
    }

    fn handle_set_buffer_scale(&mut self, slf: &Rc<WlSurface>, scale: i32) {
        self.scale = scale;
        slf.send_set_buffer_scale(scale);
    }

    fn handle_set_buffer_transform(&mut self, slf: &Rc<WlSurface>, transform: WlOutputTransform) {
        self.is_transformed = transform != WlOutputTransform::NORMAL;
        slf.send_set_buffer_transform(transform);
    }

    fn handle_commit(&mut self, slf: &Rc<WlSurface>) {
        let Some(attached) = self.attached.take() else {
            slf.send_commit();
            return;
        };
        if let Err(error) = self.commit_attached(slf, attached) {
            self.session
                .reject(slf.clone(), NO_MEMORY, &error.to_string());
        }
    }
}
