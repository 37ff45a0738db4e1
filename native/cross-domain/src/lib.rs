//! The guest's way to the host's Wayland: a proxy for each client over a virtio-gpu cross-domain context of its own.

pub mod channel;
pub mod gpu;
pub mod proxy;
pub mod server;
