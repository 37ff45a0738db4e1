//! One virtqueue: requests out of it, answers into it. What the driver wrote is checked when it is read.

use std::io::{self, Read, Write};

use thiserror::Error;
use virtio_queue::{DescriptorChain, Queue as SplitQueue, QueueOwnedT, QueueT};
use vm_memory::GuestMemoryMmap;

use crate::memory::GuestMemory;

/// Entries, at most.
pub const SIZE: u16 = 256;
/// Answers that nobody waits for come without an interrupt, up to so many: an interrupt costs more than the request did.
const UNAWAITED: u16 = 32;
/// Bytes of one request: the longest is a blob with its pages, 16 bytes each.
const REQUEST_BYTES: usize = 4 << 20;

#[derive(Debug, Error)]
pub enum QueueError {
    #[error("the queue is not in the guest's memory")]
    Invalid,
    #[error("the queue's rings are wrong")]
    Ring(#[from] virtio_queue::Error),
    #[error(
        "a request of more than {REQUEST_BYTES} bytes, or one that is not in the guest's memory"
    )]
    Request,
    #[error("more requests than the queue has entries")]
    TooMany,
}

/// A request that was taken from the queue and is to be given back.
#[derive(Debug)]
pub struct Taken {
    head: u16,
    written: u32,
    is_awaited: bool,
}

impl Taken {
    /// A request that came in no queue, by its number.
    #[cfg(feature = "testing")]
    pub(crate) fn played(number: u16) -> Self {
        Self {
            head: number,
            written: 0,
            is_awaited: true,
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn number(&self) -> u16 {
        self.head
    }

    /// The driver waits for nothing of it: it is reaped with the next one that is waited for.
    pub fn unawaited(self) -> Self {
        Self {
            is_awaited: false,
            ..self
        }
    }
}

pub struct Queue {
    pub ring: SplitQueue,
    /// MSI-X vector.
    pub vector: u16,
    has_answers: bool,
    unawaited: u16,
    /// Requests that were taken and not given back.
    taken: u16,
}

impl Queue {
    pub fn new() -> Result<Self, QueueError> {
        Ok(Self {
            ring: SplitQueue::new(SIZE)?,
            vector: u16::MAX,
            has_answers: false,
            unawaited: 0,
            taken: 0,
        })
    }

    pub fn reset(&mut self) {
        self.ring.reset();
        (self.vector, self.has_answers) = (u16::MAX, false);
        (self.unawaited, self.taken) = (0, 0);
    }

    /// The next request's bytes with the place for its answer, if there is one.
    pub fn take(&mut self, memory: &GuestMemory) -> Result<Option<(Vec<u8>, Reply)>, QueueError> {
        let snapshot = memory.snapshot();
        if !self.ring.ready() {
            return Ok(None);
        }
        if !self.ring.is_valid(&*snapshot) {
            return Err(QueueError::Invalid);
        }
        let Some(chain) = self.ring.iter(snapshot.clone())?.next() else {
            return Ok(None);
        };
        // A driver may offer one request again while its answer waits, and again.
        if self.taken >= self.ring.size() {
            return Err(QueueError::TooMany);
        }
        self.taken += 1;
        let reader = chain
            .clone()
            .reader(&snapshot)
            .map_err(|_| QueueError::Request)?;
        if reader.available_bytes() > REQUEST_BYTES {
            return Err(QueueError::Request);
        }
        let mut request = Vec::with_capacity(reader.available_bytes());
        reader
            .take(REQUEST_BYTES as u64)
            .read_to_end(&mut request)
            .map_err(|_| QueueError::Request)?;
        Ok(Some((request, Reply(chain))))
    }

    pub fn give_back(&mut self, memory: &GuestMemory, taken: Taken) -> Result<(), QueueError> {
        self.ring
            .add_used(&*memory.snapshot(), taken.head, taken.written)?;
        self.taken = self.taken.saturating_sub(1);
        self.unawaited = self.unawaited.saturating_add(1);
        self.has_answers |= taken.is_awaited || self.unawaited >= UNAWAITED;
        Ok(())
    }

    /// Whether the driver wants to be told of the answers since the last time.
    pub fn needs_interrupt(&mut self, memory: &GuestMemory) -> Result<bool, QueueError> {
        if !std::mem::take(&mut self.has_answers) {
            return Ok(false);
        }
        self.unawaited = 0;
        Ok(self.ring.needs_notification(&*memory.snapshot())?)
    }

    /// Whether requests came while the driver was not asked to tell of them.
    pub fn wants_more(&mut self, memory: &GuestMemory) -> Result<bool, QueueError> {
        if !self.ring.ready() {
            return Ok(false);
        }
        Ok(self.ring.enable_notification(&*memory.snapshot())?)
    }
}

/// The place for one request's answer.
pub struct Reply(DescriptorChain<std::sync::Arc<GuestMemoryMmap>>);

impl Reply {
    /// Writes as much of `answer` as the driver left room for.
    pub fn write(self, answer: &[u8]) -> Result<Taken, QueueError> {
        let head = self.0.head_index();
        let chain = self.0.clone();
        let mut writer = self
            .0
            .writer(chain.memory())
            .map_err(|_| QueueError::Request)?;
        let length = writer.available_bytes().min(answer.len());
        let written = write_all(&mut writer, &answer[..length]).map_err(|_| QueueError::Request)?;
        Ok(Taken {
            head,
            written,
            is_awaited: true,
        })
    }
}

fn write_all(writer: &mut impl Write, bytes: &[u8]) -> io::Result<u32> {
    writer.write_all(bytes)?;
    u32::try_from(bytes.len()).map_err(io::Error::other)
}
