//! Which channel sockets and pipes are waited for. Each is armed for one event, so that none is told twice.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    event::{
        EventfdFlags,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
        eventfd,
    },
    io::Errno,
};

/// A context, and in it the socket (0) or the number of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub context: u32,
    pub item: u32,
}

impl Token {
    /// There is more to do than was done in one turn.
    pub const AGAIN: Self = Self {
        context: 0,
        item: 1,
    };

    fn pack(self) -> EventData {
        EventData::new_u64(u64::from(self.context) << 32 | u64::from(self.item))
    }

    fn unpack(data: EventData) -> Self {
        let packed = data.u64();
        Self {
            context: (packed >> 32) as u32,
            item: packed as u32,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
    Both,
}

pub struct Waiter {
    epoll: OwnedFd,
    /// Never read, and always writable.
    again: OwnedFd,
}

impl Waiter {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            again: eventfd(0, EventfdFlags::CLOEXEC)?,
        })
    }

    /// The next wait ends at once, with `Token::AGAIN` among others.
    pub fn call_again(&self) {
        self.arm(&self.again, Token::AGAIN, Interest::Write);
    }

    /// A descriptor is forgotten when it is closed.
    pub fn arm(&self, descriptor: impl AsFd, token: Token, interest: Interest) {
        let flags = match interest {
            Interest::Read => EventFlags::IN,
            Interest::Write => EventFlags::OUT,
            Interest::Both => EventFlags::IN | EventFlags::OUT,
        };
        let flags = flags | EventFlags::ONESHOT;
        let armed = match epoll::modify(&self.epoll, &descriptor, token.pack(), flags) {
            Err(Errno::NOENT) => epoll::add(&self.epoll, &descriptor, token.pack(), flags),
            other => other,
        };
        if let Err(error) = armed {
            log::warn!("can't wait for {token:?}: {error}");
        }
    }

    /// Waits until something happens, and appends what it happened to.
    pub fn wait(&self, ready: &mut Vec<Token>) -> io::Result<()> {
        let mut events = [Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        }; 32];
        match epoll::wait(&self.epoll, &mut events[..], None) {
            Ok(count) => {
                ready.extend(
                    events[..count]
                        .iter()
                        .map(|event| Token::unpack(event.data)),
                );
                Ok(())
            }
            Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
