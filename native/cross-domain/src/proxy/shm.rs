//! wl_shm: the host hears nothing of a program's pools and buffers; what they hold is copied when it is shown.

use std::{os::fd::OwnedFd, rc::Rc};

use cloche_wayland::geometry::{Geometry, GeometryError, pixel_bytes};
use thiserror::Error;
use wl_proxy::{
    object::ObjectCoreApi,
    protocols::wayland::{
        wl_buffer::{WlBuffer, WlBufferHandler},
        wl_shm::{WlShm, WlShmError, WlShmFormat, WlShmHandler},
        wl_shm_pool::{WlShmPool, WlShmPoolHandler},
    },
};

use super::{
    pool::{Pool, PoolError},
    session::Session,
};

#[derive(Debug, Error)]
enum ShmError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

impl ShmError {
    fn code(&self) -> u32 {
        match self {
            Self::Geometry(GeometryError::Format(_)) => WlShmError::INVALID_FORMAT.0,
            Self::Geometry(_) | Self::Pool(PoolError::Size(_)) => WlShmError::INVALID_STRIDE.0,
            Self::Pool(_) => WlShmError::INVALID_FD.0,
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
        match Pool::new(fd, size).map_err(ShmError::from) {
            Ok(pool) => id.set_handler(ProgramPool {
                session: self.session.clone(),
                pool: Rc::new(pool),
            }),
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }
}

struct ProgramPool {
    session: Rc<Session>,
    pool: Rc<Pool>,
}

impl WlShmPoolHandler for ProgramPool {
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
        match Geometry::check(self.pool.bytes() as u64, shape, format).map_err(ShmError::from) {
            Ok(geometry) => id.set_handler(ProgramBuffer(Picture {
                pool: self.pool.clone(),
                geometry,
            })),
            Err(error) => self
                .session
                .reject(slf.clone(), error.code(), &error.to_string()),
        }
    }

    fn handle_resize(&mut self, slf: &Rc<WlShmPool>, size: i32) {
        if let Err(error) = self.pool.grow(size).map_err(ShmError::from) {
            self.session
                .reject(slf.clone(), error.code(), &error.to_string());
        }
    }

    fn handle_destroy(&mut self, slf: &Rc<WlShmPool>) {
        slf.delete_id();
    }
}

/// What a program drew, where it drew it.
#[derive(Clone)]
pub struct Picture {
    pub pool: Rc<Pool>,
    pub geometry: Geometry,
}

pub struct ProgramBuffer(pub Picture);

impl WlBufferHandler for ProgramBuffer {
    fn handle_destroy(&mut self, slf: &Rc<WlBuffer>) {
        slf.delete_id();
    }
}
