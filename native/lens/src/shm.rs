//! wl_shm: pools of memory that can't shrink, and buffers that stay inside them.

pub mod buffer;
mod extents;
mod geometry;
mod memory;
pub mod quota;

use std::{os::fd::OwnedFd, rc::Rc};

use thiserror::Error;
use wl_proxy::protocols::wayland::{
    wl_buffer::WlBuffer,
    wl_shm::{WlShm, WlShmError, WlShmFormat, WlShmHandler},
    wl_shm_pool::{WlShmPool, WlShmPoolHandler},
};

use crate::{
    session::{NO_MEMORY, Session},
    shm::{
        buffer::{Pixels, PoolMemory, ShmBuffer},
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
            Self::Size(_) | Self::Geometry(GeometryError::Bounds { .. }) => {
                WlShmError::INVALID_STRIDE.0
            }
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

    fn handle_create_pool(
        &mut self,
        slf: &Rc<WlShm>,
        id: &Rc<WlShmPool>,
        fd: &Rc<OwnedFd>,
        size: i32,
    ) {
        let made = Pool::new(&self.session, fd, size);
        match made.and_then(|pool| Ok((pool.memory.file.for_compositor()?, pool))) {
            Ok((fd, pool)) => {
                id.set_handler(pool);
                slf.send_create_pool(id, &fd, size);
            }
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}

struct Pool {
    session: Rc<Session>,
    memory: Rc<PoolMemory>,
    mapped: Rc<Reservation>,
}

impl Pool {
    fn new(session: &Rc<Session>, fd: &Rc<OwnedFd>, size: i32) -> Result<Self, ShmError> {
        let bytes = u64::try_from(size)
            .ok()
            .filter(|bytes| *bytes > 0)
            .ok_or(ShmError::Size(size))?;
        let mapped = Rc::new(session.quota.mapped.reserve(bytes)?);
        let memory = Rc::new(PoolMemory::new(Memory::adopt(fd, bytes)?));
        Ok(Self {
            session: session.clone(),
            memory,
            mapped,
        })
    }

    fn grow(&self, size: i32) -> Result<(), ShmError> {
        let bytes = u64::try_from(size)
            .ok()
            .filter(|bytes| *bytes >= self.mapped.bytes())
            .ok_or(ShmError::Size(size))?;
        self.mapped.grow(bytes)?;
        Ok(self.memory.file.grow(bytes)?)
    }

    fn buffer(
        &self,
        shape: (i32, i32, i32, i32),
        format: WlShmFormat,
    ) -> Result<ShmBuffer, ShmError> {
        let geometry = Geometry::check(self.mapped.bytes(), shape, format)?;
        let pixels = match self.memory.file.is_copied() {
            true => Some(Rc::new(Pixels::new(
                &self.memory,
                geometry,
                &self.session.quota.copied,
            )?)),
            false => None,
        };
        Ok(ShmBuffer::new(pixels, &self.mapped))
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
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }

    fn handle_resize(&mut self, slf: &Rc<WlShmPool>, size: i32) {
        match self.grow(size) {
            Ok(()) => slf.send_resize(size),
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}
