//! Memory from the host that a wl_shm pool can be made of.

use super::{BlobGuard, Channel, ChannelError, asked, wire};
use crate::{
    channel::wire::{Location, Requirements},
    gpu::{Access, Mapping, PAGE_BYTES, Source},
};

/// XR24, four bytes a pixel.
const FORMAT: u32 = u32::from_le_bytes(*b"XR24");
/// Pixels a row that is a page, and of one that is 16 pages: devices bound both sides of an image.
const SHORT_ROW: usize = 1024;
const LONG_ROW: usize = 16 * SHORT_ROW;
/// From here on sizes are whole long rows.
const LARGE: usize = 1 << 20;
/// GBM_BO_USE_LINEAR, by gbm.h.
const LINEAR: u32 = 1 << 4;

pub const SMALLEST: usize = 4 * PAGE_BYTES;
/// Pools have their size in an i32.
const LARGEST: u64 = i32::MAX as u64;

pub struct Memory {
    pub mapping: Mapping,
    /// Where it begins in the descriptor that the compositor gets.
    pub offset: u64,
    pub resource: u32,
    _blob: BlobGuard,
}

impl Memory {
    pub fn bytes(&self) -> usize {
        self.mapping.bytes()
    }
}

impl Channel {
    /// The bytes that `allocate` gives for so many: a quarter of a power of two more at most, so that many fit few sizes.
    pub fn round_up(bytes: usize) -> usize {
        let step = (bytes.next_power_of_two() / 8).max(SMALLEST);
        bytes.max(1).next_multiple_of(step)
    }

    /// Memory of `round_up(bytes)` bytes. Its content is anything.
    pub fn allocate(&self, bytes: usize) -> Result<Memory, ChannelError> {
        let bytes = Self::round_up(bytes);
        if bytes as u64 > LARGEST {
            return Err(ChannelError::Location(bytes));
        }
        let template = self.template(bytes)?;
        let blob = BlobGuard::new(&self.gpu, Source::Host(template.id), bytes);
        let blob = asked("get memory for a buffer", blob)?;
        let mapping = self.gpu.map_blob(blob.blob, bytes, Access::ReadWrite);
        let mapping = asked("map memory for a buffer", mapping)?;
        let resource = blob.blob.resource;
        Ok(Memory {
            mapping,
            offset: self.locate(resource, bytes)?,
            resource,
            _blob: blob,
        })
    }

    pub(super) fn template(&self, bytes: usize) -> Result<Requirements, ChannelError> {
        if let Some(known) = self.templates.borrow().get(&bytes) {
            return Ok(*known);
        }
        let (width, height) = sides(bytes);
        let question = wire::get_image_requirements(width, height, FORMAT, LINEAR);
        let answer = Requirements::parse(&self.query(&question)?);
        match answer.bytes {
            0 => Err(ChannelError::Silent),
            given if given != bytes as u64 => Err(ChannelError::Requirements {
                wanted: bytes,
                given,
            }),
            // One for each size: devices keep them for as long as the channel lives.
            _ => Ok(*self.templates.borrow_mut().entry(bytes).or_insert(answer)),
        }
    }

    fn locate(&self, resource: u32, bytes: usize) -> Result<u64, ChannelError> {
        if !self.capabilities.can_locate {
            return Ok(0);
        }
        let Location {
            offset,
            descriptor_bytes,
        } = Location::parse(&self.query(&wire::locate(resource))?);
        let end = offset.checked_add(bytes as u64);
        match end.filter(|end| *end <= descriptor_bytes.min(LARGEST)) {
            Some(_) => Ok(offset),
            None => Err(ChannelError::Location(bytes)),
        }
    }
}

/// Of an image that takes so many bytes.
fn sides(bytes: usize) -> (u32, u32) {
    let width = if bytes < LARGE { SHORT_ROW } else { LONG_ROW };
    let height = u32::try_from(bytes / (4 * width)).unwrap_or(u32::MAX);
    (width as u32, height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sizes_are_whole_pages_and_little_more_than_asked(bytes in 0usize..200_000_000) {
            let rounded = Channel::round_up(bytes);
            prop_assert!(rounded >= bytes && rounded.is_multiple_of(PAGE_BYTES) && rounded > 0);
            prop_assert!(rounded - bytes <= (bytes / 4).max(SMALLEST));
            prop_assert_eq!(Channel::round_up(rounded), rounded);
            let (width, height) = sides(rounded);
            prop_assert_eq!(width as usize * height as usize * 4, rounded);
            prop_assert!(width.max(height) <= 16_384);
        }
    }
}
