//! Commands and answers of the control queue as bytes (virtio 1.3, section 5.7.6.7 on). All numbers little-endian.

use crate::channel::wire::{long, word};

pub const GET_DISPLAY_INFO: u32 = 0x100;
pub const RESOURCE_UNREF: u32 = 0x102;
pub const GET_CAPSET_INFO: u32 = 0x108;
pub const GET_CAPSET: u32 = 0x109;
pub const RESOURCE_CREATE_BLOB: u32 = 0x10c;
pub const CTX_CREATE: u32 = 0x200;
pub const CTX_DESTROY: u32 = 0x201;
pub const CTX_ATTACH_RESOURCE: u32 = 0x202;
pub const CTX_DETACH_RESOURCE: u32 = 0x203;
pub const SUBMIT_3D: u32 = 0x207;
pub const RESOURCE_MAP_BLOB: u32 = 0x208;
pub const RESOURCE_UNMAP_BLOB: u32 = 0x209;

pub const OK_NODATA: u32 = 0x1100;
pub const OK_DISPLAY_INFO: u32 = 0x1101;
pub const OK_CAPSET_INFO: u32 = 0x1102;
pub const OK_CAPSET: u32 = 0x1103;
pub const OK_MAP_INFO: u32 = 0x1106;

pub const BLOB_MEM_GUEST: u32 = 1;
pub const BLOB_MEM_HOST3D: u32 = 2;
/// The memory is ordinary, cached memory.
pub const MAP_CACHED: u32 = 1;

const HEADER_BYTES: usize = 24;
const FLAG_FENCE: u32 = 1;
const FLAG_RING: u32 = 2;
/// 16 scanouts of 24 bytes, all of them off.
const DISPLAY_INFO_BYTES: usize = 16 * 24;

/// Why a command was refused, as the driver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Unspecified = 0x1200,
    OutOfMemory = 0x1201,
    InvalidResource = 0x1203,
    InvalidContext = 0x1204,
    InvalidParameter = 0x1205,
}

#[derive(Debug, Clone, Copy)]
pub struct Header {
    pub kind: u32,
    flags: u32,
    fence: u64,
    pub context: u32,
    ring: u8,
}

impl Header {
    /// With the rest of the command.
    pub fn parse(request: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = request.split_at_checked(HEADER_BYTES)?;
        let header = Self {
            kind: word(header, 0),
            flags: word(header, 4),
            fence: long(header, 8),
            context: word(header, 16),
            ring: header[20],
        };
        Some((header, rest))
    }

    pub fn is_fenced(&self) -> bool {
        self.flags & FLAG_FENCE != 0
    }

    /// The ring of its context that the fence is on.
    pub fn fence_ring(&self) -> Option<u8> {
        (self.flags & (FLAG_FENCE | FLAG_RING) == FLAG_FENCE | FLAG_RING).then_some(self.ring)
    }

    /// An answer to this command.
    pub fn answer(&self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut answer = Vec::with_capacity(HEADER_BYTES + data.len());
        answer.extend(kind.to_le_bytes());
        if self.is_fenced() {
            answer.extend((self.flags & (FLAG_FENCE | FLAG_RING)).to_le_bytes());
            answer.extend(self.fence.to_le_bytes());
        } else {
            answer.extend([0; 12]);
        }
        answer.extend(self.context.to_le_bytes());
        answer.extend([self.ring, 0, 0, 0]);
        answer.extend(data);
        answer
    }
}

/// Display information that says there is no display.
pub fn no_displays() -> Vec<u8> {
    vec![0; DISPLAY_INFO_BYTES]
}

pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[derive(Debug)]
pub struct CreateBlob {
    pub resource: u32,
    pub memory: u32,
    pub id: u64,
    pub size: u64,
    /// Addresses and bytes of the guest's pages.
    pub pages: Vec<(u64, u32)>,
}

impl CreateBlob {
    pub fn parse(rest: &[u8]) -> Option<Self> {
        let (fixed, entries) = rest.split_at_checked(32)?;
        let count = usize::try_from(word(fixed, 12)).ok()?;
        let entries = entries.get(..count.checked_mul(16)?)?;
        Some(Self {
            resource: word(fixed, 0),
            memory: word(fixed, 4),
            id: long(fixed, 16),
            size: long(fixed, 24),
            pages: entries
                .chunks_exact(16)
                .map(|it| (long(it, 0), word(it, 8)))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_fenced_is_answered_with_its_fence() {
        for (flags, echoed, fence) in [(0, 0, 0), (1, 1, 9), (2, 0, 0), (3, 3, 9), (7, 3, 9)] {
            let mut request = words(&[SUBMIT_3D, flags, 9, 0, 7]);
            request.extend([1, 0, 0, 0]);
            let (header, _) = Header::parse(&request).expect("header");
            let answer = header.answer(OK_NODATA, &[]);
            assert_eq!(answer.len(), 24);
            assert_eq!((word(&answer, 4), long(&answer, 8)), (echoed, fence));
            assert_eq!((word(&answer, 16), answer[20]), (7, 1));
        }
    }

    #[test]
    fn a_blob_has_all_the_pages_that_it_says() {
        let mut blob = words(&[3, BLOB_MEM_GUEST, 1, 2, 0, 0, 4096, 0]);
        blob.extend(
            [1, 0, 2048, 0, 9, 0, 2048]
                .iter()
                .flat_map(|it| u32::to_le_bytes(*it)),
        );
        assert!(CreateBlob::parse(&blob).is_none());
        blob.extend([0; 4]);
        let pages = CreateBlob::parse(&blob).map(|blob| blob.pages);
        assert_eq!(pages, Some(vec![(1, 2048), (9, 2048)]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_blob_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, rest)) = Header::parse(&bytes)
                && let Some(blob) = CreateBlob::parse(rest)
            {
                prop_assert!(blob.pages.len() * 16 + 32 <= rest.len());
            }
        }
    }
}
