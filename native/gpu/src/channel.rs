//! One context's connection to the host's Wayland: the socket, and the pipes and files that came or went over it.

mod outbox;
mod pipes;
mod receive;
pub mod wire;

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io,
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with},
    pipe::{PipeFlags, pipe_with},
};
use thiserror::Error;

use crate::{
    queue::Taken,
    wait::{Interest, Token, Waiter},
};
use outbox::Outbox;
use pipes::{ReadPipe, WritePipe};

/// Things of one context that have numbers.
const ITEMS: usize = 1024;
/// A file from the host is copied for the guest: keymaps and tables of formats, never pictures.
const FILE_BYTES: u64 = 16 << 20;

#[derive(Debug, Error)]
pub enum ChannelError {
    #[error("can't connect to the lens")]
    Connect(#[source] Errno),
    #[error("can't make a pipe")]
    Pipe(#[source] Errno),
    #[error("the lens's socket failed")]
    Socket(#[source] Errno),
    #[error("the lens takes nothing, and {0} bytes wait for it")]
    Stalled(usize),
    #[error("more than {ITEMS} things are open")]
    Items,
    #[error("pipe {0:#x} is not the next one")]
    PipeNumber(u32),
    #[error("{0} is neither a blob nor a pipe")]
    IdentifierKind(u32),
    #[error("a ring of {0} bytes holds no event")]
    Ring(usize),
    #[error("the host sent what the guest can't have: {0}")]
    Descriptor(&'static str),
}

enum Item {
    /// What blobs of so many bytes are made from, as often as wanted.
    Requirements(u64),
    File(File, u64),
    ReadPipe(ReadPipe),
    WritePipe(WritePipe),
}

pub struct Channel {
    pub query_ring: u32,
    pub channel_ring: u32,
    context: u32,
    socket: OwnedFd,
    outbox: Outbox,
    items: BTreeMap<u32, Item>,
    last_item: u32,
    last_pipe: u32,
    /// Requests for events that were not answered yet.
    polls: VecDeque<Taken>,
    end: End,
    /// The socket gave the last event: pipes come first now.
    pipes_first: bool,
    /// What the socket is waited for, until that happens.
    armed: Option<Interest>,
    /// The pipe that was read last: the others come before it.
    last_read: u32,
}

#[derive(PartialEq, Eq)]
enum End {
    Open,
    /// The host's end is closed, and the guest is to be told.
    Closed,
    Told,
}

/// What blobs are made from.
pub enum Template {
    Memory,
    /// A file of the host, and its bytes.
    File(File, u64),
}

impl Channel {
    pub fn connect(
        path: &Path,
        context: u32,
        (query_ring, channel_ring): (u32, u32),
    ) -> Result<Self, ChannelError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
        let socket = socket.map_err(ChannelError::Connect)?;
        let address = SocketAddrUnix::new(path).map_err(ChannelError::Connect)?;
        connect(&socket, &address).map_err(ChannelError::Connect)?;
        Ok(Self {
            query_ring,
            channel_ring,
            context,
            socket,
            outbox: Outbox::default(),
            items: BTreeMap::new(),
            last_item: 0,
            last_pipe: wire::READ_PIPE_START,
            polls: VecDeque::new(),
            end: End::Open,
            pipes_first: false,
            armed: None,
            last_read: 0,
        })
    }

    /// Remembers what blobs of `size` bytes are made from, under the number that is returned.
    pub fn add_requirements(&mut self, size: u64) -> Result<u32, ChannelError> {
        let known = self.items.iter().find_map(|(id, item)| match item {
            Item::Requirements(known) if *known == size => Some(*id),
            _ => None,
        });
        known.map_or_else(|| self.add(Item::Requirements(size)), Ok)
    }

    /// What a blob of `size` bytes can be made from that the guest asks for under this number.
    pub fn take_template(&mut self, id: u32, size: u64) -> Option<Template> {
        match self.items.get(&id)? {
            Item::Requirements(known) => (*known == size).then_some(Template::Memory),
            Item::File(_, bytes) if *bytes <= size => match self.items.remove(&id)? {
                Item::File(file, bytes) => Some(Template::File(file, bytes)),
                _ => None,
            },
            _ => None,
        }
    }

    fn add(&mut self, item: Item) -> Result<u32, ChannelError> {
        if self.items.len() >= ITEMS {
            return Err(ChannelError::Items);
        }
        loop {
            self.last_item = self.last_item.wrapping_add(1) % wire::READ_PIPE_START;
            if self.last_item != 0 && !self.items.contains_key(&self.last_item) {
                self.items.insert(self.last_item, item);
                return Ok(self.last_item);
            }
        }
    }

    /// The end that the host gets of a new pipe, whose number the guest has guessed.
    pub fn add_read_pipe(&mut self, id: u32) -> Result<OwnedFd, ChannelError> {
        let next = self
            .last_pipe
            .wrapping_add(1)
            .max(wire::READ_PIPE_START + 1);
        if id != next {
            return Err(ChannelError::PipeNumber(id));
        }
        if self.items.len() >= ITEMS {
            return Err(ChannelError::Items);
        }
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).map_err(ChannelError::Pipe)?;
        self.last_pipe = next;
        self.items.insert(
            id,
            Item::ReadPipe(ReadPipe::new(ours).map_err(ChannelError::Pipe)?),
        );
        Ok(theirs)
    }

    /// Sends at once what the lens takes, and the rest as it takes it.
    pub fn send(
        &mut self,
        bytes: &[u8],
        descriptors: Vec<OwnedFd>,
        waiter: &Waiter,
    ) -> Result<(), ChannelError> {
        self.outbox.push(&self.socket, bytes, descriptors)?;
        if self.polls.is_empty() {
            self.arm_socket(waiter);
        } else {
            // The pipe that may have come with it is waited for from now on, too.
            self.arm_all(waiter);
        }
        Ok(())
    }

    /// Writes to a pipe of the host; gives back what was held for it when it took everything, and nothing when it did not.
    /// A pipe that is gone takes everything.
    pub fn write(
        &mut self,
        id: u32,
        bytes: &[u8],
        is_end: bool,
        waiter: &Waiter,
    ) -> Option<Vec<Taken>> {
        if let Some(Item::WritePipe(pipe)) = self.items.get_mut(&id) {
            pipe.push(bytes, is_end);
        }
        self.flush_pipe(id, waiter)
    }

    fn flush_pipe(&mut self, id: u32, waiter: &Waiter) -> Option<Vec<Taken>> {
        let Some(Item::WritePipe(pipe)) = self.items.get_mut(&id) else {
            return Some(Vec::new());
        };
        if !pipe.flush() {
            let context = self.context;
            pipe.arm(waiter, Token { context, item: id });
            return None;
        }
        let held = pipe.release();
        if pipe.is_done() {
            self.items.remove(&id);
        }
        Some(held)
    }

    /// Holds the request back until the pipe has taken what it was given.
    pub fn hold_write(&mut self, id: u32, request: Taken) -> Option<Taken> {
        match self.items.get_mut(&id) {
            Some(Item::WritePipe(pipe)) => pipe.hold(request),
            _ => Some(request),
        }
    }

    pub fn hold_poll(&mut self, request: Taken) {
        self.polls.push_back(request);
    }

    pub fn is_open(&self) -> bool {
        self.end == End::Open
    }

    pub fn has_polls(&self) -> bool {
        !self.polls.is_empty()
    }

    /// Every poll, for a channel whose ring takes no event: what can't be told is not waited for either.
    pub fn take_polls(&mut self) -> Vec<Taken> {
        self.polls.drain(..).collect()
    }

    /// The next event for a guest that waits for one. `capacity` is what the ring holds.
    pub fn next_event(
        &mut self,
        capacity: usize,
        waiter: &Waiter,
    ) -> Result<Option<(Taken, Vec<u8>)>, ChannelError> {
        if self.polls.is_empty() {
            return Ok(None);
        }
        let event = match self.pipes_first {
            true => self
                .read_pipes(capacity)
                .map_or_else(|| self.receive(capacity), |it| Ok(Some(it))),
            false => self
                .receive(capacity)
                .map(|event| event.or_else(|| self.read_pipes(capacity))),
        };
        match event? {
            Some(event) => {
                self.pipes_first = event.first() == Some(&wire::RECEIVE);
                Ok(self.polls.pop_front().map(|poll| (poll, event)))
            }
            None => {
                self.arm_all(waiter);
                Ok(None)
            }
        }
    }

    /// Something happened to one of the descriptors: goes on where it stopped, and gives back what was held.
    pub fn go_on(&mut self, item: u32, waiter: &Waiter) -> Result<Vec<Taken>, ChannelError> {
        if item == 0 {
            self.armed = None;
            self.outbox.flush(&self.socket)?;
            self.arm_socket(waiter);
            return Ok(Vec::new());
        }
        Ok(self.flush_pipe(item, waiter).unwrap_or_default())
    }

    /// All requests that wait for something.
    pub fn into_held(self) -> Vec<Taken> {
        let pipes = self.items.into_values().filter_map(|item| match item {
            Item::WritePipe(mut pipe) => Some(pipe.release()),
            _ => None,
        });
        pipes.flatten().chain(self.polls).collect()
    }

    fn arm_socket(&mut self, waiter: &Waiter) {
        let wants_event = !self.polls.is_empty() && self.end == End::Open;
        let interest = match (wants_event, self.outbox.is_empty()) {
            (false, true) => return,
            (true, true) => Interest::Read,
            (false, false) => Interest::Write,
            (true, false) => Interest::Both,
        };
        if self.armed.replace(interest) == Some(interest) {
            return;
        }
        waiter.arm(
            &self.socket,
            Token {
                context: self.context,
                item: 0,
            },
            interest,
        );
    }

    fn arm_all(&mut self, waiter: &Waiter) {
        self.arm_socket(waiter);
        for (id, item) in &self.items {
            if let Item::ReadPipe(pipe) = item {
                waiter.arm(
                    pipe.descriptor(),
                    Token {
                        context: self.context,
                        item: *id,
                    },
                    Interest::Read,
                );
            }
        }
    }

    fn read_pipes(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let room = capacity.checked_sub(wire::READ_WRITE_BYTES)?;
        let (before, after): (Vec<u32>, Vec<u32>) =
            self.items.keys().partition(|id| **id <= self.last_read);
        let mut read = |id| match self.items.get_mut(&id) {
            Some(Item::ReadPipe(pipe)) => Some((id, pipe.read(room)?)),
            _ => None,
        };
        let (id, bytes) = after.into_iter().chain(before).find_map(&mut read)?;
        self.last_read = id;
        if bytes.is_empty() {
            self.items.remove(&id);
        }
        Some(wire::read(id, bytes.is_empty(), &bytes))
    }

    fn receive(&mut self, capacity: usize) -> Result<Option<Vec<u8>>, ChannelError> {
        match self.end {
            End::Open => {}
            End::Closed => {
                self.end = End::Told;
                return Ok(Some(wire::receive(&[], &[])));
            }
            End::Told => return Ok(None),
        }
        let Some(room) = capacity
            .checked_sub(wire::SEND_BYTES)
            .filter(|room| *room > 0)
        else {
            return Ok(None);
        };
        let Some(received) = receive::receive(&self.socket, room)? else {
            return Ok(None);
        };
        if received.bytes.is_empty() {
            self.end = End::Told;
        }
        let mut identifiers = Vec::new();
        for descriptor in received.descriptors {
            let (item, kind, size) = receive::sort(descriptor)?;
            identifiers.push((kind, self.add(item)?, size));
        }
        Ok(Some(wire::receive(&identifiers, &received.bytes)))
    }

    /// The guest is told that the host's end is closed.
    pub fn close(&mut self) {
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        self.outbox = Outbox::default();
        if self.end == End::Open {
            self.end = End::Closed;
        }
    }
}

/// Bytes that a file has, if the guest may have them.
fn file_bytes(size: i64) -> Result<u64, ChannelError> {
    let bytes = u64::try_from(size).unwrap_or(u64::MAX);
    match bytes <= FILE_BYTES {
        true => Ok(bytes),
        false => Err(ChannelError::Descriptor("a large file")),
    }
}

fn nonblocking(descriptor: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(descriptor)?;
    Ok(rustix::fs::fcntl_setfl(
        descriptor,
        flags | rustix::fs::OFlags::NONBLOCK,
    )?)
}
