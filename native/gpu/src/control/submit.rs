//! What a context is given to do: the cross-domain commands.

use std::os::fd::OwnedFd;

use cloche_wayland::logger::chain;

use super::{Answer, Fate, Gpu, Refusal, SMALLEST_RING, close, resources::Pages, wire};
use crate::{
    channel::{
        Channel, ChannelError,
        wire::{self as cross_domain, Command},
    },
    control::wire::Header,
    memory::GuestMemory,
    queue::Taken,
};

const CHANNEL_RING: u8 = 1;
/// Of one submission: sixteen times what a guest of ours sends at once.
const COMMAND_BYTES: usize = 64 << 10;
/// As many as a context of the kernel's has. All but the channel's are for fences alone.
const RINGS: u8 = 64;
/// Rows and columns of a picture.
const LARGEST_SIDE: u32 = 1 << 20;

impl Gpu {
    pub(super) fn submit(
        &mut self,
        memory: &GuestMemory,
        header: &Header,
        rest: &[u8],
        fate: &mut Fate,
        done: &mut Vec<Taken>,
    ) -> Answer {
        let size = usize::try_from(cross_domain::word(rest, 0)).unwrap_or(usize::MAX);
        if size > COMMAND_BYTES {
            return Err(Refusal::InvalidParameter);
        }
        let commands = rest.get(8..).and_then(|rest| rest.get(..size));
        let mut commands = commands.ok_or(Refusal::InvalidParameter)?;
        while !commands.is_empty() {
            let (command, later) =
                cross_domain::parse(commands).ok_or(Refusal::InvalidParameter)?;
            self.run(memory, header.context, command, fate, done)?;
            commands = later;
        }
        match header.fence_ring() {
            Some(CHANNEL_RING) if self.context(header.context)?.channel.is_some() => {
                *fate = Fate::Poll
            }
            Some(RINGS..) => return Err(Refusal::InvalidParameter),
            Some(_) | None => {}
        }
        Ok((wire::OK_NODATA, Vec::new()))
    }

    fn run(
        &mut self,
        memory: &GuestMemory,
        context: u32,
        command: Command<'_>,
        fate: &mut Fate,
        done: &mut Vec<Taken>,
    ) -> Result<(), Refusal> {
        match command {
            Command::Init {
                query_ring,
                channel_ring,
                channel,
            } => self.init(context, (query_ring, channel_ring), channel),
            Command::Poll => Ok(()),
            Command::Requirements {
                width,
                height,
                format,
            } => {
                let answer = self.requirements(context, width, height, format)?;
                self.answer_query(memory, context, &answer)
            }
            Command::Locate { resource } => {
                let is_attached = self.context(context)?.attached.contains(&resource);
                let place = self.resources.place(resource).filter(|_| is_attached);
                let bytes = self.window.bytes();
                let answer = place.map_or(cross_domain::location(0, 0), |place| {
                    cross_domain::location(place, bytes)
                });
                self.answer_query(memory, context, &answer)
            }
            Command::Send { identifiers, bytes } => self.send(context, &identifiers, bytes),
            Command::Write { id, is_end, bytes } => {
                let waiter = self.waiter.clone();
                match self.channel(context)?.write(id, bytes, is_end, &waiter) {
                    Some(held) => done.extend(held),
                    None => *fate = Fate::Write(id),
                }
                Ok(())
            }
        }
    }

    fn channel(&mut self, context: u32) -> Result<&mut Channel, Refusal> {
        self.context(context)?
            .channel
            .as_mut()
            .ok_or(Refusal::InvalidContext)
    }

