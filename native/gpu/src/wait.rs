//! Which channel sockets and pipes are waited for. Each is armed for one event, so that none is told twice.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    io::Errno,
};

/// A context, and in it the socket (0) or the number of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub context: u32,
    pub item: u32,
}

impl Token {
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

#[derive(Debug, Clone, Copy)]
pub enum Interest {
    Read,
    Write,
    Both,
}

pub struct Waiter(OwnedFd);

impl Waiter {
    pub fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// A descriptor is forgotten when it is closed.
    pub fn arm(&self, descriptor: impl AsFd, token: Token, interest: Interest) {
        let flags = match interest {
            Interest::Read => EventFlags::IN,
            Interest::Write => EventFlags::OUT,
            Interest::Both => EventFlags::IN | EventFlags::OUT,
        };
        let flags = flags | EventFlags::ONESHOT;
        let armed = match epoll::modify(&self.0, &descriptor, token.pack(), flags) {
            Err(Errno::NOENT) => epoll::add(&self.0, &descriptor, token.pack(), flags),
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
        match epoll::wait(&self.0, &mut events[..], None) {
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
