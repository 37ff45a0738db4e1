//! Backpressure: what one side doesn't read is not taken from the other, so a stalled peer can't grow the lens's memory.

use std::{os::fd::OwnedFd, rc::Rc};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use thiserror::Error;
use wl_proxy::{client::Client, state::State};

/// Rounds of requests, 8 KiB each at most, taken from a client that doesn't read what the lens itself answers.
const ROUNDS_WITHOUT_READING: u32 = 512;

#[derive(Debug, Error)]
pub enum FlowError {
    #[error("can't wait for messages")]
    Poll(#[source] rustix::io::Errno),
    #[error("the client sends without reading")]
    Slow,
}

pub struct Flow {
    state: Rc<State>,
    client: Rc<Client>,
    client_socket: Rc<OwnedFd>,
    server_socket: Rc<OwnedFd>,
    client_stalls: bool,
    server_stalls: bool,
    rounds_without_reading: u32,
}

impl Flow {
    pub fn new(
        state: Rc<State>,
        client: Rc<Client>,
        client_socket: Rc<OwnedFd>,
        server_socket: Rc<OwnedFd>,
    ) -> Self {
        Self {
            state,
            client,
            client_socket,
            server_socket,
            client_stalls: false,
            server_stalls: false,
            rounds_without_reading: 0,
        }
    }

    /// Returns when there is something to dispatch. Call it after flushing.
    pub fn wait(&mut self) -> Result<(), FlowError> {
        loop {
            self.update()?;
            let mut descriptors = vec![PollFd::new(self.state.poll_fd(), PollFlags::IN)];
            if self.client_stalls {
                descriptors.push(PollFd::new(&self.client_socket, PollFlags::OUT));
            }
            if self.server_stalls {
                descriptors.push(PollFd::new(&self.server_socket, PollFlags::OUT));
            }
            retry(&mut descriptors, None)?;
            if !descriptors[0].revents().is_empty() {
                return Ok(());
            }
        }
    }

    fn update(&mut self) -> Result<(), FlowError> {
        let client_stalls = !is_writable(&self.client_socket)?;
        if client_stalls != self.client_stalls {
            self.client_stalls = client_stalls;
            self.rounds_without_reading = 0;
            self.state.set_suspended(client_stalls);
        } else if client_stalls {
            // Requests are still taken, for a client may have to write before it reads; but not without end.
            self.rounds_without_reading += 1;
            if self.rounds_without_reading > ROUNDS_WITHOUT_READING {
                return Err(FlowError::Slow);
            }
        }
        let server_stalls = !is_writable(&self.server_socket)?;
        if server_stalls != self.server_stalls {
            self.server_stalls = server_stalls;
            self.client.set_suspended(server_stalls);
        }
        Ok(())
    }
}

/// A socket that hung up counts as writable: the error surfaces in the dispatch.
fn is_writable(socket: &OwnedFd) -> Result<bool, FlowError> {
    let mut descriptors = [PollFd::new(socket, PollFlags::OUT)];
    retry(
        &mut descriptors,
        Some(&Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }),
    )?;
    Ok(!descriptors[0].revents().is_empty())
}

fn retry(descriptors: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<(), FlowError> {
    rustix::io::retry_on_intr(|| poll(descriptors, timeout))
        .map(drop)
        .map_err(FlowError::Poll)
}
