//! The cross-domain messages as bytes, after rutabaga's cross_domain_protocol. All numbers little-endian.

use rustix::fd::OwnedFd;

pub const INIT: u8 = 1;
pub const GET_IMAGE_REQUIREMENTS: u8 = 2;
pub const POLL: u8 = 3;
pub const SEND: u8 = 4;
pub const RECEIVE: u8 = 5;
pub const READ: u8 = 6;
pub const WRITE: u8 = 7;
/// Not rutabaga's: where a blob lies in the descriptor that the host is sent.
pub const LOCATE: u8 = 0xc0;

pub const WAYLAND: u32 = 1;
pub const MAX_IDENTIFIERS: usize = 28;
pub const BLOB: u32 = 1;
pub const READ_PIPE: u32 = 3;
pub const WRITE_PIPE: u32 = 4;
/// Numbers of pipes towards the guest are counted from here, this one left out.
pub const READ_PIPE_START: u32 = 0x8000_0000;

const HEADER_BYTES: usize = 8;
pub const SEND_BYTES: usize = 16 + 3 * 4 * MAX_IDENTIFIERS;
pub const READ_WRITE_BYTES: usize = 24;

/// Version 1, Wayland channels, no dmabufs, no memory of a GPU; and the extension bits of LOCATE and of rings for pipes.
pub const CAPABILITIES: [u32; 5] = [1, 1 << WAYLAND, 0, 0, 0b11];

#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Init {
        query_ring: u32,
        channel_ring: u32,
        channel: u32,
    },
    Requirements {
        width: u32,
        height: u32,
        format: u32,
    },
    Poll,
    Send {
        identifiers: Vec<(u32, u32)>,
        bytes: &'a [u8],
    },
    Write {
        id: u32,
        is_end: bool,
        bytes: &'a [u8],
    },
    Locate {
        resource: u32,
    },
}

/// The first command of a buffer, with what follows it. Nothing for what is cut short or not known.
pub fn parse(buffer: &[u8]) -> Option<(Command<'_>, &[u8])> {
    let size = usize::from(u16::from_le_bytes([*buffer.get(2)?, *buffer.get(3)?]));
    if size < HEADER_BYTES {
        return None;
    }
    let (command, rest) = buffer.split_at_checked(size)?;
    let body = &command[HEADER_BYTES..];
    let needs = |bytes: usize| (command.len() >= bytes).then_some(());
    let parsed = match command[0] {
        INIT => {
            needs(20)?;
            Command::Init {
                query_ring: word(body, 0),
                channel_ring: word(body, 4),
                channel: word(body, 8),
            }
        }
        GET_IMAGE_REQUIREMENTS => {
            needs(24)?;
            Command::Requirements {
                width: word(body, 0),
                height: word(body, 4),
                format: word(body, 8),
            }
        }
        POLL => Command::Poll,
        SEND => {
            needs(SEND_BYTES)?;
            let count = usize::try_from(word(body, 0))
                .ok()
                .filter(|count| *count <= MAX_IDENTIFIERS)?;
            let column = |number: usize, index: usize| {
                word(body, 8 + 4 * (number * MAX_IDENTIFIERS + index))
            };
            Command::Send {
                identifiers: (0..count)
                    .map(|index| (column(0, index), column(1, index)))
                    .collect(),
                bytes: data(command, SEND_BYTES, word(body, 4))?,
            }
        }
        WRITE => {
            needs(READ_WRITE_BYTES)?;
            Command::Write {
                id: word(body, 0),
                is_end: word(body, 4) != 0,
                bytes: data(command, READ_WRITE_BYTES, word(body, 8))?,
            }
        }
        LOCATE => {
            needs(16)?;
            Command::Locate {
                resource: word(body, 0),
            }
        }
        _ => return None,
    };
    Some((parsed, rest))
}

fn data(command: &[u8], from: usize, length: u32) -> Option<&[u8]> {
    command.get(from..from.checked_add(usize::try_from(length).ok()?)?)
}

/// What an event brings beside bytes: kind, number, size.
pub type Identifier = (u32, u32, u32);

