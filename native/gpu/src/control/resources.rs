//! Blobs: pages of the guest that the device writes to, and places in the window.

use std::{collections::BTreeMap, fs::File};

use super::wire::{CreateBlob, Refusal};
use crate::{
    channel::Template,
    memory::{GuestMemory, MemoryError},
    window::Window,
};

const RESOURCES: usize = 16_384;
/// Ranges of guest pages of all blobs together.
const RANGES: usize = 1 << 20;
/// Bytes of a ring that are used.
const RING_BYTES: usize = 64 << 10;

enum Resource {
    Guest(Pages),
    Host(HostBlob),
}

struct HostBlob {
    size: u64,
    /// What it holds from the start, and how many bytes of it.
    content: Option<(File, u64)>,
    place: Option<u64>,
}

/// Memory of the guest: addresses and bytes.
pub struct Pages {
    ranges: Vec<(u64, u32)>,
    capacity: usize,
}

impl Pages {
    fn new(ranges: Vec<(u64, u32)>) -> Self {
        let bytes: usize = ranges.iter().map(|(_, bytes)| *bytes as usize).sum();
        let capacity = bytes.min(RING_BYTES);
        Self { ranges, capacity }
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Spreads `bytes` over the pages; there is room for them.
    pub fn write(&self, memory: &GuestMemory, mut bytes: &[u8]) -> Result<(), MemoryError> {
        for (address, room) in &self.ranges {
            let (now, later) = bytes.split_at(bytes.len().min(*room as usize));
            memory.write(*address, now)?;
            bytes = later;
            if bytes.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[derive(Default)]
pub struct Resources {
    known: BTreeMap<u32, Resource>,
    ranges: usize,
}

impl Resources {
    pub fn contains(&self, id: u32) -> bool {
        self.known.contains_key(&id)
    }

    pub fn has_room(&self, id: u32) -> bool {
        id != 0 && !self.contains(id) && self.known.len() < RESOURCES
    }

    pub fn pages(&self, id: u32) -> Option<&Pages> {
        match self.known.get(&id)? {
            Resource::Guest(pages) => Some(pages),
            Resource::Host(_) => None,
        }
    }

    /// Where a mapped blob lies in the window.
    pub fn place(&self, id: u32) -> Option<u64> {
        match self.known.get(&id)? {
            Resource::Host(blob) => blob.place,
            Resource::Guest(_) => None,
        }
    }

    pub fn add_guest(&mut self, blob: CreateBlob) -> Result<(), Refusal> {
        if !self.has_room(blob.resource) {
            return Err(Refusal::InvalidResource);
        }
        if self.ranges + blob.pages.len() > RANGES {
            return Err(Refusal::OutOfMemory);
        }
        self.ranges += blob.pages.len();
        self.known
            .insert(blob.resource, Resource::Guest(Pages::new(blob.pages)));
        Ok(())
    }

    pub fn add_host(&mut self, id: u32, size: u64, template: Template) -> Result<(), Refusal> {
        let content = match template {
            Template::Memory => None,
            Template::File(file, bytes) => Some((file, bytes)),
        };
        let blob = HostBlob {
            size,
            content,
            place: None,
        };
        self.known.insert(id, Resource::Host(blob));
        Ok(())
    }

    pub fn map(&mut self, id: u32, offset: u64, window: &mut Window) -> Result<(), Refusal> {
        let blob = self.host(id)?;
        if blob.place.is_some() {
            return Err(Refusal::InvalidResource);
        }
        window
            .place(offset, blob.size)
            .map_err(|_| Refusal::InvalidParameter)?;
        blob.place = Some(offset);
        if let Some((file, bytes)) = &blob.content
            && let Err(error) = window.fill(offset, file, *bytes)
        {
            log::warn!("a file of the host can't be copied: {error}");
            blob.place = None;
            window.clear(offset);
            return Err(Refusal::OutOfMemory);
        }
        Ok(())
    }

    pub fn unmap(&mut self, id: u32, window: &mut Window) -> Result<(), Refusal> {
        let place = self
            .host(id)?
            .place
            .take()
            .ok_or(Refusal::InvalidResource)?;
        window.clear(place);
        Ok(())
    }

    pub fn remove(&mut self, id: u32, window: &mut Window) -> Result<(), Refusal> {
        match self.known.remove(&id).ok_or(Refusal::InvalidResource)? {
            Resource::Guest(pages) => self.ranges -= pages.ranges.len(),
            Resource::Host(blob) => blob.place.into_iter().for_each(|place| window.clear(place)),
        }
        Ok(())
    }

    fn host(&mut self, id: u32) -> Result<&mut HostBlob, Refusal> {
        match self.known.get_mut(&id) {
            Some(Resource::Host(blob)) => Ok(blob),
            _ => Err(Refusal::InvalidResource),
        }
    }
}
