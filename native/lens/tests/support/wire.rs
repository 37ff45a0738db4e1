//! Wayland's wire format, and one end of a connection that speaks it by hand.

use std::{
    collections::VecDeque,
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::DEADLINE;

pub enum Arg<'a> {
    Word(u32),
    Text(&'a str),
}

pub fn word(value: impl TryInto<i64>) -> Arg<'static> {
    Arg::Word(value.try_into().unwrap_or_default() as u32)
}

pub fn message(object: u32, opcode: u16, arguments: &[Arg<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for argument in arguments {
        match argument {
            Arg::Word(value) => body.extend(value.to_ne_bytes()),
            Arg::Text(text) => {
                body.extend((text.len() as u32 + 1).to_ne_bytes());
                body.extend(text.as_bytes());
                body.push(0);
                body.resize(body.len().next_multiple_of(4), 0);
            }
        }
    }
    let head = (body.len() as u32 + 8) << 16 | u32::from(opcode);
    [&object.to_ne_bytes()[..], &head.to_ne_bytes(), &body].concat()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub object: u32,
    pub opcode: u16,
    pub body: Vec<u8>,
}

impl Message {
    pub fn word(&self, index: usize) -> u32 {
        let bytes = self.body[index * 4..][..4].try_into().expect("a word");
        u32::from_ne_bytes(bytes)
    }

    /// The string that starts at a word.
    pub fn text(&self, index: usize) -> String {
        let length = self.word(index) as usize;
        String::from_utf8_lossy(&self.body[index * 4 + 4..][..length - 1]).into_owned()
    }

    pub fn text_words(&self, index: usize) -> usize {
        1 + (self.word(index) as usize).div_ceil(4)
    }
}

pub struct Peer {
    pub stream: UnixStream,
    input: Vec<u8>,
    pub descriptors: VecDeque<OwnedFd>,
}

impl Peer {
    pub fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("timeout");
        Self {
            stream,
            input: Vec::new(),
            descriptors: VecDeque::new(),
        }
    }

    pub fn send(&self, bytes: &[u8]) {
        self.send_with(bytes, None);
    }

    pub fn send_with(&self, bytes: &[u8], descriptor: Option<&OwnedFd>) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let borrowed = descriptor.map(|descriptor| [descriptor.as_fd()]);
        if let Some(borrowed) = &borrowed {
            assert!(control.push(SendAncillaryMessage::ScmRights(borrowed)));
        }
        // A peer that is gone shows in what is read next.
        let _ = sendmsg(
            &self.stream,
            &[IoSlice::new(bytes)],
            &mut control,
            SendFlags::NOSIGNAL,
        );
    }

    /// Nothing at the end of the connection; panics when nothing comes for too long.
    pub fn receive(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.parse() {
                return Some(message);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn parse(&mut self) -> Option<Message> {
        let number = |at: usize| {
            Some(u32::from_ne_bytes(
                self.input.get(at..at + 4)?.try_into().ok()?,
            ))
        };
        let (object, head) = (number(0)?, number(4)?);
        let size = (head >> 16) as usize;
        let body = self.input.get(8..size)?.to_vec();
        self.input.drain(..size);
        Some(Message {
            object,
            opcode: head as u16,
            body,
        })
    }

    fn fill(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let read = recvmsg(
            &self.stream,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        for ancillary in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = ancillary {
                self.descriptors.extend(descriptors);
            }
        }
        let count = match read {
            Ok(read) => read.bytes,
            Err(rustix::io::Errno::AGAIN) => panic!("nothing came within the deadline"),
            Err(_) => 0,
        };
        self.input.extend(&bytes[..count]);
        count > 0
    }

    /// The messages up to the end of a sync with this new id, which is free again then.
    pub fn sync(&mut self, id: u32) -> Vec<Message> {
        self.send(&message(1, 0, &[Arg::Word(id)]));
        let mut before = Vec::new();
        loop {
            let next = self.receive().expect("an answer to sync");
            match (next.object, next.opcode) {
                (1, 1) if next.word(0) == id => return before,
                (object, _) if object == id => {}
                _ => before.push(next),
            }
        }
    }

    /// Asks for the globals as object 2: name, interface, version.
    pub fn globals(&mut self) -> Vec<(u32, String, u32)> {
        self.send(&message(1, 1, &[Arg::Word(2)]));
        let messages = self.sync(3);
        let globals = messages
            .iter()
            .filter(|message| message.object == 2 && message.opcode == 0);
        globals
            .map(|it| (it.word(0), it.text(1), it.word(1 + it.text_words(1))))
            .collect()
    }

    pub fn bind(&self, name: u32, interface: &str, version: u32, id: u32) {
        self.send(&message(
            2,
            0,
            &[
                Arg::Word(name),
                Arg::Text(interface),
                Arg::Word(version),
                Arg::Word(id),
            ],
        ));
    }

    /// Binds a global that must be offered.
    pub fn bind_offered(&self, globals: &[(u32, String, u32)], interface: &str, id: u32) {
        let (name, _, version) = globals
            .iter()
            .find(|global| global.1 == interface)
            .expect("offered");
        self.bind(*name, interface, *version, id);
    }

    /// Reads to the end of the connection: the protocol error's object, code and text, if one came.
    pub fn error(&mut self) -> Option<(u32, u32, String)> {
        let mut error = None;
        while let Some(message) = self.receive() {
            if message.object == 1 && message.opcode == 0 {
                error = Some((message.word(0), message.word(1), message.text(2)));
            }
        }
        error
    }
}
