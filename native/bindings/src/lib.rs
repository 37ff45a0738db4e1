//! What Cloche needs of Linux and Node does not offer: the KVM probe, pidfds, file locks and process start times.

mod background;
pub mod beneath;
pub mod kvm;
pub mod lock;
pub mod pidfd;
pub mod start_time;
mod system_error;
