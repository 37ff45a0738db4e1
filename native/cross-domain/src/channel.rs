//! One connection to the host's Wayland over a cross-domain context: bytes and descriptors out, events in.

mod adopt;
mod memory;
pub mod wire;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    ops::Range,
    os::fd::{BorrowedFd, OwnedFd},
    rc::Rc,
};

use thiserror::Error;

use crate::gpu::{Access, Blob, Fence, Gpu, Mapping, PAGE_BYTES, Source};
pub use memory::Memory;
use wire::{Capabilities, Event, Identifier, Requirements, WireError};

#[derive(Debug, Error)]
pub enum ChannelError {
    #[error("can't {0}")]
    Device(&'static str, #[source] io::Error),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("the device gives out dmabufs, which can't be shared as shm pools")]
    Dmabuf,
    #[error("the device does not answer: nobody listens on the host")]
    Silent,
    #[error("the device gave {given} bytes where {wanted} were asked for")]
    Requirements { wanted: usize, given: u64 },
    #[error("the device does not say where the memory of {0} bytes lies that it gave")]
    Location(usize),
    #[error("an event came without a message")]
    Empty,
    #[error("a file of {0} bytes from the host")]
    File(u32),
}

/// Attaches what the device was asked for to an error of the system.
fn asked<T>(what: &'static str, result: io::Result<T>) -> Result<T, ChannelError> {
    result.map_err(|error| ChannelError::Device(what, error))
}

pub struct Channel {
    gpu: Rc<dyn Gpu>,
    capabilities: Capabilities,
    query: Page,
    events: Page,
    /// What blobs are made from, by their bytes.
    templates: RefCell<BTreeMap<usize, Requirements>>,
    /// Whether the host was asked for the next event.
    is_polling: Cell<bool>,
    next_read_pipe: Cell<u32>,
}

/// A ring, which is a page that the host writes an answer or a message to.
struct Page {
    blob: BlobGuard,
    mapping: Mapping,
}

impl Page {
    fn new(gpu: &Rc<dyn Gpu>) -> Result<Self, ChannelError> {
        let blob = asked(
            "make a ring",
            BlobGuard::new(gpu, Source::Guest, PAGE_BYTES),
        )?;
        let mapping = gpu.map_blob(blob.blob, PAGE_BYTES, Access::ReadWrite);
        Ok(Self {
            blob,
            mapping: asked("map a ring", mapping)?,
        })
    }

    /// Puts zeroes where the next message will be, so that none is told from an old one.
    fn clear(&self) {
        let _ = self.mapping.write(0, &[0; wire::REQUIREMENTS_BYTES]);
    }

    fn read<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        // What is longer than the page is zeroes.
        let _ = self.mapping.read(0, &mut bytes);
        bytes
    }
}

/// A blob that is closed when dropped.
pub(crate) struct BlobGuard {
    gpu: Rc<dyn Gpu>,
    pub blob: Blob,
}

impl BlobGuard {
    fn new(gpu: &Rc<dyn Gpu>, source: Source, bytes: usize) -> io::Result<Self> {
        let blob = gpu.create_blob(source, bytes)?;
        let gpu = gpu.clone();
        Ok(Self { gpu, blob })
    }
}

impl Drop for BlobGuard {
    fn drop(&mut self) {
        self.gpu.close_blob(self.blob);
    }
}

impl Channel {
    /// Connects. Fails where nobody on the host takes the connection.
    pub fn open(gpu: Rc<dyn Gpu>) -> Result<Self, ChannelError> {
        let capabilities = asked("ask for the cross-domain context", gpu.capabilities())?;
        let capabilities = Capabilities::parse(&capabilities)?;
        if capabilities.has_dmabuf {
            return Err(ChannelError::Dmabuf);
        }
        asked("make a cross-domain context", gpu.init_context())?;
        let (query, events) = (Page::new(&gpu)?, Page::new(&gpu)?);
        let init = wire::init(query.blob.blob.resource, events.blob.blob.resource);
        asked("connect to the host", gpu.execute(&init, Fence::Nothing))?;
        let channel = Self {
            gpu,
            capabilities,
            query,
            events,
            templates: RefCell::default(),
            is_polling: Cell::new(false),
            next_read_pipe: Cell::new(wire::FIRST_READ_PIPE),
        };
        // A device tells of no failed connection; it gives no answers then.
        channel.template(memory::SMALLEST)?;
        Ok(channel)
    }

