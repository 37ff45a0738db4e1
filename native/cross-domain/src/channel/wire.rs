//! The cross-domain messages as bytes, after rutabaga's cross_domain_protocol. All numbers little-endian.

use thiserror::Error;

use crate::gpu::{CAPABILITY_BYTES, PAGE_BYTES};

const INIT: u8 = 1;
const GET_IMAGE_REQUIREMENTS: u8 = 2;
const POLL: u8 = 3;
const SEND: u8 = 4;
const RECEIVE: u8 = 5;
const READ: u8 = 6;
const WRITE: u8 = 7;
/// Our device's own.
const LOCATE: u8 = 0xc0;

const WAYLAND: u32 = 1;
pub const QUERY_RING: u8 = 0;
const CHANNEL_RING: u8 = 1;
/// What of them a pipe can have for its own.
pub const PIPE_RINGS: std::ops::Range<u8> = 2..crate::gpu::RINGS;

/// Descriptors of one message.
pub const MAX_IDENTIFIERS: usize = 28;
const SEND_HEADER: usize = 16 + 3 * 4 * MAX_IDENTIFIERS;
const WRITE_HEADER: usize = 24;
/// Bytes of the stream in one message.
pub const MAX_DATA: usize = PAGE_BYTES - SEND_HEADER;
/// Bytes of a pipe in one message.
pub const MAX_PIPE_DATA: usize = PAGE_BYTES - WRITE_HEADER;

const BLOB: u32 = 1;
const READ_PIPE: u32 = 3;
const WRITE_PIPE: u32 = 4;
/// The first number that a pipe towards the guest gets, by crosvm's way of counting.
pub const FIRST_READ_PIPE: u32 = 0x8000_0001;

pub const REQUIREMENTS_BYTES: usize = 64;
pub const LOCATION_BYTES: usize = 16;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum WireError {
    #[error("the device's capability set has version {0} and no Wayland channel")]
    NoWayland(u32),
    #[error("a message of the unknown kind {0}")]
    Kind(u8),
    #[error("a message says more than its ring holds: {0} descriptors, {1} bytes")]
    Bounds(u32, u32),
    #[error("a descriptor of the unknown kind {0}")]
    Descriptor(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The memory that the device gives out is a dmabuf, not a memfd.
    pub has_dmabuf: bool,
    pub can_locate: bool,
    /// Each pipe can have a ring for its fences.
    pub has_pipe_rings: bool,
}

impl Capabilities {
    pub fn parse(bytes: &[u8; CAPABILITY_BYTES]) -> Result<Self, WireError> {
        let [version, channels, dmabuf, _external, extensions] =
            [0, 4, 8, 12, 16].map(|at| word(bytes, at));
        if version == 0 || channels & 1 << WAYLAND == 0 {
            return Err(WireError::NoWayland(version));
        }
        Ok(Self {
            has_dmabuf: dmabuf != 0,
            can_locate: extensions & 1 != 0,
            has_pipe_rings: extensions & 2 != 0,
        })
    }
}

/// What goes to the host beside bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifier {
    /// A blob, by its resource.
    Blob(u32),
    /// A pipe whose other end the host writes.
    ReadPipe(u32),
}

/// What comes from the host beside bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A file of so many bytes.
    File { id: u32, bytes: u32 },
    /// A pipe that the host reads.
    WritePipe { id: u32 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Received {
        bytes: Vec<u8>,
        items: Vec<Item>,
    },
    /// Bytes for a pipe that was sent.
    Read {
        pipe: u32,
        bytes: Vec<u8>,
        is_end: bool,
    },
    /// The host's end of the channel is closed.
    HungUp,
    /// Nothing was written to the ring.
    Nothing,
}

pub fn init(query_ring: u32, channel_ring: u32) -> Vec<u8> {
    message(INIT, QUERY_RING, &[query_ring, channel_ring, WAYLAND], &[])
}

pub fn poll() -> Vec<u8> {
    message(POLL, CHANNEL_RING, &[], &[])
}

pub fn get_image_requirements(width: u32, height: u32, format: u32, flags: u32) -> Vec<u8> {
    message(
        GET_IMAGE_REQUIREMENTS,
        QUERY_RING,
        &[width, height, format, flags],
        &[],
    )
}

