//! A virtio-gpu render node, opened once for each client: what the channel needs of it, so that tests can play it.

pub mod find;
mod ioctl;
mod mapping;
mod render_node;

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

pub use mapping::{Access, Mapping};
pub use render_node::RenderNode;

/// The number of the cross-domain capability set.
pub const CROSS_DOMAIN: u32 = 5;
/// Bytes of the capability set with our device's extension; crosvm's is shorter.
pub const CAPABILITY_BYTES: usize = 20;
/// Timelines of fences that a context has: the query ring, the channel ring, and others.
pub const RINGS: u8 = 64;
/// Memory is shared in pages.
pub const PAGE_BYTES: usize = 4096;

/// Memory that guest and host share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The file's name for it.
    pub handle: u32,
    /// The device's name for it.
    pub resource: u32,
}

/// Where the pages of a blob come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Guest,
    /// The host, from what it knows under this number.
    Host(u32),
}

/// What tells that a command was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    Nothing,
    /// On the query ring: `wait` for this blob.
    Blob(Blob),
    /// On this ring: a descriptor that becomes readable.
    Descriptor(u8),
    /// On the channel ring: an event.
    Event,
}

pub trait Gpu {
    /// Zeroes where the device has less. Fails where it has no cross-domain context.
    fn capabilities(&self) -> io::Result<[u8; CAPABILITY_BYTES]>;

    /// Makes the file's context a cross-domain one with all rings. Once, and first.
    fn init_context(&self) -> io::Result<()>;

    /// `bytes` is a whole number of pages.
    fn create_blob(&self, source: Source, bytes: usize) -> io::Result<Blob>;

    fn map_blob(&self, blob: Blob, bytes: usize, access: Access) -> io::Result<Mapping>;

    fn close_blob(&self, blob: Blob);

    /// A descriptor comes back for `Fence::Descriptor` only.
    fn execute(&self, command: &[u8], fence: Fence) -> io::Result<Option<OwnedFd>>;

    fn wait(&self, blob: Blob) -> io::Result<()>;

    /// Readable when there is an event.
    fn events(&self) -> BorrowedFd<'_>;

    /// Whether there was an event to take. Does not wait.
    fn take_event(&self) -> io::Result<bool>;
}
