//! What a scripted compositor was shown: pools, buffers and attached pictures, worked out from its requests.

use std::{collections::HashMap, fs::File, os::unix::fs::FileExt};

use super::{
    compositor::{Compositor, Request},
    wire::{Arg, message},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub buffer: u32,
    pub pool: u32,
    pub offset: u64,
    pub width: i32,
    pub height: i32,
    pub stride: u64,
}

pub struct Screen<'a> {
    compositor: &'a Compositor,
    connection: usize,
}

impl<'a> Screen<'a> {
    pub fn new(compositor: &'a Compositor, connection: usize) -> Self {
        Self {
            compositor,
            connection,
        }
    }

    pub fn requests(&self) -> Vec<Request> {
        let mut requests = self.compositor.requests();
        requests.retain(|it| it.connection == self.connection);
        requests
    }

    /// The object's number on this side, by the interface it was bound as; the last one.
    pub fn bound(&self, interface: &str) -> Vec<u32> {
        let binds = self.requests().into_iter();
        binds
            .filter(|it| it.interface == "wl_registry" && it.message.text(1) == interface)
            .map(|it| it.message.word(it.message.body.len() / 4 - 1))
            .collect()
    }

    /// Pools in the order in which they were made, with their bytes.
    pub fn pools(&self) -> Vec<(u32, u32)> {
        let made = self.requests().into_iter();
        made.filter(|it| it.interface == "wl_shm" && it.message.opcode == 0)
            .map(|it| (it.message.word(0), it.message.word(1)))
            .collect()
    }

    /// Every picture that was attached to the surface, oldest first.
    pub fn attached(&self, surface: u32) -> Vec<Option<Shown>> {
        let (mut buffers, mut attached) = (HashMap::new(), Vec::new());
        let mut pools: Vec<u32> = Vec::new();
        for Request {
            interface, message, ..
        } in self.requests()
        {
            if interface == "wl_shm" && message.opcode == 0 {
                pools.push(message.word(0));
            }
            if pools.contains(&message.object) && message.opcode == 0 {
                let shown = Shown {
                    buffer: message.word(0),
                    pool: message.object,
                    offset: message.word(1).into(),
                    width: message.word(2) as i32,
                    height: message.word(3) as i32,
                    stride: message.word(4).into(),
                };
                buffers.insert(shown.buffer, shown);
            }
            if message.object == surface && message.opcode == 1 {
                attached.push(buffers.get(&message.word(0)).copied());
            }
        }
        attached
    }

    pub fn last(&self, surface: u32) -> Shown {
        let attached = self.attached(surface);
        attached.last().copied().flatten().expect("a picture")
    }

    /// A pixel of a picture, as it is now in the compositor's memory.
    pub fn pixel(&self, shown: Shown, x: i32, y: i32) -> u32 {
        let index = self.pools().iter().position(|it| it.0 == shown.pool);
        let seen = self.compositor.seen();
        let fd = &seen.descriptors[index.expect("a pool")];
        let file = File::from(fd.try_clone().expect("clone"));
        let mut pixel = [0; 4];
        let at = shown.offset + y as u64 * shown.stride + x as u64 * 4;
        file.read_exact_at(&mut pixel, at).expect("inside the pool");
        u32::from_ne_bytes(pixel)
    }

    pub fn release(&self, shown: Shown) {
        let event = message(shown.buffer, 0, &[]);
        self.compositor.send(self.connection, &event, None);
    }

    pub fn event(&self, object: u32, opcode: u16, arguments: &[Arg<'_>]) {
        let event = message(object, opcode, arguments);
        self.compositor.send(self.connection, &event, None);
    }
}
