//! Why the client gives up.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum Failure {
    #[error("usage: cloche-load {0}")]
    Usage(&'static str),
    #[error("no compositor: {0}")]
    Connect(#[from] wayland_client::ConnectError),
    #[error("the compositor's globals: {0}")]
    Globals(#[from] wayland_client::globals::GlobalError),
    #[error("a global is missing: {0}")]
    Bind(#[from] wayland_client::globals::BindError),
    #[error("the connection: {0}")]
    Connection(#[from] wayland_client::DispatchError),
    #[error("the buffers' memory: {0}")]
    Memory(#[from] rustix::io::Errno),
    #[error("standard streams: {0}")]
    Streams(#[from] std::io::Error),
    #[error("the compositor closed the window")]
    Closed,
}
