//! Serves one exec connection: the first message, the command, the last message.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use cloche_protocol::exec::{Command, ExecFromGuest, ExecToGuest};
use cloche_protocol::message;

use super::Sessions;
use super::channel::{Channel, ChannelError};
use super::command::Process;
use super::pump::Pump;
use crate::wait::{PollFd, PollFlags, wait, wait_readable};

/// How long a new connection may take to say what to start.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);
/// How long the host may take to close a connection that is done.
const FAREWELL: Duration = Duration::from_secs(10);

/// Serves a connection. A host that is not admitted is told so.
pub fn run<S: Read + Write + AsFd>(stream: S, sessions: &Sessions, is_admitted: bool) {
    // An error ends the connection, which is all that the host has to see.
    let _ = Channel::new(stream)
        .map_err(ChannelError::from)
        .and_then(|mut channel| serve(&mut channel, sessions, is_admitted));
}

fn serve<S: Read + Write + AsFd>(
    channel: &mut Channel<S>,
    sessions: &Sessions,
    is_admitted: bool,
) -> Result<(), ChannelError> {
    let command = first_message(channel)?;
    if !is_admitted {
        let message = "the machine takes no more sessions".to_owned();
        channel.send(&ExecFromGuest::Failed {
            message,
            errno: Some("EAGAIN".into()),
        })?;
        return finish(channel);
    }
    match Process::start(sessions, &command) {
        Ok(process) => {
            channel.send(&ExecFromGuest::Started {
                pid: process.id.as_raw().unsigned_abs(),
            })?;
            Pump::new(channel, process, command.stdin_credit).run()?;
        }
        Err(error) => {
            let message = error.to_string().chars().take(1000).collect();
            channel.send(&ExecFromGuest::Failed {
                message,
                errno: error.errno(),
            })?;
        }
    }
    finish(channel)
}

fn first_message<S: Read + Write + AsFd>(
    channel: &mut Channel<S>,
) -> Result<Command, ChannelError> {
    let deadline = Instant::now() + FIRST_MESSAGE;
    loop {
        if let Some(frame) = channel.next_frame()? {
            return match message::parse(&frame)? {
                ExecToGuest::Exec(command) => Ok(*command),
                _ => Err(ChannelError::Unexpected),
            };
        }
        let left = deadline
            .checked_duration_since(Instant::now())
            .ok_or(ChannelError::Deadline)?;
        wait_readable(channel, left)?;
        channel.receive()?;
    }
}

/// Sends what is left, then leaves the closing to the host, so that nothing on the way is lost.
fn finish<S: Read + Write + AsFd>(channel: &mut Channel<S>) -> Result<(), ChannelError> {
    let mut flushed = None;
    loop {
        channel.flush()?;
        let mut interest = PollFlags::IN;
        let mut left = None;
        if channel.is_flushed() {
            let since: &Instant = flushed.get_or_insert_with(Instant::now);
            left = Some(
                FAREWELL
                    .checked_sub(since.elapsed())
                    .ok_or(ChannelError::Deadline)?,
            );
        } else {
            interest |= PollFlags::OUT;
        }
        let mut waits = [PollFd::new(channel, interest)];
        wait(&mut waits, left)?;
        if waits[0]
            .revents()
            .intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
        {
            channel.receive()?;
        }
        while channel.next_frame()?.is_some() {}
    }
}
