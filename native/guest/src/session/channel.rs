//! The host's end of a session: frames in and out of a stream that does not block.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use cloche_protocol::exec::ExecFromGuest;
use cloche_protocol::frame::{Frame, FrameDecoder, FrameError, Kind, encode};
use cloche_protocol::message::{self, MessageError};
use cloche_protocol::stream::PARTIAL_FRAME_DEADLINE;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::queue::Queue;

#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("the host closed the connection")]
    Closed,
    #[error("the host did not finish what it began")]
    Deadline,
    #[error("the host sent something that was not due")]
    Unexpected,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// Unsent output at which a session's own output is not read any more.
const MAX_UNSENT: usize = 256 * 1024;
const READ_SIZE: usize = 64 * 1024;

pub struct Channel<S> {
    stream: S,
    decoder: FrameDecoder,
    unsent: Queue,
    /// When the first byte of an unfinished frame was seen.
    begun: Option<Instant>,
    chunk: Box<[u8]>,
}

impl<S: Read + Write + AsFd> Channel<S> {
    pub fn new(stream: S) -> io::Result<Self> {
        set_nonblocking(&stream)?;
        let chunk = vec![0; READ_SIZE].into_boxed_slice();
        Ok(Self {
            stream,
            decoder: FrameDecoder::default(),
            unsent: Queue::default(),
            begun: None,
            chunk,
        })
    }

    /// A frame that has come whole.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ChannelError> {
        let frame = self.decoder.next_frame()?;
        if frame.is_some() || !self.decoder.is_partial() {
            self.begun = None;
        } else {
            self.begun.get_or_insert_with(Instant::now);
        }
        Ok(frame)
    }

    /// The time that is left for an unfinished frame, where there is one.
    pub fn time_left(&self) -> Result<Option<Duration>, ChannelError> {
        let Some(begun) = self.begun else {
            return Ok(None);
        };
        PARTIAL_FRAME_DEADLINE
            .checked_sub(begun.elapsed())
            .map(Some)
            .ok_or(ChannelError::Deadline)
    }

    /// The host is kept waiting: the deadline does not run.
    pub fn pause(&mut self) {
        self.begun = None;
    }

    /// Reads once what is there.
    pub fn receive(&mut self) -> Result<(), ChannelError> {
        match self.stream.read(&mut self.chunk) {
            Ok(0) => Err(ChannelError::Closed),
            Ok(count) => {
                self.decoder.push(&self.chunk[..count]);
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub fn has_room(&self) -> bool {
        self.unsent.len() < MAX_UNSENT
    }

    pub fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    pub fn send(&mut self, message: &ExecFromGuest) -> Result<(), ChannelError> {
        Ok(message::append(message, self.unsent.tail())?)
    }

    pub fn send_output(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), ChannelError> {
        Ok(encode(kind, bytes, self.unsent.tail())?)
    }

    pub fn flush(&mut self) -> Result<(), ChannelError> {
        Ok(self.unsent.write_to(&mut self.stream)?)
    }
}

impl<S: AsFd> AsFd for Channel<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

pub fn set_nonblocking(descriptor: &impl AsFd) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(descriptor.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(
        descriptor.as_fd(),
        FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK),
    )
    .map(drop)
}
