//! The guest's memory, as far as the monitor has shared it; every access is checked against it when it is made.

use std::{fs::File, sync::Arc};

use thiserror::Error;
use vm_memory::{
    Bytes, FileOffset, GuestAddress, GuestMemoryBackend, GuestMemoryMmap, GuestMemoryRegion,
    GuestRegionMmap, MmapRegion, guest_memory::Error as AccessError,
};

/// Regions that a monitor may map: a few for memory, one for each device that has memory of its own.
const REGIONS: usize = 128;

#[derive(Debug, Error)]
pub enum MemoryError {
    #[error("{size} bytes at {address:#x} can't be mapped: {reason}")]
    Map {
        address: u64,
        size: u64,
        reason: String,
    },
    #[error("nothing is mapped as {size} bytes at {address:#x}")]
    Unmap { address: u64, size: u64 },
    #[error("the guest's memory can't be reached")]
    Access(#[from] AccessError),
}

/// A snapshot keeps what it shows mapped for as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct GuestMemory(Arc<GuestMemoryMmap>);

impl GuestMemory {
    pub fn map(
        &mut self,
        address: u64,
        size: u64,
        file: File,
        offset: u64,
    ) -> Result<(), MemoryError> {
        let failed = |reason: String| MemoryError::Map {
            address,
            size,
            reason,
        };
        if self.0.num_regions() >= REGIONS {
            return Err(failed("too many regions".into()));
        }
        // What lies behind a file's end can be mapped, and faults.
        let end = offset.checked_add(size);
        let length = file.metadata().map_or(0, |info| info.len());
        if size == 0 || end.is_none_or(|end| end > length) {
            return Err(failed(format!("its file has {length} bytes")));
        }
        let bytes = usize::try_from(size).map_err(|error| failed(error.to_string()))?;
        let mapping = MmapRegion::from_file(FileOffset::new(file, offset), bytes)
            .map_err(|error| failed(error.to_string()))?;
        let region = GuestRegionMmap::new(mapping, GuestAddress(address))
            .ok_or_else(|| failed("it wraps round".into()))?;
        let memory = self
            .0
            .insert_region(Arc::new(region))
            .map_err(|error| failed(error.to_string()))?;
        self.0 = Arc::new(memory);
        Ok(())
    }

    /// Forgets all that lies in a range, if only with a part.
    pub fn unmap(&mut self, address: u64, size: u64) -> Result<(), MemoryError> {
        let last = address.saturating_add(size.saturating_sub(1));
        let mut memory = (*self.0).clone();
        for region in self.0.iter() {
            let (start, end) = (region.start_addr().0, region.last_addr().0);
            if size > 0 && start <= last && end >= address {
                let removed = memory.remove_region(region.start_addr(), region.len());
                memory = removed.map_err(|_| MemoryError::Unmap { address, size })?.0;
            }
        }
        if memory.num_regions() == self.0.num_regions() {
            return Err(MemoryError::Unmap { address, size });
        }
        self.0 = Arc::new(memory);
        Ok(())
    }

    pub fn unmap_all(&mut self) {
        self.0 = Arc::default();
    }

    pub fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), MemoryError> {
        Ok(self.0.read_slice(bytes, GuestAddress(address))?)
    }

    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), MemoryError> {
        Ok(self.0.write_slice(bytes, GuestAddress(address))?)
    }

    pub fn snapshot(&self) -> Arc<GuestMemoryMmap> {
        self.0.clone()
    }
}
