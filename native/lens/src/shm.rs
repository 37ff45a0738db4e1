//! wl_shm: pools of memory that can't shrink, and buffers that stay inside them.

mod holdings;
pub mod quota;

use std::{os::fd::OwnedFd, rc::Rc};

use cloche_wayland::{
    farewell::NO_MEMORY,
    file,
    geometry::{Geometry, GeometryError, pixel_bytes},
};
use thiserror::Error;
use wl_proxy::protocols::wayland::{
    wl_buffer::{WlBuffer, WlBufferHandler},
    wl_shm::{WlShm, WlShmError, WlShmFormat, WlShmHandler},
    wl_shm_pool::{WlShmPool, WlShmPoolHandler},
};

use crate::{
    session::Session,
    shm::{holdings::LimitError, quota::Reservation},
};

#[derive(Debug, Error)]
pub enum ShmError {
    #[error("a pool of {0} bytes")]
    Size(i32),
    #[error("the pool's descriptor is not memory that can be sealed against shrinking")]
    Unsealed,
    #[error("the pool's descriptor is not a file of at least {0} bytes")]
    TooSmall(u64),
    #[error(transparent)]
    Limit(#[from] LimitError),
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
            Self::Unsealed | Self::TooSmall(_) => WlShmError::INVALID_FD.0,
            Self::Limit(_) => NO_MEMORY,
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
        match Pool::new(&self.session, fd, size) {
            Ok(pool) => {
                id.set_handler(pool);
                slf.send_create_pool(id, fd, size);
            }
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}

struct Pool {
    session: Rc<Session>,
    file: Rc<OwnedFd>,
    mapped: Rc<Reservation>,
}

impl Pool {
    fn new(session: &Rc<Session>, file: &Rc<OwnedFd>, size: i32) -> Result<Self, ShmError> {
        let bytes = u64::try_from(size)
            .ok()
            .filter(|bytes| *bytes > 0)
            .ok_or(ShmError::Size(size))?;
        // The seal comes before the look at the size: afterwards the size can only grow.
        let is_sealed = file::seal(file);
        check_size(file, bytes)?;
        if !is_sealed {
            return Err(ShmError::Unsealed);
        }
        Ok(Self {
            session: session.clone(),
            file: file.clone(),
            mapped: Rc::new(session.quota.reserve(file, bytes)?),
        })
    }

    fn grow(&self, size: i32) -> Result<(), ShmError> {
        let bytes = u64::try_from(size)
            .ok()
            .filter(|bytes| *bytes >= self.mapped.bytes())
            .ok_or(ShmError::Size(size))?;
        check_size(&self.file, bytes)?;
        Ok(self.mapped.grow(bytes)?)
    }
}

fn check_size(file: &OwnedFd, bytes: u64) -> Result<(), ShmError> {
    if file::holds(file, bytes) {
        return Ok(());
    }
    Err(ShmError::TooSmall(bytes))
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
        let shape = (offset, width, height, stride);
        match Geometry::check(self.mapped.bytes(), shape, format).map_err(ShmError::from) {
            Ok(_) => {
                id.set_handler(Buffer {
                    mapped: self.mapped.clone(),
                });
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

/// Keeps the pool's bytes reserved for as long as the compositor may map them.
pub struct Buffer {
    mapped: Rc<Reservation>,
}

impl Buffer {
    pub fn memory(&self) -> Rc<Reservation> {
        self.mapped.clone()
    }
}

impl WlBufferHandler for Buffer {
    fn handle_release(&mut self, slf: &Rc<WlBuffer>) {
        self.mapped.release();
        slf.send_release();
    }
}
