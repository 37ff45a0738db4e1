//! The messages between host and guest, and the frames that carry them: the one definition, for both ends.

pub mod control;
pub mod exec;
pub mod frame;
pub mod message;
pub mod portals;
pub mod stream;

/// The version said in `hello`; the other side drops the connection when it differs.
pub const PROTOCOL_VERSION: u32 = 4;

/// Bytes of input that a host may have on the way to a session with `stdinCredit`.
pub const STDIN_WINDOW: usize = 262_144;

/// vsock ports: control, portals and media are connected to by the guest, exec by the host.
pub const CONTROL_PORT: u32 = 1024;
pub const EXEC_PORT: u32 = 1025;
pub const PORTALS_PORT: u32 = 1026;
pub const MEDIA_PORT: u32 = 1027;
