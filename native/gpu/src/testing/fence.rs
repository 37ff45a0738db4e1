//! Fences as the kernel has them: a timeline for each ring of each context.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::queue::Taken;

/// Becomes readable when the request is done, and stays so.
pub struct Fence(OwnedFd);

impl AsFd for Fence {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Fence {
    /// Whether it is done before the time is over.
    pub fn wait(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut waited = [PollFd::new(&self.0, PollFlags::IN)];
        Ok(poll(&mut waited, Some(&limit))? > 0)
    }
}

struct Pending {
    number: u16,
    timeline: (u32, u8),
    event: OwnedFd,
}

#[derive(Default)]
pub(super) struct Fences {
    /// In the order in which they were emitted.
    pending: Vec<Pending>,
    last: u16,
}

impl Fences {
    pub fn emit(&mut self, context: u32, ring: u8) -> io::Result<(u16, Fence)> {
        // 0 stands for no fence.
        self.last = self.last.checked_add(1).unwrap_or(1);
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let fence = Fence(event.try_clone()?);
        self.pending.push(Pending {
            number: self.last,
            timeline: (context, ring),
            event,
        });
        Ok((self.last, fence))
    }

    /// With a request, every earlier one of its timeline is done.
    pub fn signal(&mut self, done: Vec<Taken>) {
        for taken in done {
            let is_it = |pending: &Pending| pending.number == taken.number();
            let Some(index) = self.pending.iter().position(is_it) else {
                continue;
            };
            let timeline = self.pending[index].timeline;
            let mut position = 0;
            self.pending.retain(|pending| {
                let stays = position > index || pending.timeline != timeline;
                position += 1;
                if !stays {
                    let _ = rustix::io::write(&pending.event, &1u64.to_ne_bytes());
                }
                stays
            });
        }
    }
}
