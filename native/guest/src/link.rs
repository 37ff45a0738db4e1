//! The control connection: messages in from the host, messages and log lines out.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloche_protocol::control::{ControlFromGuest, ControlToGuest, LogLevel};
use cloche_protocol::message::{self, MessageError};
use cloche_protocol::stream::{FrameReader, StreamError};
use cloche_protocol::{CONTROL_PORT, PROTOCOL_VERSION};
use nix::errno::Errno;
use nix::sys::socket::{Shutdown, shutdown};
use std::os::fd::AsRawFd;

use crate::timeline;
use crate::wait::wait_readable;

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("cannot connect to the host: {0}")]
    Connect(Errno),
    #[error("the host closed the connection")]
    Closed,
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("cannot write to the host: {0}")]
    Write(#[from] io::Error),
    #[error("the host sent {0} when it was not due")]
    Unexpected(&'static str),
}

/// How long the host may take to read a last message.
const FAREWELL: Duration = Duration::from_secs(2);

pub struct Link {
    reader: FrameReader<File>,
    log: Log,
}

/// Sends messages from any thread.
#[derive(Clone)]
pub struct Log(Arc<Mutex<File>>);

impl Log {
    pub fn warn(&self, message: &str) {
        // The reading side notices a lost connection.
        let _ = self.send(&ControlFromGuest::Log {
            level: LogLevel::Warn,
            message: clip(message),
        });
    }

    fn send(&self, message: &ControlFromGuest) -> Result<(), LinkError> {
        let mut bytes = Vec::new();
        message::append(message, &mut bytes)?;
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&bytes)?)
    }
}

impl Link {
    pub fn connect() -> Result<Self, LinkError> {
        let stream = crate::vsock::connect_host(CONTROL_PORT).map_err(LinkError::Connect)?;
        let log = Log(Arc::new(Mutex::new(stream.try_clone()?)));
        Ok(Self {
            reader: FrameReader::new(stream),
            log,
        })
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn say_hello(&self) -> Result<(), LinkError> {
        let kernel =
            nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
        self.send(&ControlFromGuest::Hello {
            protocol: PROTOCOL_VERSION,
            agent: concat!("cloche-guest ", env!("CARGO_PKG_VERSION")).into(),
            kernel: kernel.unwrap_or_default(),
            uptime_ms: timeline::uptime_ms(),
        })
    }

    pub fn send(&self, message: &ControlFromGuest) -> Result<(), LinkError> {
        self.log.send(message)
    }

    /// The host's next message.
    pub fn receive(&mut self) -> Result<ControlToGuest, LinkError> {
        let frame = self.reader.read_frame()?.ok_or(LinkError::Closed)?;
        Ok(message::parse(&frame)?)
    }

    /// Tells why the machine ends, and waits until the host has read it.
    pub fn say_failed(&self, stage: &str, message: &str) {
        let stream = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::new();
        let failed = ControlFromGuest::Failed {
            stage: stage.to_owned(),
            message: clip(message),
        };
        if message::append(&failed, &mut bytes).is_err() || (&*stream).write_all(&bytes).is_err() {
            return;
        }
        let _ = shutdown(stream.as_raw_fd(), Shutdown::Write);
        let _ = wait_readable(&*stream, FAREWELL);
    }
}

/// Within the bound that the protocol sets to a message.
fn clip(message: &str) -> String {
    const MAX_CHARACTERS: usize = 1000;
    message.chars().take(MAX_CHARACTERS).collect()
}
