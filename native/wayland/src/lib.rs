//! What the guest's Wayland proxy and the host's have in common: shared memory that is checked, a log, and last words.

pub mod farewell;
pub mod file;
pub mod geometry;
pub mod logger;
