//! Buffers, and for those in copied pools the bytes behind them.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wl_proxy::protocols::wayland::wl_buffer::{WlBuffer, WlBufferHandler};

use crate::{
    damage::{Damage, History, Shown},
    shm::{
        extents::Extents,
        geometry::Geometry,
        memory::{Memory, MemoryError},
        quota::{Ledger, QuotaError, Reservation},
    },
};

/// Keeps the pool's bytes reserved for as long as the compositor may map them.
pub struct ShmBuffer {
    pixels: Option<Rc<Pixels>>,
    _mapped: Rc<Reservation>,
}

impl ShmBuffer {
    pub fn new(pixels: Option<Rc<Pixels>>, mapped: &Rc<Reservation>) -> Self {
        Self {
            pixels,
            _mapped: mapped.clone(),
        }
    }

    /// Nothing when the compositor sees the client's own memory.
    pub fn pixels(&self) -> Option<Rc<Pixels>> {
        self.pixels.clone()
    }
}

impl WlBufferHandler for ShmBuffer {
    fn handle_release(&mut self, slf: &Rc<WlBuffer>) {
        if let Some(pixels) = &self.pixels {
            pixels.in_use.set(false);
        }
        slf.send_release();
    }
}

/// A pool's memory with what its buffers use of it.
#[derive(Debug)]
pub struct PoolMemory {
    pub file: Memory,
    extents: Extents,
    /// Buffers that were destroyed while the compositor may still have shown them.
    kept: RefCell<Vec<Reservation>>,
}

impl PoolMemory {
    pub fn new(file: Memory) -> Self {
        Self {
            file,
            extents: Extents::default(),
            kept: RefCell::default(),
        }
    }
}

/// A buffer's bytes in a pool that the compositor has a copy of.
pub struct Pixels {
    pool: Rc<PoolMemory>,
    geometry: Geometry,
    shown: Cell<Option<Shown>>,
    in_use: Cell<bool>,
    copied: Option<Reservation>,
}

impl Pixels {
    pub fn new(
        pool: &Rc<PoolMemory>,
        geometry: Geometry,
        ledger: &Rc<Ledger>,
    ) -> Result<Self, QuotaError> {
        let extent = geometry.bytes(&Damage::Everything);
        let copied = ledger.reserve(extent.end - extent.start)?;
        pool.extents.add(extent);
        let pool = pool.clone();
        Ok(Self {
            pool,
            geometry,
            shown: Cell::new(None),
            in_use: Cell::new(false),
            copied: Some(copied),
        })
    }

    /// Brings the copy up to date for the commit that closes `history`.
    pub fn copy(&self, history: &History, now: Shown) -> Result<(), MemoryError> {
        self.in_use.set(true);
        let damage = history.since(self.shown.replace(Some(now)));
        self.pool.file.copy(self.geometry.bytes(&damage))
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        if self.in_use.get() {
            self.pool.kept.borrow_mut().extend(self.copied.take());
            return;
        }
        for free in self
            .pool
            .extents
            .remove(&self.geometry.bytes(&Damage::Everything))
        {
            self.pool.file.forget(&free);
        }
    }
}