pub fn receive(identifiers: &[Identifier], bytes: &[u8]) -> Vec<u8> {
    let mut words = [0; 2 + 3 * MAX_IDENTIFIERS];
    words[0] = identifiers.len() as u32;
    words[1] = bytes.len() as u32;
    for (index, (kind, id, size)) in identifiers.iter().take(MAX_IDENTIFIERS).enumerate() {
        words[2 + index] = *id;
        words[2 + MAX_IDENTIFIERS + index] = *kind;
        words[2 + 2 * MAX_IDENTIFIERS + index] = *size;
    }
    message(RECEIVE, &words, bytes)
}

pub fn read(id: u32, is_end: bool, bytes: &[u8]) -> Vec<u8> {
    message(READ, &[id, is_end.into(), bytes.len() as u32, 0], bytes)
}

fn message(kind: u8, words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER_BYTES + 4 * words.len() + bytes.len());
    message.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    message.extend(bytes);
    message
}

/// The memory of a linear image.
pub fn requirements(stride: u32, size: u64, id: u32) -> Vec<u8> {
    let mut answer = Vec::with_capacity(64);
    answer.extend(
        [stride, 0, 0, 0, 0, 0, 0, 0]
            .iter()
            .flat_map(|word| word.to_le_bytes()),
    );
    answer.extend(0u64.to_le_bytes()); // modifier: linear
    answer.extend(size.to_le_bytes());
    answer.extend([id, 1].iter().flat_map(|word| word.to_le_bytes()));
    answer.extend([-1i32, -1].iter().flat_map(|word| word.to_le_bytes()));
    answer
}

pub fn location(offset: u64, descriptor_bytes: u64) -> Vec<u8> {
    [offset, descriptor_bytes]
        .iter()
        .flat_map(|long| long.to_le_bytes())
        .collect()
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    u32::from_le_bytes(word.unwrap_or_default())
}

pub fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// What came from the host's end of a channel.
pub struct Received {
    pub bytes: Vec<u8>,
    pub descriptors: Vec<OwnedFd>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn command(kind: u8, words: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut command = message(kind, words, bytes);
        let size = command.len() as u16;
        command[2..4].copy_from_slice(&size.to_le_bytes());
        command
    }

    #[test]
    fn a_command_that_says_more_than_it_has_is_none() {
        let write = command(WRITE, &[5, 0, 3, 0], b"abc");
        let (parsed, rest) = parse(&write).expect("whole");
        let whole = Command::Write {
            id: 5,
            is_end: false,
            bytes: b"abc",
        };
        assert_eq!((parsed, rest), (whole, &[][..]));
        assert_eq!(parse(&write[..write.len() - 1]), None);
        assert_eq!(parse(&command(WRITE, &[5, 0, 4, 0], b"abc")), None);
        assert_eq!(parse(&command(WRITE, &[5, 0, u32::MAX, 0], b"abc")), None);
        assert_eq!(parse(&command(SEND, &[0, 0], &[])), None);
        let mut send = [0; 86];
        send[0] = 29;
        assert_eq!(parse(&command(SEND, &send, &[])), None);
        assert_eq!(parse(&[POLL, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(parse(&[POLL, 0, 7, 0, 0, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(mut buffer in prop::collection::vec(any::<u8>(), 0..600), kind in 0u8..9, size in any::<u16>()) {
            if buffer.len() > 3 {
                buffer[0] = kind;
                buffer[2..4].copy_from_slice(&(size % 700).to_le_bytes());
            }
            let mut left = &buffer[..];
            while let Some((_, rest)) = parse(left) {
                prop_assert!(rest.len() + HEADER_BYTES <= left.len());
                left = rest;
            }
        }

        #[test]
        fn what_is_sent_is_what_was_written(
            identifiers in prop::collection::vec((any::<u32>(), any::<u32>()), 0..=MAX_IDENTIFIERS),
            bytes in prop::collection::vec(any::<u8>(), 0..3744),
        ) {
            let mut words = [0; 2 + 3 * MAX_IDENTIFIERS];
            (words[0], words[1]) = (identifiers.len() as u32, bytes.len() as u32);
            for (index, (number, kind)) in identifiers.iter().enumerate() {
                (words[2 + index], words[2 + MAX_IDENTIFIERS + index]) = (*number, *kind);
            }
            let buffer = command(SEND, &words, &bytes);
            let expected = Command::Send { identifiers, bytes: &bytes };
            prop_assert_eq!(parse(&buffer), Some((expected, &[][..])));
        }
    }
}
