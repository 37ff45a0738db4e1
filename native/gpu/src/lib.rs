//! A virtio-gpu device with the cross-domain capability set only, served over vfio-user. docs/cross-domain.md has the protocol.

pub mod args;
pub mod channel;
pub mod control;
pub mod device;
pub mod memory;
pub mod pci;
pub mod queue;
mod registers;
pub mod serve;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod wait;
pub mod window;
