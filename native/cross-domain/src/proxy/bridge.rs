//! Between the proxy's own socket, on which it believes to talk to a compositor, and the channel.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
};

use rustix::{
    event::PollFd,
    fs::{FileType, OFlags, fcntl_getfl, fstat},
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};
use thiserror::Error;

use super::{arena::Tokens, pipes::Pipes};
use crate::channel::{
    Channel, ChannelError,
    wire::{Event, Identifier, Item, MAX_DATA, MAX_IDENTIFIERS},
};

#[derive(Debug, Error)]
pub enum BridgeError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the proxy's socket failed")]
    Socket(#[source] Errno),
    #[error("can't pass a pipe on")]
    Pipe(#[source] io::Error),
    #[error("a descriptor that is no pipe and no picture can't be passed on")]
    Descriptor,
    #[error("bytes came for pipe {0:#x}, which was never sent")]
    UnknownPipe(u32),
}

pub struct Bridge {
    socket: OwnedFd,
    channel: Rc<Channel>,
    tokens: Rc<Tokens>,
    pipes: Pipes,
    /// What came from the host and did not fit the socket.
    pending: Pending,
    has_hung_up: bool,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Bridge {
    pub fn new(socket: OwnedFd, channel: &Rc<Channel>, tokens: &Rc<Tokens>) -> Self {
        Self {
            socket,
            channel: channel.clone(),
            tokens: tokens.clone(),
            pipes: Pipes::new(channel),
            pending: Pending::default(),
            has_hung_up: false,
        }
    }

    /// Whether the host's end is closed and all that it said was passed on.
    pub fn has_ended(&self) -> bool {
        self.has_hung_up && self.pending.bytes.is_empty()
    }

    pub fn is_sending(&self) -> bool {
        self.pipes.is_sending()
    }

    pub fn events(&self) -> BorrowedFd<'_> {
        self.channel.events()
    }

    /// Where what is pending can be written, if something is.
    pub fn stalled_socket(&self) -> Option<&OwnedFd> {
        (!self.pending.bytes.is_empty()).then_some(&self.socket)
    }

    pub fn pipe_descriptors(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.pipes.poll_descriptors()
    }

    pub fn pump_pipes(&mut self, ready: &[bool]) -> Result<(), BridgeError> {
        self.pipes.pump(ready)?;
        let stalled = self.pipes.drop_stalled();
        if stalled > 0 {
            log::warn!("{stalled} transfers were ended: nobody read them");
        }
        Ok(())
    }

    /// Sends everything that the proxy has written.
    pub fn push(&mut self) -> Result<(), BridgeError> {
        let mut bytes = [0; MAX_DATA];
        loop {
            let (count, descriptors) = match self.read(&mut bytes) {
                Ok((0, _)) | Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Ok(read) => read,
                Err(errno) => return Err(BridgeError::Socket(errno)),
            };
            let identifiers = descriptors.into_iter().map(|it| self.name(it));
            let identifiers = identifiers.collect::<Result<Vec<_>, _>>()?;
            self.channel.send(&bytes[..count], &identifiers)?;
        }
    }

    fn read(&self, bytes: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_IDENTIFIERS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let read = recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        )?;
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                descriptors.extend(received);
            }
        }
        Ok((read.bytes, descriptors))
    }

    /// What a descriptor is called on the channel.
    fn name(&mut self, descriptor: OwnedFd) -> Result<Identifier, BridgeError> {
        if let Some(resource) = self.tokens.take(&descriptor) {
            return Ok(Identifier::Blob(resource));
        }
        if !is_writable_stream(&descriptor) {
            return Err(BridgeError::Descriptor);
        }
        let identifier = self.channel.next_read_pipe();
        if let Identifier::ReadPipe(id) = identifier {
            let added = self.pipes.add_inlet(id, descriptor);
            added.map_err(BridgeError::Pipe)?;
        }
        Ok(identifier)
    }

    /// Takes the next event, if one came, and writes what it brings to the proxy.
    pub fn pull(&mut self) -> Result<(), BridgeError> {
        match self.channel.take_event()? {
            None => {}
            Some(Event::HungUp | Event::Nothing) => self.has_hung_up = true,
            Some(Event::Received { bytes, items }) => {
                for item in items {
                    let descriptor = self.receive(item)?;
                    self.pending.descriptors.push(descriptor);
                }
                self.pending.bytes.extend(bytes);
            }
            Some(Event::Read {
                pipe,
                bytes,
                is_end,
            }) => {
                if !self.channel.has_sent_pipe(pipe) {
                    return Err(BridgeError::UnknownPipe(pipe));
                }
                self.pipes.receive(pipe, &bytes, is_end);
            }
        }
        self.flush()
    }

    fn receive(&mut self, item: Item) -> Result<OwnedFd, BridgeError> {
        match item {
            Item::File { id, bytes } => Ok(self.channel.adopt(id, bytes)?),
            Item::WritePipe { id } => self.pipes.add_outlet(id).map_err(BridgeError::Pipe),
        }
    }

    /// Writes what is pending as far as there is room.
    pub fn flush(&mut self) -> Result<(), BridgeError> {
        while !self.pending.bytes.is_empty() {
            match self.pending.write(&self.socket) {
                Ok(()) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(BridgeError::Socket(errno)),
            }
        }
        Ok(())
    }

    /// Asks the host for the next event, unless the program has to take something first.
    pub fn ask(&self) -> Result<(), BridgeError> {
        let has_room = self.pending.bytes.is_empty() && !self.pipes.is_full();
        if has_room && !self.has_hung_up {
            self.channel.poll()?;
        }
        Ok(())
    }
}

impl Pending {
    /// The descriptors go with the first bytes.
    fn write(&mut self, socket: &OwnedFd) -> Result<(), Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_IDENTIFIERS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let borrowed: Vec<_> = self.descriptors.iter().map(AsFd::as_fd).collect();
        if !borrowed.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&borrowed));
        }
        let count = sendmsg(
            socket,
            &[IoSlice::new(&self.bytes)],
            &mut control,
            SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        )?;
        self.descriptors.clear();
        self.bytes.drain(..count);
        Ok(())
    }
}

fn is_writable_stream(descriptor: &OwnedFd) -> bool {
    let can_write =
        fcntl_getfl(descriptor).is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
    let is_stream = fstat(descriptor).is_ok_and(|info| {
        let kind = FileType::from_raw_mode(info.st_mode);
        matches!(kind, FileType::Fifo | FileType::Socket)
    });
    can_write && is_stream
}
