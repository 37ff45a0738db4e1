//! The proxy between one program of the guest and its channel to the host. Only shared memory and descriptors are touched.

mod arena;
mod bridge;
pub mod counters;
mod damage;
mod pipes;
mod pool;
mod region;
mod registry;
mod session;
mod shm;
mod surface;
mod viewport;

pub use session::{SessionError, serve};