pub fn locate(resource: u32) -> Vec<u8> {
    message(LOCATE, QUERY_RING, &[resource, 0], &[])
}

/// At most `MAX_DATA` bytes and `MAX_IDENTIFIERS` identifiers.
pub fn send(bytes: &[u8], identifiers: &[Identifier]) -> Vec<u8> {
    let mut words = [0; 2 + 3 * MAX_IDENTIFIERS];
    words[0] = identifiers.len() as u32;
    words[1] = bytes.len() as u32;
    for (index, identifier) in identifiers.iter().enumerate() {
        let (kind, id) = match *identifier {
            Identifier::Blob(id) => (BLOB, id),
            Identifier::ReadPipe(id) => (READ_PIPE, id),
        };
        words[2 + index] = id;
        words[2 + MAX_IDENTIFIERS + index] = kind;
    }
    message(SEND, QUERY_RING, &words, bytes)
}

/// At most `MAX_PIPE_DATA` bytes.
pub fn write(pipe: u32, bytes: &[u8], is_end: bool) -> Vec<u8> {
    let words = [pipe, is_end.into(), bytes.len() as u32, 0];
    message(WRITE, QUERY_RING, &words, bytes)
}

/// The header, which says the length of all, then words, then bytes.
fn message(kind: u8, ring: u8, words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let total = (8 + 4 * words.len() + bytes.len()) as u16;
    let mut message = vec![kind, ring, total.to_le_bytes()[0], total.to_le_bytes()[1]];
    message.extend([0; 4]);
    message.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    message.extend(bytes);
    message
}

/// The message in a copy of the channel ring.
pub fn parse(ring: &[u8; PAGE_BYTES]) -> Result<Event, WireError> {
    match ring[0] {
        RECEIVE => parse_receive(ring),
        READ => parse_read(ring),
        0 => Ok(Event::Nothing),
        kind => Err(WireError::Kind(kind)),
    }
}

fn parse_receive(ring: &[u8; PAGE_BYTES]) -> Result<Event, WireError> {
    let (identifiers, bytes) = (word(ring, 8), word(ring, 12));
    let (count, length) = (identifiers as usize, bytes as usize);
    if count > MAX_IDENTIFIERS || length > MAX_DATA {
        return Err(WireError::Bounds(identifiers, bytes));
    }
    if count == 0 && length == 0 {
        return Ok(Event::HungUp);
    }
    let column =
        |number: usize, index: usize| word(ring, 16 + 4 * (number * MAX_IDENTIFIERS + index));
    let item = |index: usize| match column(1, index) {
        BLOB => Ok(Item::File {
            id: column(0, index),
            bytes: column(2, index),
        }),
        WRITE_PIPE => Ok(Item::WritePipe {
            id: column(0, index),
        }),
        kind => Err(WireError::Descriptor(kind)),
    };
    Ok(Event::Received {
        bytes: ring[SEND_HEADER..SEND_HEADER + length].to_vec(),
        items: (0..count).map(item).collect::<Result<_, _>>()?,
    })
}

fn parse_read(ring: &[u8; PAGE_BYTES]) -> Result<Event, WireError> {
    let [pipe, hang_up, bytes] = [8, 12, 16].map(|at| word(ring, at));
    let length = bytes as usize;
    if length > MAX_PIPE_DATA {
        return Err(WireError::Bounds(0, bytes));
    }
    Ok(Event::Read {
        pipe,
        bytes: ring[WRITE_HEADER..WRITE_HEADER + length].to_vec(),
        is_end: hang_up != 0,
    })
}

/// What memory an image takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    pub bytes: u64,
    /// What blobs of this kind are made from.
    pub id: u32,
}

impl Requirements {
    pub fn parse(answer: &[u8; REQUIREMENTS_BYTES]) -> Self {
        Self {
            bytes: long(answer, 40),
            id: word(answer, 48),
        }
    }
}

/// Where a blob lies in the descriptor that the host hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    pub offset: u64,
    /// Zero where the device does not know the blob.
    pub descriptor_bytes: u64,
}

impl Location {
    pub fn parse(answer: &[u8; LOCATION_BYTES]) -> Self {
        Self {
            offset: long(answer, 0),
            descriptor_bytes: long(answer, 8),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    u32::from_le_bytes(word.unwrap_or_default())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
