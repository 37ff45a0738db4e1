//! Frames over a blocking stream, with the deadline for a frame that was begun and not finished.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::frame::{Frame, FrameDecoder, FrameError};

/// How long the rest of a begun frame may take.
pub const PARTIAL_FRAME_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
    #[error("the stream ended inside a frame")]
    Truncated,
    #[error("no whole frame came in {0:?}")]
    Deadline(Duration),
}

/// Reads frames; the stream's own descriptor is what is waited on.
pub struct FrameReader<S> {
    stream: S,
    decoder: FrameDecoder,
    deadline: Duration,
}

impl<S: Read + AsFd> FrameReader<S> {
    pub fn new(stream: S) -> Self {
        Self::with_deadline(stream, PARTIAL_FRAME_DEADLINE)
    }

    pub fn with_deadline(stream: S, deadline: Duration) -> Self {
        Self {
            stream,
            decoder: FrameDecoder::default(),
            deadline,
        }
    }

    /// The next frame, or nothing at the end of the stream. Waits for as long as no frame has begun.
    pub fn read_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let mut begun: Option<Instant> = None;
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            if self.decoder.is_partial() {
                let elapsed = begun.get_or_insert_with(Instant::now).elapsed();
                let left = self
                    .deadline
                    .checked_sub(elapsed)
                    .ok_or(StreamError::Deadline(self.deadline))?;
                if !wait_readable(&self.stream, left)? {
                    return Err(StreamError::Deadline(self.deadline));
                }
            }
            match self.stream.read(&mut chunk) {
                Ok(0) if self.decoder.is_partial() => return Err(StreamError::Truncated),
                Ok(0) => return Ok(None),
                Ok(count) => self.decoder.push(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn wait_readable(stream: &impl AsFd, timeout: Duration) -> Result<bool, StreamError> {
    let timeout = Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(errno) => Err(io::Error::from(errno).into()),
    }
}

#[cfg(test)]
mod tests;
