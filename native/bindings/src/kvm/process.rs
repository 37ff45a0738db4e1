//! A child process that runs one function and is gone by a deadline, whatever the function does.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    ByItself,
    ByDeadline,
}

/// How long a killed child may take to end before a thread of its own waits for it.
const KILL_GRACE: Duration = Duration::from_millis(100);

/// Runs the function in a child and waits for its end.
///
/// # Safety
/// Other threads' locks may be held for ever in the child: the function must make system calls only, must not
/// allocate and must not panic.
pub unsafe fn run_under_deadline(deadline: Duration, child: impl FnOnce()) -> Result<Ended> {
    let started = Instant::now();
    // SAFETY: the caller's promise.
    let pidfd = unsafe { spawn(child) }?;
    if wait_for_end(pidfd.as_fd(), deadline.saturating_sub(started.elapsed()))? {
        reap(pidfd.as_fd());
        return Ok(Ended::ByItself);
    }
    let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    if wait_for_end(pidfd.as_fd(), KILL_GRACE)? {
        reap(pidfd.as_fd());
    } else {
        // It sits in a system call that cannot be interrupted.
        std::thread::spawn(move || reap(pidfd.as_fd()));
    }
    Ok(Ended::ByDeadline)
}

/// clone3(2) flag: the child has none of Node's signal handlers, which would write to Node's pipes.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// # Safety
/// As for `run_under_deadline`.
unsafe fn spawn(child: impl FnOnce()) -> Result<OwnedFd> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all fields are integers; zero is clone3's default for each.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = libc::CLONE_PIDFD as u64 | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = &raw mut pidfd as u64;
    // No exit signal: libuv's handler of SIGCHLD is not to hear of this child.
    // SAFETY: without CLONE_VM this is fork; the child goes on with a copy of this stack.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const arguments,
            size_of::<libc::clone_args>(),
        )
    };
    match result {
        0 => {
            // SAFETY: plain system calls. The parent's descriptors are not the child's business, nor should it outlive
            // the thread that waits for it.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0);
            }
            child();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        -1 => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)),
        // SAFETY: the kernel stored a new descriptor of ours there.
        _ => Ok(unsafe { OwnedFd::from_raw_fd(pidfd) }),
    }
}

fn wait_for_end(pidfd: BorrowedFd<'_>, limit: Duration) -> Result<bool> {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn reap(pidfd: BorrowedFd<'_>) {
    // A child without an exit signal is waited for only where asked.
    let options = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(libc::__WALL as u32);
    while matches!(waitid(WaitId::PidFd(pidfd), options), Err(Errno::INTR)) {}
}

#[cfg(test)]
mod tests;
