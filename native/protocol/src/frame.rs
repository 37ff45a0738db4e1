//! Frames: u32 LE length of what follows (1 to 262144), u8 kind, payload. The decoder does no input or output.

/// The greatest length a frame may say: kind and payload.
pub const MAX_LENGTH: usize = 262_144;
/// The greatest payload of one frame.
pub const MAX_PAYLOAD: usize = MAX_LENGTH - 1;
const HEADER: usize = 4;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Json,
    Stdin,
    Stdout,
    Stderr,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Json, Self::Stdin, Self::Stdout, Self::Stderr]
            .get(usize::from(byte))
            .copied()
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    pub kind: Kind,
    pub payload: Vec<u8>,
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame says a length of {0}, outside 1..={MAX_LENGTH}")]
    Length(u32),
    #[error("a frame has the unknown kind {0}")]
    Kind(u8),
}

/// Takes bytes as they come and gives frames. Holds no more than was pushed; after an error the stream is lost.
#[derive(Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Where the first frame that was not given yet begins.
    start: usize,
}

impl FrameDecoder {
    pub fn push(&mut self, bytes: &[u8]) {
        // Moved once a batch of frames, so that a byte is copied a bounded number of times.
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or nothing until more bytes are pushed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some((header, rest)) = pending.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let said = u32::from_le_bytes(*header);
        let length = usize::try_from(said).unwrap_or(usize::MAX);
        if length == 0 || length > MAX_LENGTH {
            return Err(FrameError::Length(said));
        }
        let Some((&kind, _)) = rest.split_first() else {
            return Ok(None);
        };
        let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let Some(payload) = rest.get(1..length) else {
            return Ok(None);
        };
        let frame = Frame {
            kind,
            payload: payload.to_vec(),
        };
        self.start += HEADER + length;
        Ok(Some(frame))
    }

    /// Whether bytes of an unfinished frame are held (or frames that were not taken yet).
    pub fn is_partial(&self) -> bool {
        self.start < self.buffer.len()
    }
}

/// Appends one frame. A payload beyond the limit is split by the caller; a longer one is refused.
pub fn encode(kind: Kind, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = u32::try_from(payload.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    if payload.len() > MAX_PAYLOAD {
        return Err(FrameError::Length(length));
    }
    out.reserve(HEADER + 1 + payload.len());
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(payload);
    Ok(())
}

#[cfg(test)]
mod tests;
