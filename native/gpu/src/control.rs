//! The control queue's commands: capability sets, blobs, contexts, and what contexts are given to do.

mod resources;
mod submit;
pub mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    channel::{Channel, ChannelError, wire::CAPABILITIES},
    memory::GuestMemory,
    queue::Taken,
    wait::{Token, Waiter},
    window::Window,
};
use cloche_wayland::logger::chain;
use resources::Resources;
use wire::{Header, Refusal};

const CROSS_DOMAIN: u32 = 5;
const CONTEXTS: usize = 64;
const ATTACHED: usize = 4096;
/// A page, which is what every guest gives: the longest event has room in it.
const SMALLEST_RING: usize = 4096;

/// The kind of an answer, and its data.
type Answer = Result<(u32, Vec<u8>), Refusal>;

#[derive(Default)]
struct Context {
    attached: BTreeSet<u32>,
    channel: Option<Channel>,
}

/// The device behind the queues.
pub struct Gpu {
    window: Window,
    resources: Resources,
    contexts: BTreeMap<u32, Context>,
    wayland: PathBuf,
    waiter: Arc<Waiter>,
}

/// What becomes of a request whose answer is known.
enum Fate {
    Done,
    /// It is an event's, when there is one.
    Poll,
    /// It waits for this pipe.
    Write(u32),
}

impl Gpu {
    pub fn new(window: Window, wayland: PathBuf, waiter: Arc<Waiter>) -> Self {
        Self {
            window,
            resources: Resources::default(),
            contexts: BTreeMap::new(),
            wayland,
            waiter,
        }
    }

    pub fn reset(&mut self) {
        self.contexts.clear();
        self.resources = Resources::default();
        self.window.clear_all();
    }

    /// Executes a request. `reply` writes the answer and yields the request, which is appended to `done` when it is to be given back.
    pub fn execute<E>(
        &mut self,
        memory: &GuestMemory,
        request: &[u8],
        reply: impl FnOnce(&[u8]) -> Result<Taken, E>,
        done: &mut Vec<Taken>,
    ) -> Result<(), E> {
        let Some((header, rest)) = Header::parse(request) else {
            done.push(reply(&(Refusal::Unspecified as u32).to_le_bytes())?);
            return Ok(());
        };
        let mut fate = Fate::Done;
        let answer = match header.kind {
            wire::SUBMIT_3D => self.submit(memory, &header, rest, &mut fate, done),
            _ => self.answer(&header, rest, done),
        };
        let (kind, data) = answer.unwrap_or_else(|refusal| {
            log::debug!("command {:#x} refused: {refusal:?}", header.kind);
            (refusal as u32, Vec::new())
        });
        let taken = reply(&header.answer(kind, &data))?;
        let channel = self
            .contexts
            .get_mut(&header.context)
            .and_then(|it| it.channel.as_mut());
        match (fate, channel) {
            (Fate::Poll, Some(channel)) => {
                channel.hold_poll(taken);
                self.pump(memory, header.context, done);
            }
            (Fate::Write(pipe), Some(channel)) if header.is_fenced() => {
                done.extend(channel.hold_write(pipe, taken));
            }
            _ if header.kind == wire::SUBMIT_3D && !header.is_fenced() => {
                done.push(taken.unawaited())
            }
            _ => done.push(taken),
        }
        Ok(())
    }

    fn answer(&mut self, header: &Header, rest: &[u8], done: &mut Vec<Taken>) -> Answer {
        let word = |at| crate::channel::wire::word(rest, at);
        let long = |at| crate::channel::wire::long(rest, at);
        match header.kind {
            wire::GET_DISPLAY_INFO => return Ok((wire::OK_DISPLAY_INFO, wire::no_displays())),
            wire::GET_CAPSET_INFO if word(0) == 0 => {
                let bytes = size_of_val(&CAPABILITIES) as u32;
                return Ok((
                    wire::OK_CAPSET_INFO,
                    wire::words(&[CROSS_DOMAIN, 0, bytes, 0]),
                ));
            }
            wire::GET_CAPSET_INFO => return Ok((wire::OK_CAPSET_INFO, wire::words(&[0; 4]))),
            wire::GET_CAPSET if word(0) == CROSS_DOMAIN => {
                return Ok((wire::OK_CAPSET, wire::words(&CAPABILITIES)));
            }
            wire::CTX_CREATE => self.create_context(header.context, word(4))?,
            wire::CTX_DESTROY => self.destroy_context(header.context, done)?,
            wire::CTX_ATTACH_RESOURCE => self.attach(header.context, word(0))?,
            wire::CTX_DETACH_RESOURCE => {
                self.context(header.context)?.attached.remove(&word(0));
            }
            wire::RESOURCE_CREATE_BLOB => self.create_blob(header.context, rest)?,
            wire::RESOURCE_MAP_BLOB => {
                self.resources.map(word(0), long(8), &mut self.window)?;
                return Ok((wire::OK_MAP_INFO, wire::words(&[wire::MAP_CACHED, 0])));
            }
            wire::RESOURCE_UNMAP_BLOB => self.resources.unmap(word(0), &mut self.window)?,
            wire::RESOURCE_UNREF => {
                self.resources.remove(word(0), &mut self.window)?;
                for context in self.contexts.values_mut() {
                    context.attached.remove(&word(0));
                }
            }
            _ => return Err(Refusal::Unspecified),
        }
        Ok((wire::OK_NODATA, Vec::new()))
    }

