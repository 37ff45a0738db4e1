//! PCI configuration space: a virtio 1 display device with MSI-X, its registers in BAR 0 and the window in BAR 2.
//!
//! Virtio 1.3, sections 4.1.2 (ids) and 4.1.4 (capabilities); PCI 3.0, section 6.

use crate::registers;

/// BAR 0, in bytes from its start.
pub const COMMON: u64 = 0x0000;
pub const ISR: u64 = 0x1000;
pub const DEVICE: u64 = 0x2000;
pub const NOTIFY: u64 = 0x3000;
pub const MSIX_TABLE: u64 = 0x4000;
pub const MSIX_PENDING: u64 = 0x5000;
pub const PART: u64 = 0x1000;
pub const REGISTERS_BYTES: u64 = 0x8000;
/// Bytes between the doorbells of two queues.
pub const NOTIFY_STEP: u64 = 4;

pub const CONFIG_BYTES: u64 = 256;
/// Configuration changes, and the two queues.
pub const VECTORS: u16 = 3;

const MSIX_AT: u8 = 0x40;
const VIRTIO_AT: [u8; 5] = [0x50, 0x60, 0x70, 0x80, 0x98];
const VENDOR_SPECIFIC: u8 = 9;
const MSIX: u8 = 0x11;

/// Bits of a base address register.
const MEMORY_64_PREFETCHABLE: u32 = 0b1100;

pub struct Config {
    bytes: [u8; CONFIG_BYTES as usize],
    /// Writable bits of the six base address registers; the rest of each is fixed.
    bar_masks: [u32; 6],
}

impl Config {
    pub fn new(window_bytes: u64) -> Self {
        let window_mask = !(window_bytes - 1);
        let mut config = Self {
            bytes: [0; CONFIG_BYTES as usize],
            bar_masks: [
                !(REGISTERS_BYTES as u32 - 1),
                0,
                window_mask as u32,
                (window_mask >> 32) as u32,
                0,
                0,
            ],
        };
        config.put(0x00, &0x1af4u16.to_le_bytes()); // vendor
        config.put(0x02, &0x1050u16.to_le_bytes()); // virtio device 16
        config.put(0x06, &0x0010u16.to_le_bytes()); // status: has capabilities
        config.put(0x08, &[1, 0, 0x80, 0x03]); // revision 1; display controller, other
        config.put(0x18, &MEMORY_64_PREFETCHABLE.to_le_bytes());
        config.put(0x2c, &0x1af4u16.to_le_bytes());
        config.put(0x2e, &0x1100u16.to_le_bytes());
        config.put(0x34, &[MSIX_AT]);
        config.put_msix();
        config.put_virtio(window_bytes);
        config
    }

    pub fn read(&self, offset: u64, data: &mut [u8]) {
        registers::read(&self.bytes, offset, data);
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let bar_masks = self.bar_masks;
        registers::write(&mut self.bytes, offset, data, |at| writable(at, &bar_masks));
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_msix(&mut self) {
        let [low, high] = (VECTORS - 1).to_le_bytes();
        self.put(MSIX_AT.into(), &[MSIX, VIRTIO_AT[0], low, high]);
        self.put(usize::from(MSIX_AT) + 4, &(MSIX_TABLE as u32).to_le_bytes());
        self.put(
            usize::from(MSIX_AT) + 8,
            &(MSIX_PENDING as u32).to_le_bytes(),
        );
    }

    fn put_virtio(&mut self, window_bytes: u64) {
        let [common, isr, device, notify, window] = VIRTIO_AT;
        self.put_capability(common, isr, 16, (1, 0, 0), COMMON, PART);
        self.put_capability(isr, device, 16, (3, 0, 0), ISR, PART);
        self.put_capability(device, notify, 16, (4, 0, 0), DEVICE, PART);
        self.put_capability(notify, window, 20, (2, 0, 0), NOTIFY, PART);
        self.put(
            usize::from(notify) + 16,
            &(NOTIFY_STEP as u32).to_le_bytes(),
        );
        // Shared memory, number 1: the host-visible window. Its size has 64 bits.
        self.put_capability(window, 0, 24, (8, 2, 1), 0, window_bytes);
        self.put(
            usize::from(window) + 20,
            &((window_bytes >> 32) as u32).to_le_bytes(),
        );
    }

    fn put_capability(
        &mut self,
        at: u8,
        next: u8,
        length: u8,
        (kind, bar, id): (u8, u8, u8),
        offset: u64,
        size: u64,
    ) {
        let at = usize::from(at);
        self.put(at, &[VENDOR_SPECIFIC, next, length, kind, bar, id, 0, 0]);
        self.put(at + 8, &(offset as u32).to_le_bytes());
        self.put(at + 12, &(size as u32).to_le_bytes());
    }
}

/// Bits of a byte that a write changes.
fn writable(at: usize, bar_masks: &[u32; 6]) -> u8 {
    match at {
        0x04 => 0b0000_0110, // command: memory space, bus master
        0x05 => 0b0000_0100, // command: interrupts off
        0x10..0x28 => bar_masks[(at - 0x10) / 4].to_le_bytes()[at % 4],
        0x3c => 0xff, // interrupt line: a scratch register
        0x43 => 0xc0, // MSI-X: on, masked
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(config: &Config, at: u64) -> u32 {
        let mut bytes = [0; 4];
        config.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn bars_tell_their_size_when_ones_are_written() {
        let mut config = Config::new(1 << 30);
        for at in (0x10..0x28).step_by(4) {
            config.write(at, &[0xff; 4]);
        }
        let sizes = [0x10, 0x14, 0x18, 0x1c, 0x20].map(|at| word(&config, at));
        assert_eq!(sizes, [0xffff_8000, 0, 0xc000_000c, 0xffff_ffff, 0]);
    }

    #[test]
    fn the_capabilities_are_a_list_that_ends() {
        let config = Config::new(1 << 30);
        let (mut at, mut kinds) = (u64::from(word(&config, 0x34) as u8), Vec::new());
        while at != 0 {
            let head = word(&config, at).to_le_bytes();
            kinds.push((head[0], head[3]));
            at = head[1].into();
        }
        assert_eq!(
            kinds[1..].iter().map(|it| it.1).collect::<Vec<_>>(),
            [1, 3, 4, 2, 8]
        );
        assert_eq!(kinds[0].0, MSIX);
    }

    proptest! {
        #[test]
        fn what_is_fixed_stays(writes in prop::collection::vec((any::<u64>(), any::<[u8; 8]>()), 0..50)) {
            let mut config = Config::new(1 << 30);
            for (offset, data) in writes {
                config.write(offset % 300, &data);
                config.write(offset, &data);
            }
            let fresh = Config::new(1 << 30);
            for at in [0x00, 0x08, 0x2c, 0x34, 0x40, 0x44, 0x50, 0x98] {
                prop_assert_eq!(word(&config, at) & 0x00ff_ffff, word(&fresh, at) & 0x00ff_ffff);
            }
        }
    }
}
