//! Waits on descriptors, never on time alone.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::io::Errno;

pub use rustix::event::{PollFd, PollFlags};

/// Returns false when the timeout came first. An interrupted wait counts as an event.
pub fn wait(waits: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match poll(waits, timeout.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

pub fn wait_readable(descriptor: &impl AsFd, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(descriptor, PollFlags::IN)], Some(timeout))
}
