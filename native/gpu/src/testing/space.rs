//! Which parts of a memory are taken: the first gap that is large enough is the next.

use std::{collections::BTreeMap, io};

use super::PAGE_BYTES;

pub(super) struct Space {
    bytes: u64,
    taken: BTreeMap<u64, u64>,
}

impl Space {
    pub fn new(bytes: u64) -> Self {
        Self {
            bytes,
            taken: BTreeMap::new(),
        }
    }

    pub fn take(&mut self, bytes: u64) -> io::Result<u64> {
        if bytes == 0 || !bytes.is_multiple_of(PAGE_BYTES) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut at = 0;
        for (start, length) in &self.taken {
            if start - at >= bytes {
                break;
            }
            at = start + length;
        }
        if self.bytes - at < bytes {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.taken.insert(at, bytes);
        Ok(at)
    }

    pub fn give_back(&mut self, at: u64) {
        self.taken.remove(&at);
    }
}