    fn init(&mut self, id: u32, rings: (u32, u32), channel: u32) -> Result<(), Refusal> {
        let wayland = self.wayland.clone();
        let is_ring = |pages: &Pages| pages.capacity() >= SMALLEST_RING;
        let has_pages =
            [rings.0, rings.1].map(|ring| self.resources.pages(ring).is_some_and(is_ring));
        let context = self.context(id)?;
        let is_attached = [rings.0, rings.1].map(|ring| context.attached.contains(&ring));
        if has_pages != [true; 2] || is_attached != [true; 2] {
            return Err(Refusal::InvalidResource);
        }
        if channel != cross_domain::WAYLAND || context.channel.is_some() {
            return Err(Refusal::InvalidParameter);
        }
        let connected = Channel::connect(&wayland, id, rings);
        context.channel = Some(connected.map_err(|error| {
            log::warn!("{}", chain(&error));
            Refusal::Unspecified
        })?);
        Ok(())
    }

    fn requirements(
        &mut self,
        context: u32,
        width: u32,
        height: u32,
        format: u32,
    ) -> Result<Vec<u8>, Refusal> {
        let pixel = pixel_bytes(format).ok_or(Refusal::InvalidParameter)?;
        if width == 0 || height == 0 || width > LARGEST_SIDE || height > LARGEST_SIDE {
            return Err(Refusal::InvalidParameter);
        }
        let stride = width * pixel;
        let size = (u64::from(stride) * u64::from(height)).next_multiple_of(4096);
        if size > self.window.bytes() {
            return Err(Refusal::OutOfMemory);
        }
        let id = self.channel(context)?.add_requirements(size);
        let id = id.map_err(|_| Refusal::OutOfMemory)?;
        Ok(cross_domain::requirements(stride, size, id))
    }

    fn answer_query(
        &mut self,
        memory: &GuestMemory,
        context: u32,
        answer: &[u8],
    ) -> Result<(), Refusal> {
        let ring = self.channel(context)?.query_ring;
        if !self.context(context)?.attached.contains(&ring) {
            return Err(Refusal::InvalidResource);
        }
        let pages = self
            .resources
            .pages(ring)
            .filter(|pages| pages.capacity() >= answer.len());
        let pages = pages.ok_or(Refusal::InvalidResource)?;
        pages
            .write(memory, answer)
            .map_err(|_| Refusal::InvalidResource)
    }

    fn send(&mut self, id: u32, identifiers: &[(u32, u32)], bytes: &[u8]) -> Result<(), Refusal> {
        let descriptors = identifiers
            .iter()
            .map(|identifier| self.descriptor(id, *identifier));
        let descriptors = descriptors.collect::<Result<Vec<_>, _>>()?;
        let waiter = self.waiter.clone();
        let channel = self.channel(id)?;
        if let Err(error) = channel.send(bytes, descriptors, &waiter) {
            close(channel, &error);
            return Err(Refusal::Unspecified);
        }
        Ok(())
    }

    /// What the host gets for an identifier.
    fn descriptor(&mut self, id: u32, (number, kind): (u32, u32)) -> Result<OwnedFd, Refusal> {
        match kind {
            cross_domain::BLOB => {
                let is_attached = self.context(id)?.attached.contains(&number);
                let place = self.resources.place(number).filter(|_| is_attached);
                place.ok_or(Refusal::InvalidResource)?;
                let descriptor = self.window.descriptor().try_clone_to_owned();
                descriptor.map_err(|_| Refusal::OutOfMemory)
            }
            cross_domain::READ_PIPE => {
                let made = self.channel(id)?.add_read_pipe(number);
                made.map_err(|error| {
                    log::warn!("{}", chain(&error));
                    Refusal::InvalidParameter
                })
            }
            kind => {
                log::warn!("{}", ChannelError::IdentifierKind(kind));
                Err(Refusal::InvalidParameter)
            }
        }
    }
}

/// Bytes of a pixel by its format (drm_fourcc.h); only formats of one plane.
fn pixel_bytes(format: u32) -> Option<u32> {
    match &format.to_le_bytes() {
        b"R8  " => Some(1),
        b"RG16" => Some(2),
        b"XR24" | b"AR24" | b"XB24" | b"AB24" => Some(4),
        _ => None,
    }
}
