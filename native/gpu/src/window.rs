//! The host-visible window: one sealed memfd, and which blob lies where in it. The guest's kernel chooses the places.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
};

use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create,
};
use thiserror::Error;

const PAGE_BYTES: u64 = 4096;
const COPY_BYTES: usize = 64 << 10;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum WindowError {
    #[error("{size} bytes at {offset:#x} are not whole pages inside the window")]
    Place { offset: u64, size: u64 },
    #[error("another blob lies at {0:#x}")]
    Taken(u64),
}

/// Its size never changes, so whoever maps a part of it can't be made to fault.
pub struct Window {
    memory: File,
    bytes: u64,
    /// Size of what lies there, by offset.
    places: BTreeMap<u64, u64>,
}

impl Window {
    pub fn new(bytes: u64) -> io::Result<Self> {
        let memory = memfd_create(
            "cloche-window",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        ftruncate(&memory, bytes)?;
        fcntl_add_seals(
            &memory,
            SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
        )?;
        Ok(Self {
            memory: memory.into(),
            bytes,
            places: BTreeMap::new(),
        })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    pub fn place(&mut self, offset: u64, size: u64) -> Result<(), WindowError> {
        let end = offset.checked_add(size).filter(|end| *end <= self.bytes);
        let is_whole = offset.is_multiple_of(PAGE_BYTES) && size.is_multiple_of(PAGE_BYTES);
        let Some(end) = end.filter(|_| is_whole && size > 0) else {
            return Err(WindowError::Place { offset, size });
        };
        let before = self.places.range(..end).next_back();
        if let Some((start, size)) = before
            && start + size > offset
        {
            return Err(WindowError::Taken(*start));
        }
        self.places.insert(offset, size);
        Ok(())
    }

    /// Copies a file's first bytes to a place; what the file lacks meanwhile stays zeroes.
    pub fn fill(&self, offset: u64, file: &File, bytes: u64) -> io::Result<()> {
        let mut chunk = vec![0; COPY_BYTES];
        let mut at = 0;
        while at < bytes {
            let wanted =
                usize::try_from(bytes - at).map_or(COPY_BYTES, |left| left.min(COPY_BYTES));
            match file.read_at(&mut chunk[..wanted], at) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.memory.write_all_at(&chunk[..count], offset + at)?;
                    at += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Frees a place and its memory. Whoever still maps it reads zeroes.
    pub fn clear(&mut self, offset: u64) {
        let Some(size) = self.places.remove(&offset) else {
            return;
        };
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if let Err(error) = fallocate(&self.memory, punch, offset, size) {
            log::warn!("can't give memory of the window back: {error}");
        }
    }

    pub fn clear_all(&mut self) {
        for offset in self.places.keys().copied().collect::<Vec<_>>() {
            self.clear(offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustix::fs::fstat;

    use super::*;

    fn window() -> Window {
        Window::new(64 * PAGE_BYTES).expect("window")
    }

    #[test]
    fn its_size_is_fixed() {
        let window = window();
        assert!(ftruncate(&window.memory, 0).is_err());
        assert!(ftruncate(&window.memory, 65 * PAGE_BYTES).is_err());
    }

    #[test]
    fn a_cleared_place_takes_no_memory_and_can_be_taken_again() {
        let mut window = window();
        window.place(0, 4 * PAGE_BYTES).expect("placed");
        window.memory.write_all_at(&[1; 16384], 0).expect("drawn");
        window.clear(0);
        assert_eq!(fstat(&window.memory).expect("stat").st_blocks, 0);
        window.place(0, 4 * PAGE_BYTES).expect("placed again");
    }

    proptest! {
        #[test]
        fn no_two_blobs_share_a_byte_and_none_lies_outside(
            places in prop::collection::vec((any::<u16>(), any::<u16>(), any::<bool>()), 1..40),
        ) {
            let mut window = window();
            let mut taken: Vec<std::ops::Range<u64>> = Vec::new();
            for (offset, size, is_page) in places {
                let unit = if is_page { PAGE_BYTES } else { 512 };
                let (offset, size) = (u64::from(offset % 80) * unit, u64::from(size % 20) * unit);
                let range = offset..offset + size;
                let is_apart = taken.iter().all(|other| other.end <= range.start || range.end <= other.start);
                let is_good = is_apart && size > 0 && range.end <= 64 * PAGE_BYTES
                    && offset.is_multiple_of(PAGE_BYTES) && size.is_multiple_of(PAGE_BYTES);
                prop_assert_eq!(window.place(offset, size).is_ok(), is_good);
                if is_good {
                    taken.push(range);
                }
            }
        }

        #[test]
        fn no_numbers_overflow(offset in any::<u64>(), size in any::<u64>()) {
            let _ = window().place(offset, size);
        }
    }
}
