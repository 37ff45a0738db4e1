//! The last words to a client whose connection ends for a reason that wl-proxy would not tell it.

use std::{os::fd::OwnedFd, rc::Rc};

use rustix::net::{SendFlags, send};
use wl_proxy::{
    client::ClientHandler,
    object::{Object, ObjectCoreApi},
    state::{Destructor, State, StateHandler},
};

/// wl_display's global error codes.
pub const INVALID_OBJECT: u32 = 0;
pub const INVALID_METHOD: u32 = 1;
pub const NO_MEMORY: u32 = 2;

const DISPLAY: u32 = 1;
const REASON_BYTES: usize = 512;

pub struct Farewell {
    socket: Rc<OwnedFd>,
    destroy: Destructor,
}

impl Farewell {
    pub fn new(state: &Rc<State>, socket: &Rc<OwnedFd>) -> Self {
        Self {
            socket: socket.clone(),
            destroy: state.create_destructor(),
        }
    }

    /// Best effort: wl-proxy flushed what it had, or the socket is full and takes nothing.
    fn say(&self, object: u32, code: u32, reason: &str) {
        let _ = send(
            &self.socket,
            &error_message(object, code, reason),
            SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
        );
    }
}

impl ClientHandler for Farewell {
    fn disconnected(self: Box<Self>) {
        self.say(
            DISPLAY,
            INVALID_METHOD,
            "the connection was ended by a malformed or unknown request",
        );
    }
}

impl StateHandler for Farewell {
    fn display_error(
        self: Box<Self>,
        object: Option<&Rc<dyn Object>>,
        _server_id: u32,
        error: u32,
        message: &str,
    ) {
        self.destroy.disable();
        let object = object
            .and_then(|object| object.client_id())
            .unwrap_or(DISPLAY);
        self.say(object, error, message);
    }
}

/// `wl_display.error`, as a client reads it.
pub fn error_message(object: u32, code: u32, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut text = reason.as_bytes()[..end].to_vec();
    text.push(0);
    let text_bytes = text.len() as u32;
    text.resize(text.len().next_multiple_of(4), 0);
    let total = 20 + text.len() as u32;
    let words = [DISPLAY, total << 16, object, code, text_bytes];
    let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    message.extend(text);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let message = error_message(1, 2, &"é".repeat(400));
        assert_eq!(message.len() % 4, 0);
        assert_eq!(
            u32::from_ne_bytes([message[4], message[5], message[6], message[7]]) >> 16,
            message.len() as u32
        );
        assert!(message.len() <= 20 + REASON_BYTES + 4);
    }
}
