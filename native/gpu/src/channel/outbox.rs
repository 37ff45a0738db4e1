//! What the lens has not taken yet.

use std::{
    collections::VecDeque,
    io::IoSlice,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    io::Errno,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};

use super::{ChannelError, wire::MAX_IDENTIFIERS};

/// Bytes that may wait: a compositor that is busy for a moment costs no program its windows.
const WAITING_BYTES: usize = 4 << 20;
const WAITING_DESCRIPTORS: usize = 256;

#[derive(Default)]
pub struct Outbox {
    waiting: VecDeque<Message>,
    bytes: usize,
    descriptors: usize,
}

struct Message {
    bytes: Vec<u8>,
    sent: usize,
    /// They go with the first byte.
    descriptors: Vec<OwnedFd>,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn push(
        &mut self,
        socket: &OwnedFd,
        bytes: &[u8],
        descriptors: Vec<OwnedFd>,
    ) -> Result<(), ChannelError> {
        // Descriptors go with bytes only.
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = match self.is_empty() {
            true => send(socket, bytes, &descriptors)?,
            false => 0,
        };
        if sent == bytes.len() {
            return Ok(());
        }
        let descriptors = if sent > 0 { Vec::new() } else { descriptors };
        self.bytes += bytes.len() - sent;
        self.descriptors += descriptors.len();
        if self.bytes > WAITING_BYTES || self.descriptors > WAITING_DESCRIPTORS {
            return Err(ChannelError::Stalled(self.bytes));
        }
        self.waiting.push_back(Message {
            bytes: bytes[sent..].to_vec(),
            sent: 0,
            descriptors,
        });
        Ok(())
    }

    pub fn flush(&mut self, socket: &OwnedFd) -> Result<(), ChannelError> {
        while let Some(message) = self.waiting.front_mut() {
            let sent = send(socket, &message.bytes[message.sent..], &message.descriptors)?;
            if sent == 0 {
                return Ok(());
            }
            self.descriptors -= message.descriptors.len();
            message.descriptors.clear();
            message.sent += sent;
            self.bytes -= sent;
            if message.sent == message.bytes.len() {
                self.waiting.pop_front();
            }
        }
        Ok(())
    }
}

/// How many bytes the socket took; none when it is full. What a closed end would have got is gone.
fn send(socket: &OwnedFd, bytes: &[u8], descriptors: &[OwnedFd]) -> Result<usize, ChannelError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_IDENTIFIERS))];
    loop {
        let mut control = SendAncillaryBuffer::new(&mut space);
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        if !borrowed.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&borrowed));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags) {
            Ok(sent) => return Ok(sent),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(0),
            // What the lens said last is still to be read.
            Err(Errno::PIPE | Errno::CONNRESET) => return Ok(bytes.len()),
            Err(errno) => return Err(ChannelError::Socket(errno)),
        }
    }
}
