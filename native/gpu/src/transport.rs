//! The registers of virtio's PCI transport (virtio 1.3, section 4.1.4.3): features, status and the set-up of the queues.

use virtio_queue::QueueT;

use crate::{
    pci::VECTORS,
    queue::{Queue, QueueError, SIZE},
    registers,
};

pub const CONTROL: usize = 0;
pub const CURSOR: usize = 1;
const QUEUES: usize = 2;

const NEEDS_RESET: u8 = 0x40;
const DRIVER_OK: u8 = 4;
const FEATURES_OK: u8 = 8;
const INDIRECT: u64 = 1 << 28;
const EVENT_IDX: u64 = 1 << 29;
const VERSION_1: u64 = 1 << 32;

/// 3D contexts, blob resources, context types; and what queues do. Requests that wait for events take one entry each where
/// descriptors are indirect, three otherwise.
pub const FEATURES: u64 = 1 | 1 << 3 | 1 << 4 | INDIRECT | EVENT_IDX | VERSION_1;

pub struct Transport {
    device_half: u32,
    driver_half: u32,
    driver_features: u64,
    status: u8,
    config_vector: u16,
    selected: u16,
    pub queues: [Queue; QUEUES],
}

/// What a write to a register asks for beyond the register.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Reset,
}

impl Transport {
    pub fn new() -> Result<Self, QueueError> {
        Ok(Self {
            device_half: 0,
            driver_half: 0,
            driver_features: 0,
            status: 0,
            config_vector: u16::MAX,
            selected: 0,
            queues: [Queue::new()?, Queue::new()?],
        })
    }

    pub fn is_running(&self) -> bool {
        self.status & DRIVER_OK != 0 && self.status & NEEDS_RESET == 0
    }

    /// The driver broke the rules: nothing of it is looked at until it resets the device.
    pub fn fail(&mut self) {
        self.status |= NEEDS_RESET;
    }

    pub fn config_vector(&self) -> u16 {
        self.config_vector
    }

    pub fn reset(&mut self) {
        for queue in &mut self.queues {
            queue.reset();
        }
        (self.status, self.driver_features, self.config_vector) = (0, 0, u16::MAX);
    }

    fn selected(&self) -> Option<&Queue> {
        self.queues.get(usize::from(self.selected))
    }

    /// The registers as they are now.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        let mut state = [0; 0x40];
        let mut put = |at: usize, bytes: &[u8]| state[at..at + bytes.len()].copy_from_slice(bytes);
        let half = |features: u64, half: u32| match half {
            0 => features as u32,
            1 => (features >> 32) as u32,
            _ => 0,
        };
        put(0, &self.device_half.to_le_bytes());
        put(4, &half(FEATURES, self.device_half).to_le_bytes());
        put(8, &self.driver_half.to_le_bytes());
        put(
            12,
            &half(self.driver_features, self.driver_half).to_le_bytes(),
        );
        put(16, &self.config_vector.to_le_bytes());
        put(18, &(QUEUES as u16).to_le_bytes());
        put(20, &[self.status]);
        put(22, &self.selected.to_le_bytes());
        if let Some(queue) = self.selected() {
            put(24, &queue.ring.size().to_le_bytes());
            put(26, &queue.vector.to_le_bytes());
            put(28, &u16::from(queue.ring.ready()).to_le_bytes());
            put(30, &self.selected.to_le_bytes());
            put(32, &queue.ring.desc_table().to_le_bytes());
            put(40, &queue.ring.avail_ring().to_le_bytes());
            put(48, &queue.ring.used_ring().to_le_bytes());
        }
        registers::read(&state, offset, data);
    }

    /// A register is written whole, or for 64-bit ones in halves.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Effect {
        let value = data
            .iter()
            .rev()
            .take(8)
            .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        match offset {
            0 => self.device_half = value as u32,
            8 => self.driver_half = value as u32,
            12 => self.set_features(value as u32),
            16 => self.config_vector = vector(value),
            20 => return self.set_status(value as u8),
            22 => self.selected = value as u16,
            24..56 => self.write_queue(offset, data.len(), value),
            _ => {}
        }
        Effect::Nothing
    }

    fn set_features(&mut self, value: u32) {
        let shift = match self.driver_half {
            0 => 0,
            1 => 32,
            _ => return,
        };
        let kept = self.driver_features & !(0xffff_ffff << shift);
        self.driver_features = (kept | u64::from(value) << shift) & FEATURES;
        let has_event_idx = self.driver_features & EVENT_IDX != 0;
        self.queues
            .iter_mut()
            .for_each(|queue| queue.ring.set_event_idx(has_event_idx));
    }

    fn set_status(&mut self, value: u8) -> Effect {
        if value == 0 {
            return Effect::Reset;
        }
        let has_version = self.driver_features & VERSION_1 != 0;
        let refused = if has_version { 0 } else { FEATURES_OK };
        self.status |= value & !NEEDS_RESET & !refused;
        Effect::Nothing
    }

    fn write_queue(&mut self, offset: u64, width: usize, value: u64) {
        let Some(queue) = self.queues.get_mut(usize::from(self.selected)) else {
            return;
        };
        let low = offset.is_multiple_of(8).then_some(value as u32);
        let high = match (low, width) {
            (Some(_), 8) => Some((value >> 32) as u32),
            (Some(_), _) => None,
            (None, _) => Some(value as u32),
        };
        let ring = &mut queue.ring;
        match offset {
            26 => queue.vector = vector(value),
            28 => ring.set_ready(value == 1),
            // What the queue is made of does not change under way.
            _ if ring.ready() => {}
            24 if value <= SIZE.into() => ring.set_size(value as u16),
            32 | 36 => ring.set_desc_table_address(low, high),
            40 | 44 => ring.set_avail_ring_address(low, high),
            48 | 52 => ring.set_used_ring_address(low, high),
            _ => {}
        }
    }
}

/// What a vector register holds after a write: a vector that there is, or none.
fn vector(value: u64) -> u16 {
    u16::try_from(value)
        .ok()
        .filter(|vector| *vector < VECTORS)
        .unwrap_or(u16::MAX)
}
