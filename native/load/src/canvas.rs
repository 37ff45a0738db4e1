//! Two XRGB buffers in one memfd.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::failure::Failure;
use crate::rectangle::{Rectangle, Size};

pub const BUFFERS: usize = 2;
const PIXEL_BYTES: usize = 4;

pub struct Canvas {
    descriptor: OwnedFd,
    memory: NonNull<u32>,
    size: Size,
}

impl Canvas {
    pub fn new(size: Size) -> Result<Self, Failure> {
        let descriptor = memfd_create("load", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let bytes = BUFFERS * buffer_bytes(size);
        ftruncate(&descriptor, bytes as u64)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, of a file that is `bytes` long and stays so.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                access,
                MapFlags::SHARED,
                &descriptor,
                0,
            )?
        };
        let memory = NonNull::new(address.cast()).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self {
            descriptor,
            memory,
            size,
        })
    }

    pub fn stride(&self) -> usize {
        self.size.width as usize * PIXEL_BYTES
    }

    pub fn offset(&self, buffer: usize) -> usize {
        buffer * buffer_bytes(self.size)
    }

    pub fn bytes(&self) -> usize {
        self.offset(BUFFERS)
    }

    /// Fills a rectangle that lies within the buffer.
    pub fn fill(&mut self, buffer: usize, area: Rectangle, colour: u32) {
        let (width, rows) = (self.size.width as usize, area.size.height as usize);
        let pixels = self.pixels(buffer);
        for row in pixels
            .chunks_exact_mut(width)
            .skip(area.y as usize)
            .take(rows)
        {
            row[area.x as usize..][..area.size.width as usize].fill(colour);
        }
    }

    fn pixels(&mut self, buffer: usize) -> &mut [u32] {
        let count = buffer_bytes(self.size) / PIXEL_BYTES;
        assert!(buffer < BUFFERS);
        // SAFETY: the mapping has BUFFERS times `count` pixels and lives as long as self. The compositor only reads it.
        unsafe { std::slice::from_raw_parts_mut(self.memory.add(buffer * count).as_ptr(), count) }
    }
}

impl AsFd for Canvas {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // SAFETY: no slice of the mapping outlives self.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), self.bytes()) };
    }
}

fn buffer_bytes(size: Size) -> usize {
    size.width as usize * size.height as usize * PIXEL_BYTES
}