    /// Readable when `take_event` has something.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.gpu.events()
    }

    pub fn is_polling(&self) -> bool {
        self.is_polling.get()
    }

    /// Asks the host for the next event, unless it is asked already. Nothing comes before.
    pub fn poll(&self) -> Result<(), ChannelError> {
        if self.is_polling.replace(true) {
            return Ok(());
        }
        self.events.clear();
        let asking = self.gpu.execute(&wire::poll(), Fence::Event);
        asked("ask for events", asking).map(drop)
    }

    /// The event, if one came. Ask again for the next.
    pub fn take_event(&self) -> Result<Option<Event>, ChannelError> {
        if !asked("take an event", self.gpu.take_event())? || !self.is_polling.replace(false) {
            return Ok(None);
        }
        match wire::parse(&self.events.read())? {
            Event::Nothing => Err(ChannelError::Empty),
            event => Ok(Some(event)),
        }
    }

    /// Sends a piece of the stream, split where one message can't hold it.
    pub fn send(&self, bytes: &[u8], identifiers: &[Identifier]) -> Result<(), ChannelError> {
        for (bytes, identifiers) in split(bytes, identifiers) {
            let message = wire::send(bytes, identifiers);
            asked("send", self.gpu.execute(&message, Fence::Nothing))?;
        }
        Ok(())
    }

    /// The identifier for a pipe that is sent next: devices count them.
    pub fn next_read_pipe(&self) -> Identifier {
        let id = self.next_read_pipe.get();
        self.next_read_pipe.set(id.wrapping_add(1));
        Identifier::ReadPipe(id)
    }

    /// Whether a pipe of this number was ever sent.
    pub fn has_sent_pipe(&self, id: u32) -> bool {
        (wire::FIRST_READ_PIPE..self.next_read_pipe.get()).contains(&id)
    }

    /// The rings that pipes can have, one each. Where the device has none, all share the query ring: it waits for each pipe.
    pub fn pipe_rings(&self) -> Option<Range<u8>> {
        self.capabilities.has_pipe_rings.then_some(wire::PIPE_RINGS)
    }

    /// Writes to a pipe that came from the host. The descriptor is readable when the host took the bytes, or those of a
    /// later piece on the same ring.
    pub fn write(
        &self,
        pipe: u32,
        ring: u8,
        bytes: &[u8],
        is_end: bool,
    ) -> Result<OwnedFd, ChannelError> {
        let message = wire::write(pipe, bytes, is_end);
        let fence = self.gpu.execute(&message, Fence::Descriptor(ring));
        let none = || io::Error::other("the kernel gave no fence");
        asked(
            "write to a pipe",
            fence.and_then(|fence| fence.ok_or_else(none)),
        )
    }

    /// The answer to a command on the query ring. Zeroes when there was none.
    fn query<const N: usize>(&self, command: &[u8]) -> Result<[u8; N], ChannelError> {
        let ring = self.query.blob.blob;
        self.query.clear();
        asked("ask", self.gpu.execute(command, Fence::Blob(ring)))?;
        asked("wait for an answer", self.gpu.wait(ring))?;
        Ok(self.query.read())
    }
}

/// Messages hold so many bytes, so many descriptors and one pipe: what one can't hold goes ahead with a byte each.
fn split<'a>(
    mut bytes: &'a [u8],
    mut identifiers: &'a [Identifier],
) -> impl Iterator<Item = (&'a [u8], &'a [Identifier])> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let mut pipes = 0;
        let is_room = |identifier: &&Identifier| {
            pipes += u32::from(matches!(identifier, Identifier::ReadPipe(_)));
            pipes <= 1
        };
        let most = identifiers.iter().take(wire::MAX_IDENTIFIERS);
        let (now, later) = identifiers.split_at(most.take_while(is_room).count());
        let length = if later.is_empty() { wire::MAX_DATA } else { 1 };
        let (head, tail) = bytes.split_at(length.min(bytes.len()));
        (bytes, identifiers) = (tail, later);
        Some((head, now))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_identifier() -> impl Strategy<Value = Identifier> {
        prop_oneof![
            any::<u32>().prop_map(Identifier::Blob),
            any::<u32>().prop_map(Identifier::ReadPipe)
        ]
    }

    proptest! {
        #[test]
        fn what_is_split_is_whole_and_fits(
            bytes in prop::collection::vec(any::<u8>(), 64..9000),
            identifiers in prop::collection::vec(any_identifier(), 0..60),
        ) {
            let parts: Vec<_> = split(&bytes, &identifiers).collect();
            for (bytes, identifiers) in &parts {
                let pipes = identifiers.iter().filter(|it| matches!(it, Identifier::ReadPipe(_)));
                prop_assert!(pipes.count() <= 1 && identifiers.len() <= wire::MAX_IDENTIFIERS);
                prop_assert!(!bytes.is_empty() && bytes.len() <= wire::MAX_DATA);
            }
            prop_assert!(parts.iter().flat_map(|part| part.0).eq(&bytes));
            prop_assert!(parts.iter().flat_map(|part| part.1).eq(&identifiers));
        }
    }
}
