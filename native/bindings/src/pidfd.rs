//! Processes held by descriptor: unlike a process id, it never comes to mean another process.

use napi_derive::napi;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{BorrowedFd, IntoRawFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::system_error::{Result, system_error};

/// A descriptor for the process, closed on exec. `ESRCH` where there is none.
#[napi]
pub fn open_pidfd(pid: i32) -> Result<i32> {
    let pid = Pid::from_raw(pid).ok_or_else(|| system_error("pidfd_open", Errno::INVAL))?;
    pidfd_open(pid, PidfdFlags::empty())
        .map(IntoRawFd::into_raw_fd)
        .map_err(|errno| system_error("pidfd_open", errno))
}

/// Whether the process has not ended yet. A zombie has.
#[napi]
pub fn pidfd_alive(fd: i32) -> Result<bool> {
    let mut waiting = [PollFd::from_borrowed_fd(borrow(fd)?, PollFlags::IN)];
    let ended = poll(&mut waiting, Some(&Timespec::default()))
        .map_err(|errno| system_error("poll", errno))?;
    if waiting[0].revents().contains(PollFlags::NVAL) {
        return Err(system_error("poll", Errno::BADF));
    }
    Ok(ended == 0)
}

/// Sends a signal by its number. False where the process has ended already.
#[napi]
pub fn signal_pidfd(fd: i32, signal: i32) -> Result<bool> {
    let signal = Signal::from_named_raw(signal)
        .ok_or_else(|| system_error("pidfd_send_signal", Errno::INVAL))?;
    match pidfd_send_signal(borrow(fd)?, signal) {
        Ok(()) => Ok(true),
        Err(Errno::SRCH) => Ok(false),
        Err(errno) => Err(system_error("pidfd_send_signal", errno)),
    }
}

fn borrow<'a>(fd: i32) -> Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(system_error("pidfd", Errno::BADF));
    }
    // SAFETY: not -1. A number that is closed or of another file makes the one system call it is used in fail.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}
