//! Mapped memory that someone else may write at any time: read and written through copies only.

use std::{ffi::c_void, io, os::fd::AsFd, ptr, slice};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

#[derive(Debug)]
pub struct Mapping {
    address: *mut c_void,
    bytes: usize,
    access: Access,
}

impl Mapping {
    /// Shared, from `offset` in the file on. The file must not shrink while it is mapped.
    pub fn new(file: impl AsFd, offset: u64, bytes: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Read => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a new mapping at an address that the kernel chooses.
        let address = unsafe {
            mmap(
                ptr::null_mut(),
                bytes,
                protection,
                MapFlags::SHARED,
                file,
                offset,
            )
        }?;
        Ok(Self {
            address,
            bytes,
            access,
        })
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn has(&self, at: usize, bytes: usize) -> bool {
        at.checked_add(bytes).is_some_and(|end| end <= self.bytes)
    }

    /// Fills `target` from `at` on. Nothing when the mapping is shorter.
    #[must_use]
    pub fn read(&self, at: usize, target: &mut [u8]) -> Option<()> {
        if !self.has(at, target.len()) {
            return None;
        }
        // SAFETY: inside the mapping, and `target` is ours alone.
        unsafe {
            let source = self.address.cast::<u8>().add(at);
            ptr::copy_nonoverlapping(source, target.as_mut_ptr(), target.len());
        }
        Some(())
    }

    /// Nothing when the mapping is shorter or not writable.
    #[must_use]
    pub fn write(&self, at: usize, source: &[u8]) -> Option<()> {
        let target = self.target(at, source.len())?;
        // SAFETY: `target` has room for it, and `source` is no shared memory.
        unsafe { ptr::copy_nonoverlapping(source.as_ptr(), target, source.len()) };
        Some(())
    }

    /// Copies from one mapping to another. Nothing when either is too short.
    #[must_use]
    pub fn copy_from(&self, at: usize, source: &Self, from: usize, bytes: usize) -> Option<()> {
        let target = self.target(at, bytes)?;
        if !source.has(from, bytes) {
            return None;
        }
        // SAFETY: both ranges are inside their mappings; `copy` allows that they are the same memory.
        unsafe { ptr::copy(source.address.cast::<u8>().add(from), target, bytes) };
        Some(())
    }

    /// Lets `fill` write into the bytes from `at` on, as a system call does. Nothing when the mapping is shorter.
    pub fn fill_with<T>(
        &self,
        at: usize,
        bytes: usize,
        fill: impl FnOnce(&mut [u8]) -> T,
    ) -> Option<T> {
        let target = self.target(at, bytes)?;
        // SAFETY: inside a writable mapping. The other side only reads it, and what it reads meanwhile is its own loss.
        Some(fill(unsafe { slice::from_raw_parts_mut(target, bytes) }))
    }

    fn target(&self, at: usize, bytes: usize) -> Option<*mut u8> {
        let fits = self.access == Access::ReadWrite && self.has(at, bytes);
        // SAFETY: `at` is inside the mapping or at its end.
        fits.then(|| unsafe { self.address.cast::<u8>().add(at) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no reference into it outlives a call.
        let _ = unsafe { munmap(self.address, self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

    use super::*;

    fn mapping(access: Access) -> Mapping {
        let file = memfd_create("test", MemfdFlags::CLOEXEC).expect("memfd");
        ftruncate(&file, 4096).expect("size");
        Mapping::new(&file, 0, 4096, access).expect("mapping")
    }

    #[test]
    fn nothing_outside_a_mapping_is_read_or_written() {
        let memory = mapping(Access::ReadWrite);
        assert!(memory.write(4090, &[7; 6]).is_some());
        assert!(memory.write(4090, &[7; 7]).is_none());
        assert!(memory.write(usize::MAX, &[7; 2]).is_none());
        assert!(memory.read(4096, &mut []).is_some());
        assert!(memory.read(4096, &mut [0]).is_none());
        assert!(
            memory
                .copy_from(0, &mapping(Access::Read), 4000, 97)
                .is_none()
        );
        assert!(memory.fill_with(1, 4096, |_| ()).is_none());
        let mut byte = [0];
        memory.read(4095, &mut byte).expect("inside");
        assert_eq!(byte, [7]);
    }

    #[test]
    fn what_is_mapped_for_reading_is_not_written() {
        assert!(mapping(Access::Read).write(0, &[1]).is_none());
    }
}
