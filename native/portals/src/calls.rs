//! Calls that wait for the host, requests that wait for their response, and sessions.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use zbus::Message;

use crate::value::Names;

/// A call of a program, and the request that it may become.
pub struct Call {
    pub message: Message,
    pub sender: String,
    /// Where the request object is, once the call has become one.
    pub request: Option<String>,
    pub handle: String,
    /// Where the session will be that comes of it.
    pub session: String,
    pub files: Vec<OwnedFd>,
}

pub struct Session {
    /// Empty for what only lasts as long as its owner.
    pub path: String,
    pub owner: String,
}

#[derive(Default)]
pub struct Calls {
    next: u32,
    pub calls: HashMap<u32, Call>,
    pub sessions: HashMap<u32, Session>,
}

impl Calls {
    /// A number that no call has.
    pub fn new_id(&mut self) -> u32 {
        loop {
            self.next = self.next.wrapping_add(1);
            if !self.calls.contains_key(&self.next) {
                return self.next;
            }
        }
    }

    pub fn request_at(&self, path: &str) -> Option<(u32, &Call)> {
        let at = |(_, call): &(&u32, &Call)| call.request.as_deref() == Some(path);
        self.calls.iter().find(at).map(|(id, call)| (*id, call))
    }

    pub fn session_at(&self, path: &str) -> Option<(u32, &Session)> {
        let at = |(_, session): &(&u32, &Session)| session.path == path;
        self.sessions
            .iter()
            .find(at)
            .map(|(id, session)| (*id, session))
    }

    /// What ends with a program: its requests and its sessions.
    pub fn left_by(&self, owner: &str) -> (Vec<u32>, Vec<u32>) {
        let calls = self.calls.iter().filter(|(_, call)| call.sender == owner);
        let sessions = self
            .sessions
            .iter()
            .filter(|(_, session)| session.owner == owner);
        (
            calls.map(|(id, _)| *id).collect(),
            sessions.map(|(id, _)| *id).collect(),
        )
    }
}

/// Sessions by their paths, and the descriptors of one message.
pub struct CallNames<'a> {
    pub calls: &'a Calls,
    /// Whose sessions may be named; nobody's where the host speaks.
    pub sender: &'a str,
    pub files: Vec<OwnedFd>,
}

impl Names for CallNames<'_> {
    fn index_of(&mut self, descriptor: std::os::fd::BorrowedFd<'_>) -> u32 {
        if let Ok(owned) = descriptor.try_clone_to_owned() {
            self.files.push(owned);
        }
        u32::try_from(self.files.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    fn session_of(&self, path: &str) -> Option<u32> {
        let (id, session) = self.calls.session_at(path)?;
        (session.owner == self.sender).then_some(id)
    }

    fn path_of(&self, session: u32) -> Option<String> {
        Some(self.calls.sessions.get(&session)?.path.clone())
    }
}
