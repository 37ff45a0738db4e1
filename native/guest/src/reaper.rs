//! The one place that waits for processes: every child and every orphan of the machine.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

#[derive(Clone)]
pub struct Reaper {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Where the status of a child that was spawned here goes; orphans have no entry.
    waiting: HashMap<u32, PipeWriter>,
    has_no_children: bool,
}

/// The end of one process: its descriptor becomes readable when the status is there.
pub struct Exit(PipeReader);

impl Exit {
    /// Waits for the end. Fails only when the reaper is gone.
    pub fn take(mut self) -> io::Result<ExitStatus> {
        let mut status = [0; 4];
        self.0.read_exact(&mut status)?;
        Ok(ExitStatus::from_raw(i32::from_ne_bytes(status)))
    }
}

impl AsFd for Exit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Reaper {
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let reaper = Self {
            shared: shared.clone(),
        };
        thread::Builder::new()
            .name("reaper".into())
            .spawn(move || shared.reap_forever())?;
        Ok(reaper)
    }

    /// One for all tests: it takes every child of their process.
    #[cfg(test)]
    pub fn of_tests() -> Self {
        static REAPER: std::sync::OnceLock<Reaper> = std::sync::OnceLock::new();
        REAPER
            .get_or_init(|| Self::start().expect("a thread"))
            .clone()
    }

    /// Spawns a child whose status comes through the `Exit`; never wait for the `Child` itself.
    pub fn spawn(&self, command: &mut Command) -> io::Result<(Child, Exit)> {
        let (reader, writer) = io::pipe()?;
        // Held over the spawn: std waits itself for a child whose exec failed, and the status has to have an address.
        let mut state = self.shared.lock();
        let child = command.spawn()?;
        state.waiting.insert(child.id(), writer);
        state.has_no_children = false;
        self.shared.changed.notify_all();
        Ok((child, Exit(reader)))
    }

    /// Waits until no process is left but this one. Returns false when the deadline came first.
    pub fn wait_for_none(&self, deadline: Duration) -> bool {
        let state = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, deadline, |state| !state.has_no_children);
        waited.map_or_else(
            |poisoned| poisoned.into_inner().0.has_no_children,
            |(state, _)| state.has_no_children,
        )
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reap_forever(&self) {
        loop {
            // Left as a zombie, so that its id stays taken until its status has been sent.
            match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Ok(_) => self.reap_ended(),
                Err(Errno::ECHILD) => self.wait_for_children(),
                Err(_) => {}
            }
        }
    }

    fn reap_ended(&self) {
        let mut state = self.lock();
        let mut status = 0;
        loop {
            // SAFETY: waitpid writes the status into the integer it is given.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            let Some(pid) = u32::try_from(pid).ok().filter(|pid| *pid > 0) else {
                return;
            };
            if let Some(mut waiting) = state.waiting.remove(&pid) {
                // Four bytes fit every new pipe; nobody may be reading any more.
                let _ = waiting.write_all(&status.to_ne_bytes());
            }
        }
    }

    /// Without children there are no orphans to come either: only a spawn ends this state.
    fn wait_for_children(&self) {
        let mut state = self.lock();
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        state.has_no_children = waitid(Id::All, flags) == Err(Errno::ECHILD);
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_while(state, |state| state.has_no_children);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A descriptor of a child's standard stream as a file.
pub fn into_file(stream: impl Into<std::os::fd::OwnedFd>) -> File {
    File::from(stream.into())
}
