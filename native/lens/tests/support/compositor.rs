//! A scripted compositor: announces globals, answers sync, keeps what it was asked and the descriptors it was given.

use std::{
    collections::HashMap,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use super::wire::{Arg, Message, Peer, message};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub connection: usize,
    /// Came through a security context's socket.
    pub sandboxed: bool,
    /// The interface of objects that were bound; empty for others.
    pub interface: String,
    pub message: Message,
}

#[derive(Default)]
pub struct Seen {
    pub requests: Vec<Request>,
    pub descriptors: Vec<OwnedFd>,
    connections: Vec<UnixStream>,
}

#[derive(Clone)]
pub struct Compositor {
    globals: Arc<Vec<(String, u32)>>,
    seen: Arc<Mutex<Seen>>,
}

impl Compositor {
    pub fn start(path: &Path, globals: &[(&str, u32)]) -> Self {
        let listener = UnixListener::bind(path).expect("compositor");
        let globals = globals
            .iter()
            .map(|(name, version)| ((*name).to_owned(), *version))
            .collect();
        let compositor = Self {
            globals: Arc::new(globals),
            seen: Arc::default(),
        };
        compositor.listen(listener, false);
        compositor
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("seen")
    }

    /// Requests but get_registry and sync.
    pub fn requests(&self) -> Vec<Request> {
        self.seen().requests.clone()
    }

    /// Sends an event to a client's connection; the lens's own is 0.
    pub fn send(&self, connection: usize, bytes: &[u8], descriptor: Option<&OwnedFd>) {
        Peer::new(self.stream(connection)).send_with(bytes, descriptor);
    }

    pub fn stream(&self, connection: usize) -> UnixStream {
        let stream = self.seen().connections[connection].try_clone();
        stream.expect("clone")
    }

    /// Ends every connection, as a compositor that dies does.
    pub fn hang_up(&self) {
        for stream in &self.seen().connections {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn listen(&self, listener: UnixListener, sandboxed: bool) {
        let compositor = self.clone();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let connection = {
                    let mut seen = compositor.seen();
                    seen.connections.push(stream.try_clone().expect("clone"));
                    seen.connections.len() - 1
                };
                let compositor = compositor.clone();
                thread::spawn(move || compositor.serve(Peer::new(stream), connection, sandboxed));
            }
        });
    }

    fn serve(&self, mut peer: Peer, connection: usize, sandboxed: bool) {
        peer.stream.set_read_timeout(None).expect("no timeout");
        let mut interfaces = HashMap::from([(1, "wl_display".to_owned())]);
        while let Some(message) = peer.receive() {
            let interface = interfaces.get(&message.object).cloned().unwrap_or_default();
            match (interface.as_str(), message.opcode) {
                ("wl_display", 0) => self.answer_sync(&peer, &message),
                ("wl_display", _) => {
                    interfaces.insert(message.word(0), "wl_registry".into());
                    self.announce(&peer, message.word(0));
                }
                _ => {
                    if interface == "wl_registry" {
                        let id = message.word(message.body.len() / 4 - 1);
                        interfaces.insert(id, message.text(1));
                    }
                    if interface == "wp_security_context_manager_v1" && message.opcode == 1 {
                        self.listen(peer.descriptors.pop_front().expect("listener").into(), true);
                    }
                    let mut seen = self.seen();
                    // Descriptors may be read together with a bind that comes before their message.
                    if interface != "wl_registry" {
                        seen.descriptors.extend(peer.descriptors.drain(..));
                    }
                    seen.requests.push(Request {
                        connection,
                        sandboxed,
                        interface,
                        message,
                    });
                }
            }
        }
    }

    fn answer_sync(&self, peer: &Peer, request: &Message) {
        let callback = request.word(0);
        peer.send(&message(callback, 0, &[Arg::Word(0)]));
        peer.send(&message(1, 1, &[Arg::Word(callback)]));
    }

    fn announce(&self, peer: &Peer, registry: u32) {
        for (index, (interface, version)) in self.globals.iter().enumerate() {
            let name = Arg::Word(index as u32 + 100);
            peer.send(&message(
                registry,
                0,
                &[name, Arg::Text(interface), Arg::Word(*version)],
            ));
        }
    }
}
