//! Moves bytes and messages between the host and a process until one of them ends. Nothing is buffered without bound.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use cloche_protocol::STDIN_WINDOW;
use cloche_protocol::exec::{ExecFromGuest, ExecToGuest};
use cloche_protocol::frame::{Frame, Kind};
use cloche_protocol::message;
use nix::sys::signal::Signal;

use super::channel::{Channel, ChannelError};
use super::command::Process;
use super::output::{CHUNK, Chunk};
use super::queue::Queue;
use crate::tty::END_OF_FILE;
use crate::wait::{PollFd, PollFlags, wait};

/// Unread input at which the host is not read any more.
const MAX_INPUT: usize = STDIN_WINDOW;
/// Input taken that is worth a message of its own.
const WORTH_TELLING: usize = STDIN_WINDOW / 4;

pub struct Pump<'a, S> {
    channel: &'a mut Channel<S>,
    process: Process<'a>,
    input: Queue,
    is_input_ended: bool,
    /// Bytes taken that the host was not told of, where it wants to be told.
    untold: Option<usize>,
    status: Option<ExitStatus>,
}

impl<'a, S: Read + Write + AsFd> Pump<'a, S> {
    pub fn new(channel: &'a mut Channel<S>, process: Process<'a>, has_credit: bool) -> Self {
        Self {
            channel,
            process,
            input: Queue::default(),
            is_input_ended: false,
            untold: has_credit.then_some(0),
            status: None,
        }
    }

    /// Until the process has ended and all of its output is on its way.
    pub fn run(&mut self) -> Result<(), ChannelError> {
        let mut chunk = vec![0; CHUNK];
        loop {
            self.take_frames()?;
            self.write_input()?;
            self.read_outputs(&mut chunk)?;
            self.channel.flush()?;
            if let (Some(status), true) = (self.status, self.process.outputs.is_empty()) {
                return self.channel.send(&exited(status));
            }
            self.wait()?;
        }
    }

    fn takes_frames(&self) -> bool {
        self.untold.is_some() || self.input.len() < MAX_INPUT
    }

    fn take_frames(&mut self) -> Result<(), ChannelError> {
        while self.takes_frames() {
            match self.channel.next_frame()? {
                Some(frame) => self.take_frame(&frame)?,
                None => return Ok(()),
            }
        }
        self.channel.pause();
        Ok(())
    }

    fn take_frame(&mut self, frame: &Frame) -> Result<(), ChannelError> {
        if frame.kind == Kind::Stdin {
            return self.take_input(&frame.payload);
        }
        match message::parse(frame)? {
            ExecToGuest::Exec(_) => return Err(ChannelError::Unexpected),
            ExecToGuest::Resize { columns, rows } => self.process.resize(columns, rows),
            ExecToGuest::Signal { name } => self.process.signal(name),
            ExecToGuest::StdinEof {} => {
                if self.process.has_terminal() {
                    self.take_input(&[END_OF_FILE])?;
                }
                self.is_input_ended = true;
            }
        }
        Ok(())
    }

    fn take_input(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        if self.is_input_ended {
            return Err(ChannelError::Unexpected);
        }
        match &mut self.untold {
            Some(untold) if self.input.len() + *untold + bytes.len() > STDIN_WINDOW => {
                return Err(ChannelError::Unexpected);
            }
            Some(untold) if self.process.input.is_none() => *untold += bytes.len(),
            _ => {}
        }
        if self.process.input.is_some() {
            self.input.tail().extend_from_slice(bytes);
        }
        Ok(())
    }

    fn write_input(&mut self) -> Result<(), ChannelError> {
        if let Some(file) = &mut self.process.input {
            let before = self.input.len();
            // A process that reads no more loses what was meant for it, as at the end of any pipe.
            let is_broken = self.input.write_to(file).is_err();
            let is_done =
                self.is_input_ended && self.input.is_empty() && !self.process.has_terminal();
            if is_broken || is_done {
                self.process.input = None;
                self.input.clear();
            }
            if let Some(untold) = &mut self.untold {
                *untold += before - self.input.len();
            }
        }
        self.tell_taken()
    }

    fn tell_taken(&mut self) -> Result<(), ChannelError> {
        match &mut self.untold {
            Some(untold) if *untold >= WORTH_TELLING || (*untold > 0 && self.input.is_empty()) => {
                let bytes = u32::try_from(std::mem::take(untold)).unwrap_or(u32::MAX);
                self.channel.send(&ExecFromGuest::StdinTaken { bytes })
            }
            _ => Ok(()),
        }
    }

    fn read_outputs(&mut self, chunk: &mut [u8]) -> Result<(), ChannelError> {
        let has_ended = self.status.is_some();
        let mut open = Vec::new();
        for mut output in std::mem::take(&mut self.process.outputs) {
            let is_open = loop {
                if !self.channel.has_room() {
                    break true;
                }
                let read = if has_ended {
                    output.read_last(chunk)
                } else {
                    output.read(chunk)
                };
                match read {
                    Chunk::Bytes(count) => {
                        self.channel.send_output(output.kind, &chunk[..count])?
                    }
                    Chunk::Nothing => break true,
                    Chunk::End => break false,
                }
            };
            if is_open {
                open.push(output);
            }
        }
        self.process.outputs = open;
        Ok(())
    }

    /// Waits for whatever can go on next.
    fn wait(&mut self) -> Result<(), ChannelError> {
        let mut interest = PollFlags::RDHUP;
        interest.set(PollFlags::IN, self.takes_frames());
        interest.set(PollFlags::OUT, !self.channel.is_flushed());
        let mut waits = vec![PollFd::new(&*self.channel, interest)];
        if let Some(exit) = &self.process.exit {
            waits.push(PollFd::new(exit, PollFlags::IN));
        }
        if let Some(input) = self
            .process
            .input
            .as_ref()
            .filter(|_| !self.input.is_empty())
        {
            waits.push(PollFd::new(input, PollFlags::OUT));
        }
        if self.channel.has_room() {
            let outputs = self.process.outputs.iter();
            waits.extend(outputs.map(|output| PollFd::new(&output.file, PollFlags::IN)));
        }
        wait(&mut waits, self.channel.time_left()?)?;
        let ready = waits[0].revents();
        let has_exited = self.process.exit.is_some()
            && waits.get(1).is_some_and(|exit| !exit.revents().is_empty());
        drop(waits);
        if has_exited {
            self.status = self.process.take_status()?;
        }
        if ready.contains(PollFlags::IN) {
            self.channel.receive()
        } else if ready.intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR) {
            Err(ChannelError::Closed)
        } else {
            Ok(())
        }
    }
}

fn exited(status: ExitStatus) -> ExecFromGuest {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let signal = status.signal().map(|number| {
        let name = Signal::try_from(number).map_or_else(
            |_| format!("RT{number}"),
            |signal| signal.as_str().to_owned(),
        );
        name.trim_start_matches("SIG").to_owned()
    });
    ExecFromGuest::Exited { code, signal }
}
