//! Pipes across the channel: what programs write goes to the host a piece at a time, what the host writes waits for programs.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    pipe::{PipeFlags, pipe_with},
};

use crate::channel::{
    Channel, ChannelError,
    wire::{MAX_PIPE_DATA, QUERY_RING},
};

/// Bytes for programs that do not read, over all pipes of one program, from which on the host is asked for nothing more.
const MOST_WAITING: usize = 16 << 20;
/// How long such a program may read nothing before the transfer ends.
const PATIENCE: Duration = Duration::from_secs(10);
/// Transfers of one direction at once; those to the host are fewer where each has a ring.
const MOST_PIPES: usize = 256;

/// A program writes, the host reads.
struct Outlet {
    reader: File,
    /// Where the fences of its pieces are, so that none is taken for another pipe's.
    ring: u8,
    /// Readable when the host took the last piece.
    taken: Option<OwnedFd>,
}

/// The host writes, a program reads.
struct Inlet {
    writer: File,
    waiting: VecDeque<u8>,
    is_ended: bool,
    last_read: Instant,
}

pub struct Pipes {
    channel: Rc<Channel>,
    outlets: BTreeMap<u32, Outlet>,
    inlets: BTreeMap<u32, Inlet>,
}

impl Pipes {
    pub fn new(channel: &Rc<Channel>) -> Self {
        Self {
            channel: channel.clone(),
            outlets: BTreeMap::new(),
            inlets: BTreeMap::new(),
        }
    }

    /// For a pipe of the host: what to hand to the program in its place.
    pub fn add_outlet(&mut self, id: u32) -> io::Result<OwnedFd> {
        let ring = self.free_ring();
        let ring = ring.ok_or_else(|| io::Error::other("too many transfers to the host"))?;
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        set_nonblocking(&reader)?;
        let outlet = Outlet {
            reader: reader.into(),
            ring,
            taken: None,
        };
        self.outlets.insert(id, outlet);
        Ok(writer)
    }

    fn free_ring(&self) -> Option<u8> {
        let Some(mut rings) = self.channel.pipe_rings() else {
            return (self.outlets.len() < MOST_PIPES).then_some(QUERY_RING);
        };
        rings.find(|ring| self.outlets.values().all(|outlet| outlet.ring != *ring))
    }

    /// For a pipe of a program that the host knows under this number.
    pub fn add_inlet(&mut self, id: u32, writer: OwnedFd) -> io::Result<()> {
        if self.inlets.len() >= MOST_PIPES {
            return Err(io::Error::other("too many transfers from the host"));
        }
        set_nonblocking(&writer)?;
        let inlet = Inlet {
            writer: writer.into(),
            waiting: VecDeque::new(),
            is_ended: false,
            last_read: Instant::now(),
        };
        self.inlets.insert(id, inlet);
        Ok(())
    }

    /// Takes what the host wrote. A program that reads no more gets nothing more.
    pub fn receive(&mut self, id: u32, bytes: &[u8], is_end: bool) {
        if let Some(inlet) = self.inlets.get_mut(&id) {
            if inlet.waiting.is_empty() {
                inlet.last_read = Instant::now();
            }
            inlet.waiting.extend(bytes);
            inlet.is_ended |= is_end;
            if !inlet.pump() {
                self.inlets.remove(&id);
            }
        }
    }

    /// Whether so much waits for the program that the host has to wait too.
    pub fn is_full(&self) -> bool {
        let waiting = self.inlets.values().map(|inlet| inlet.waiting.len());
        waiting.sum::<usize>() > MOST_WAITING
    }

    /// Whether a program's last words are still on their way to the host.
    pub fn is_sending(&self) -> bool {
        !self.outlets.is_empty()
    }

    pub fn poll_descriptors(&self) -> impl Iterator<Item = PollFd<'_>> {
        let outlets = self.outlets.values().map(|outlet| match &outlet.taken {
            Some(taken) => PollFd::new(taken, PollFlags::IN),
            None => PollFd::new(&outlet.reader, PollFlags::IN),
        });
        let inlets = self.inlets.values().map(|inlet| {
            let flags = if inlet.waiting.is_empty() {
                PollFlags::empty()
            } else {
                PollFlags::OUT
            };
            PollFd::new(&inlet.writer, flags)
        });
        outlets.chain(inlets)
    }

    /// Moves what can be moved without waiting. `ready` is what was polled, in the same order.
    pub fn pump(&mut self, ready: &[bool]) -> Result<(), ChannelError> {
        let is_ready = |index: usize| ready.get(index).copied().unwrap_or_default();
        let ids: Vec<_> = self.outlets.keys().copied().collect();
        for (index, id) in ids.iter().enumerate() {
            if is_ready(index) && !self.pump_outlet(*id)? {
                self.outlets.remove(id);
            }
        }
        let mut index = ids.len();
        self.inlets.retain(|_, inlet| {
            let stays = !is_ready(index) || inlet.pump();
            index += 1;
            stays
        });
        Ok(())
    }

    /// Gives up on programs that let the host wait and read nothing. The answer is how many.
    pub fn drop_stalled(&mut self) -> usize {
        if !self.is_full() {
            return 0;
        }
        let before = self.inlets.len();
        let stalls =
            |inlet: &Inlet| !inlet.waiting.is_empty() && inlet.last_read.elapsed() > PATIENCE;
        self.inlets.retain(|_, inlet| !stalls(inlet));
        before - self.inlets.len()
    }

    /// Whether there is more to come.
    fn pump_outlet(&mut self, id: u32) -> Result<bool, ChannelError> {
        let Some(outlet) = self.outlets.get_mut(&id) else {
            return Ok(false);
        };
        if outlet.taken.take().is_some() && !has_input(&outlet.reader) {
            return Ok(true);
        }
        let ring = outlet.ring;
        let mut piece = [0; MAX_PIPE_DATA];
        match outlet.reader.read(&mut piece) {
            Ok(count) if count > 0 => {
                outlet.taken = Some(self.channel.write(id, ring, &piece[..count], false)?);
                Ok(true)
            }
            Err(error) if would_block(&error) => Ok(true),
            Ok(_) | Err(_) => self.channel.write(id, ring, &[], true).map(|_taken| false),
        }
    }
}

impl Inlet {
    /// Writes what the program takes. Whether there is more to come.
    fn pump(&mut self) -> bool {
        while !self.waiting.is_empty() {
            let (piece, _) = self.waiting.as_slices();
            match self.writer.write(piece) {
                Ok(count) if count > 0 => {
                    self.waiting.drain(..count);
                    self.last_read = Instant::now();
                }
                Err(error) if would_block(&error) => return true,
                Ok(_) | Err(_) => return false,
            }
        }
        !self.is_ended && !is_closed(&self.writer)
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn set_nonblocking(file: &OwnedFd) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags | OFlags::NONBLOCK)?)
}

fn has_input(file: impl AsFd) -> bool {
    !look(file, PollFlags::IN).is_empty()
}

fn is_closed(file: impl AsFd) -> bool {
    look(file, PollFlags::empty()).intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}

fn look(file: impl AsFd, flags: PollFlags) -> PollFlags {
    let mut descriptors = [PollFd::new(&file, flags)];
    let now = rustix::event::Timespec::default();
    let _ = rustix::event::poll(&mut descriptors, Some(&now));
    descriptors[0].revents()
}
