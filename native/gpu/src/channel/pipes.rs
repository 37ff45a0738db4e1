//! Pipes of clipboards and drags: read while the guest asks for events, written as fast as the host reads.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, read, write},
    net::{SendFlags, send},
};

use super::nonblocking;
use crate::{
    queue::Taken,
    wait::{Interest, Token, Waiter},
};

/// A pipe that polls as writable takes so much without waiting (pipe(7)).
const PIPE_BUF: usize = 4096;
/// A guest that doesn't wait for its writes loses the pipe.
const WAITING_BYTES: usize = 1 << 20;
/// What one paste or drop may bring to the host in all.
const TOTAL_BYTES: u64 = 256 << 20;
const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// The host writes, the guest reads.
pub struct ReadPipe(OwnedFd);

impl ReadPipe {
    /// The other end blocks as its owner likes.
    pub fn new(descriptor: OwnedFd) -> Result<Self, Errno> {
        nonblocking(&descriptor)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
        Ok(Self(descriptor))
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// What there is, none of it at the end; nothing while there is nothing.
    pub fn read(&mut self, room: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; room.min(PIPE_BUF)];
        loop {
            match read(&self.0, &mut bytes) {
                Ok(count) => {
                    bytes.truncate(count);
                    return Some(bytes);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return None,
                Err(_) => return Some(Vec::new()),
            }
        }
    }
}

/// The guest writes, the host reads.
pub struct WritePipe {
    descriptor: OwnedFd,
    is_socket: bool,
    waiting: VecDeque<u8>,
    /// Bytes that the guest has given so far.
    total: u64,
    is_ended: bool,
    is_broken: bool,
    /// Requests whose bytes wait.
    held: Vec<Taken>,
}

impl WritePipe {
    pub fn new(descriptor: OwnedFd, is_socket: bool) -> Self {
        Self {
            descriptor,
            is_socket,
            waiting: VecDeque::new(),
            total: 0,
            is_ended: false,
            is_broken: false,
            held: Vec::new(),
        }
    }

    pub fn push(&mut self, bytes: &[u8], is_end: bool) {
        if !self.is_ended && !self.is_broken {
            self.waiting.extend(bytes);
            self.total = self.total.saturating_add(bytes.len() as u64);
            self.is_broken = self.waiting.len() > WAITING_BYTES || self.total > TOTAL_BYTES;
        }
        self.is_ended |= is_end;
    }

    /// Whether nothing waits any more.
    pub fn flush(&mut self) -> bool {
        while !self.waiting.is_empty() && !self.is_broken {
            match self.write_some() {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                Err(_) => self.is_broken = true,
            }
        }
        true
    }

    /// Others may share the descriptor's flags, so it is asked before, not made non-blocking.
    fn write_some(&self) -> Result<usize, Errno> {
        let (front, _) = self.waiting.as_slices();
        let chunk = &front[..front.len().min(PIPE_BUF)];
        if self.is_socket {
            return send(
                &self.descriptor,
                chunk,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            );
        }
        let mut asked = [PollFd::new(&self.descriptor, PollFlags::OUT)];
        poll(&mut asked, Some(&AT_ONCE))?;
        match asked[0].revents() {
            events if events.contains(PollFlags::ERR) => Err(Errno::PIPE),
            events if events.contains(PollFlags::OUT) => write(&self.descriptor, chunk),
            _ => Err(Errno::AGAIN),
        }
    }

    /// Whether the pipe is of no use any more.
    pub fn is_done(&self) -> bool {
        self.is_broken || self.is_ended && self.waiting.is_empty()
    }

    /// Holds a request until everything is written; gives it back if it is.
    pub fn hold(&mut self, request: Taken) -> Option<Taken> {
        if self.waiting.is_empty() || self.is_broken {
            return Some(request);
        }
        self.held.push(request);
        None
    }

    pub fn release(&mut self) -> Vec<Taken> {
        std::mem::take(&mut self.held)
    }

    pub fn arm(&self, waiter: &Waiter, token: Token) {
        waiter.arm(&self.descriptor, token, Interest::Write);
    }
}
