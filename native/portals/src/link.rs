//! The connection to the host's broker.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use cloche_protocol::message::{self, MessageError};
use cloche_protocol::portals::{PortalsFromGuest, PortalsToGuest};
use cloche_protocol::stream::{FrameReader, StreamError};

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the host closed the connection")]
    Closed,
    #[error("the host cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

pub struct Sender(Mutex<File>);

impl Sender {
    /// Errors of the message only; a connection that is gone is noticed where it is read.
    pub fn send(&self, message: &PortalsFromGuest) -> Result<(), MessageError> {
        let mut bytes = Vec::new();
        message::append(message, &mut bytes)?;
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stream.write_all(&bytes);
        Ok(())
    }
}

pub struct Receiver(FrameReader<File>);

impl Receiver {
    pub fn receive(&mut self) -> Result<PortalsToGuest, LinkError> {
        let frame = self.0.read_frame()?.ok_or(LinkError::Closed)?;
        Ok(message::parse(&frame)?)
    }
}

pub fn split(stream: File) -> io::Result<(Sender, Receiver)> {
    let sender = Sender(Mutex::new(stream.try_clone()?));
    Ok((sender, Receiver(FrameReader::new(stream))))
}
