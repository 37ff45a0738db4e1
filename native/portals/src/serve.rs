//! The portals process: standard input is the connection to the host's broker.

use std::fs::File;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use cloche_protocol::portals::PortalsToGuest;
use futures_util::StreamExt;

use crate::bus::Bus;
use crate::front::Front;
use crate::link::{self, LinkError, Receiver};
use crate::media::{Connect, Media};
use crate::value::ValueError;

#[derive(Debug, thiserror::Error)]
pub enum PortalsError {
    #[error("the session bus cannot be used")]
    Bus(#[from] zbus::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the link cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("the host sent a value that has no place in a message")]
    Value(#[from] ValueError),
    #[error("the host sent something else before its offer")]
    Order,
    #[error("the session bus has gone")]
    Ended,
}

/// Serves until the bus or the host is gone; `ready` is called once programs can ask. `connect_media` opens a connection to the
/// host's media port.
pub fn serve(
    stream: File,
    connect_media: Connect,
    ready: impl FnOnce() -> io::Result<()>,
) -> Result<std::convert::Infallible, PortalsError> {
    let (sender, mut receiver) = link::split(stream)?;
    // The first message: with it the names are taken, and nobody asks too early.
    let PortalsToGuest::Offer { interfaces } = receiver.receive()? else {
        return Err(PortalsError::Order);
    };
    let (bus, messages) = zbus::block_on(Bus::connect())?;
    let media = Media::new(connect_media);
    let front = Arc::new(Front::new(bus, sender, media, interfaces));
    ready()?;
    let listening = front.clone();
    thread::Builder::new().name("host".into()).spawn(move || {
        let error = follow(&listening, &mut receiver);
        eprintln!("portals: {error}");
        std::process::exit(1);
    })?;
    let mut messages = pin!(messages);
    while let Some(message) = zbus::block_on(messages.next()) {
        front.hear(&message?);
    }
    Err(PortalsError::Ended)
}

fn follow(front: &Arc<Front>, receiver: &mut Receiver) -> PortalsError {
    loop {
        match receiver.receive() {
            Ok(message) => {
                if let Err(error) = front.obey(message) {
                    return error.into();
                }
            }
            Err(error) => return error.into(),
        }
    }
}
