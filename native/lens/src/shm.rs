//! wl_shm: pools of memory that can't shrink, and buffers that stay inside them.

pub mod geometry;
pub mod memory;
pub mod quota;

use std::{cell::Cell, os::fd::OwnedFd, rc::Rc};

use thiserror::Error;
use wl_proxy::protocols::wayland::{
    wl_buffer::{WlBuffer, WlBufferHandler},
    wl_shm::{WlShm, WlShmError, WlShmFormat, WlShmHandler},
    wl_shm_pool::{WlShmPool, WlShmPoolHandler},
};

use crate::{
    damage::{History, Shown},
    session::{NO_MEMORY, Session},
    shm::{
        geometry::{Geometry, GeometryError, pixel_bytes},
        memory::{Memory, MemoryError},
        quota::{QuotaError, Reservation},
    },
};

#[derive(Debug, Error)]
pub enum ShmError {
    #[error("a pool of {0} bytes")]
    Size(i32),
    #[error(transparent)]
    Quota(#[from] QuotaError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

impl ShmError {
    fn code(&self) -> u32 {
        match self {
            Self::Size(_) | Self::Geometry(GeometryError::Bounds { .. }) => WlShmError::INVALID_STRIDE.0,
            Self::Geometry(GeometryError::Format(_)) => WlShmError::INVALID_FORMAT.0,
            Self::Memory(_) => WlShmError::INVALID_FD.0,
            Self::Quota(_) => NO_MEMORY,
        }
    }
}

pub struct Shm {
    pub session: Rc<Session>,
}

impl WlShmHandler for Shm {
    fn handle_format(&mut self, slf: &Rc<WlShm>, format: WlShmFormat) {
        if pixel_bytes(format).is_some() {
            slf.send_format(format);
        }
    }

    fn handle_create_pool(&mut self, slf: &Rc<WlShm>, id: &Rc<WlShmPool>, fd: &Rc<OwnedFd>, size: i32) {
        match Pool::new(&self.session, fd, size) {
            Ok(pool) => {
                slf.send_create_pool(id, pool.memory.for_compositor(), size);
                id.set_handler(pool);
            }
            Err(error) => self.session.reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}

struct Pool {
    session: Rc<Session>,
    memory: Rc<Memory>,
    reservation: Rc<Reservation>,
}

impl Pool {
    fn new(session: &Rc<Session>, fd: &Rc<OwnedFd>, size: i32) -> Result<Self, ShmError> {
        let bytes = u64::try_from(size).ok().filter(|bytes| *bytes > 0).ok_or(ShmError::Size(size))?;
        let reservation = Rc::new(session.quota.reserve(bytes)?);
        let memory = Rc::new(Memory::adopt(fd, bytes)?);
        Ok(Self { session: session.clone(), memory, reservation })
    }

    fn grow(&self, size: i32) -> Result<(), ShmError> {
        let bytes = u64::try_from(size).ok().filter(|bytes| *bytes >= self.reservation.bytes());
        let bytes = bytes.ok_or(ShmError::Size(size))?;
        self.reservation.grow(bytes)?;
        Ok(self.memory.grow(bytes)?)
    }

    fn buffer(&self, shape: (i32, i32, i32, i32), format: WlShmFormat) -> Result<ShmBuffer, ShmError> {
        let geometry = Geometry::check(self.reservation.bytes(), shape, format)?;
        let pixels = match &*self.memory {
            Memory::Sealed(_) => None,
            Memory::Mirror { .. } => {
                Some(Rc::new(Pixels { memory: self.memory.clone(), geometry, shown: Cell::new(None) }))
            }
        };
        Ok(ShmBuffer { pixels, _reservation: self.reservation.clone() })
    }
}

impl WlShmPoolHandler for Pool {
    fn handle_create_buffer(
        &mut self,
        slf: &Rc<WlShmPool>,
        id: &Rc<WlBuffer>,
        offset: i32,
        width: i32,
        height: i32,
        stride: i32,
        format: WlShmFormat,
    ) {
        match self.buffer((offset, width, height, stride), format) {
            Ok(buffer) => {
                id.set_handler(buffer);
                slf.send_create_buffer(id, offset, width, height, stride, format);
            }
            Err(error) => self.session.reject(slf.clone(), error.code(), &error.to_string()),
        }
    }

    fn handle_resize(&mut self, slf: &Rc<WlShmPool>, size: i32) {
        match self.grow(size) {
            Ok(()) => slf.send_resize(size),
            Err(error) => self.session.reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}

/// Keeps the pool's bytes reserved for as long as the compositor may map them.
pub struct ShmBuffer {
    pixels: Option<Rc<Pixels>>,
    _reservation: Rc<Reservation>,
}

impl ShmBuffer {
    /// Nothing when the compositor sees the client's own memory.
    pub fn pixels(&self) -> Option<Rc<Pixels>> {
        self.pixels.clone()
    }
}

impl WlBufferHandler for ShmBuffer {}

/// A buffer's bytes in a pool that the compositor has a copy of.
pub struct Pixels {
    memory: Rc<Memory>,
    geometry: Geometry,
    shown: Cell<Option<Shown>>,
}

impl Pixels {
    /// Brings the copy up to date for the commit that closes `history`.
    pub fn copy(&self, history: &History, now: Shown) -> Result<(), MemoryError> {
        let damage = history.since(self.shown.replace(Some(now)));
        self.memory.copy(self.geometry.bytes(&damage))
    }
}