    fn context(&mut self, id: u32) -> Result<&mut Context, Refusal> {
        self.contexts.get_mut(&id).ok_or(Refusal::InvalidContext)
    }

    fn create_context(&mut self, id: u32, init: u32) -> Result<(), Refusal> {
        // The low byte says which capability set it is for.
        if init & 0xff != CROSS_DOMAIN {
            return Err(Refusal::InvalidParameter);
        }
        if id == 0 || self.contexts.contains_key(&id) {
            return Err(Refusal::InvalidContext);
        }
        if self.contexts.len() >= CONTEXTS {
            return Err(Refusal::OutOfMemory);
        }
        self.contexts.insert(id, Context::default());
        Ok(())
    }

    fn destroy_context(&mut self, id: u32, done: &mut Vec<Taken>) -> Result<(), Refusal> {
        let context = self.contexts.remove(&id).ok_or(Refusal::InvalidContext)?;
        done.extend(context.channel.into_iter().flat_map(Channel::into_held));
        Ok(())
    }

    fn attach(&mut self, id: u32, resource: u32) -> Result<(), Refusal> {
        if !self.resources.contains(resource) {
            return Err(Refusal::InvalidResource);
        }
        let context = self.context(id)?;
        if context.attached.len() >= ATTACHED {
            return Err(Refusal::OutOfMemory);
        }
        context.attached.insert(resource);
        Ok(())
    }

    fn create_blob(&mut self, id: u32, rest: &[u8]) -> Result<(), Refusal> {
        let blob = wire::CreateBlob::parse(rest).ok_or(Refusal::InvalidParameter)?;
        if blob.memory == wire::BLOB_MEM_GUEST {
            return self.resources.add_guest(blob);
        }
        if blob.memory != wire::BLOB_MEM_HOST3D || !self.resources.has_room(blob.resource) {
            return Err(Refusal::InvalidParameter);
        }
        let number = u32::try_from(blob.id).map_err(|_| Refusal::InvalidParameter)?;
        let channel = self
            .context(id)?
            .channel
            .as_mut()
            .ok_or(Refusal::InvalidContext)?;
        let template = channel.take_template(number, blob.size);
        let template = template.ok_or(Refusal::InvalidParameter)?;
        self.resources.add_host(blob.resource, blob.size, template)
    }

    /// A descriptor that was waited for is ready.
    pub fn go_on(&mut self, memory: &GuestMemory, token: Token, done: &mut Vec<Taken>) {
        let waiter = self.waiter.clone();
        let context = self.contexts.get_mut(&token.context);
        let Some(channel) = context.and_then(|context| context.channel.as_mut()) else {
            return;
        };
        match channel.go_on(token.item, &waiter) {
            Ok(held) => done.extend(held),
            Err(error) => close(channel, &error),
        }
        self.pump(memory, token.context, done);
    }

    /// Gives a context its events, as many as it asked for and there are.
    fn pump(&mut self, memory: &GuestMemory, id: u32, done: &mut Vec<Taken>) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        let Some(channel) = &mut context.channel else {
            return;
        };
        let ring = channel.channel_ring;
        let pages = context
            .attached
            .contains(&ring)
            .then(|| self.resources.pages(ring))
            .flatten();
        let capacity = pages.map_or(0, |pages| pages.capacity());
        // A ring that is gone or too small: what is readable would stay so, and be looked at for ever.
        if capacity < SMALLEST_RING && channel.has_polls() {
            if channel.is_open() {
                close(channel, &ChannelError::Ring(capacity));
            }
            done.extend(channel.take_polls());
            return;
        }
        loop {
            match channel.next_event(capacity, &self.waiter) {
                Ok(None) => return,
                Ok(Some((poll, event))) => {
                    if let Some(Err(error)) = pages.map(|pages| pages.write(memory, &event)) {
                        log::warn!("a channel's ring can't be written: {error}");
                    }
                    done.push(poll);
                }
                Err(error) => close(channel, &error),
            }
        }
    }
}

fn close(channel: &mut Channel, error: &ChannelError) {
    log::warn!("channel closed: {}", chain(error));
    channel.close();
}
