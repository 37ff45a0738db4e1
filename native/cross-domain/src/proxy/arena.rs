//! The memory behind what the compositor shows: pieces from the host, each with a pool and a buffer of the proxy's own.
//!
//! A piece is the compositor's from the commit that shows it to the release of its buffer, and ours else. What a piece showed
//! last is remembered, so that only what changed since has to be copied when it is taken again.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    os::fd::OwnedFd,
    rc::Rc,
};

use cloche_wayland::geometry::Shape;
use rustix::{
    fs::{MemfdFlags, fstat, memfd_create},
    io::Errno,
};
use thiserror::Error;
use wl_proxy::{
    object::ObjectCoreApi,
    protocols::wayland::{
        wl_buffer::{WlBuffer, WlBufferHandler},
        wl_shm::WlShm,
        wl_shm_pool::WlShmPool,
    },
};

use super::{
    damage::{History, Shown},
    region::{Region, bounds},
};
use crate::channel::{Channel, ChannelError, Memory};

/// Bytes of one program, shown and free.
const MOST_BYTES: usize = 768 << 20;
/// Free memory that is kept for later: bytes, and how many pieces whatever their bytes.
const KEPT_BYTES: usize = 64 << 20;
const KEPT_PIECES: usize = 2;
/// Pieces shown and not released with which a program has to wait.
const CROWD: usize = 32;
const CROWD_BYTES: usize = 256 << 20;

#[derive(Debug, Error)]
pub enum ArenaError {
    #[error("more than {MOST_BYTES} bytes of pictures at once")]
    Full,
    #[error("can't make a token for a picture's memory")]
    Token(#[source] Errno),
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

/// What tells one open file from others.
type FileId = (u64, u64);

/// Tokens are files that stand for a resource on their way through the proxy's socket, which takes nothing but files.
#[derive(Default)]
pub struct Tokens(RefCell<BTreeMap<FileId, u32>>);

impl Tokens {
    /// A new token.
    fn make(&self, resource: u32) -> Result<Rc<OwnedFd>, Errno> {
        let token = memfd_create("cloche-token", MemfdFlags::CLOEXEC)?;
        self.0.borrow_mut().insert(identify(&token)?, resource);
        Ok(Rc::new(token))
    }

    /// Each comes once, with its pool.
    pub fn take(&self, token: &OwnedFd) -> Option<u32> {
        self.0.borrow_mut().remove(&identify(token).ok()?)
    }
}

fn identify(file: &OwnedFd) -> Result<FileId, Errno> {
    let info = fstat(file)?;
    Ok((info.st_dev, info.st_ino))
}

pub struct Piece {
    pub memory: Memory,
    pool: Rc<WlShmPool>,
    /// The buffer that is made of it.
    face: RefCell<Option<(Shape, Rc<WlBuffer>)>>,
    pub shown: Cell<Option<Shown>>,
    is_in_use: Rc<Cell<bool>>,
    taken: Cell<u64>,
}

impl Piece {
    fn is_free(&self) -> bool {
        !self.is_in_use.get()
    }

    fn has_shape(&self, shape: Shape) -> bool {
        let face = self.face.borrow();
        face.as_ref().is_some_and(|(known, _)| *known == shape)
    }

    /// The buffer of this shape. The piece is free.
    fn wear(&self, shape: Shape) -> Rc<WlBuffer> {
        let mut face = self.face.borrow_mut();
        if let Some((known, buffer)) = &*face {
            if *known == shape {
                return buffer.clone();
            }
            buffer.send_destroy();
        }
        self.shown.set(None);
        let buffer = self.pool.state().create_object::<WlBuffer>(1);
        buffer.set_handler(Release(self.is_in_use.clone()));
        // Sums stay below an i32: the memory was made so.
        self.pool.send_create_buffer(
            &buffer,
            self.memory.offset as i32,
            shape.width,
            shape.height,
            shape.stride() as i32,
            shape.format,
        );
        face.insert((shape, buffer)).1.clone()
    }

    /// Gives the buffer to the compositor, with a content that is up to date.
    pub fn show(&self, shown: Shown) {
        self.shown.set(Some(shown));
        self.is_in_use.set(true);
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if self.pool.state().is_destroyed() {
            return;
        }
        if let Some((_, buffer)) = self.face.take() {
            buffer.send_destroy();
        }
        self.pool.send_destroy();
    }
}

struct Release(Rc<Cell<bool>>);

impl WlBufferHandler for Release {
    fn handle_release(&mut self, _slf: &Rc<WlBuffer>) {
        self.0.set(false);
    }
}

/// A piece to show next.
pub struct Taken {
    pub piece: Rc<Piece>,
    pub buffer: Rc<WlBuffer>,
    /// What its content lacks.
    pub lacking: Region,
}

pub struct Arena {
    channel: Rc<Channel>,
    tokens: Rc<Tokens>,
    pieces: RefCell<Vec<Rc<Piece>>>,
    takes: Cell<u64>,
}

impl Arena {
    pub fn new(channel: &Rc<Channel>, tokens: &Rc<Tokens>) -> Self {
        Self {
            channel: channel.clone(),
            tokens: tokens.clone(),
            pieces: RefCell::default(),
            takes: Cell::new(0),
        }
    }

    /// Free memory for the last commit of a history: what lacks least of it, or what is nearest at hand.
    pub fn take(
        &self,
        shm: &Rc<WlShm>,
        shape: Shape,
        history: &History,
    ) -> Result<Taken, ArenaError> {
        let piece = match self.find(shape, history) {
            Some(piece) => piece,
            None => self.make(shm, shape)?,
        };
        self.takes.set(self.takes.get() + 1);
        piece.taken.set(self.takes.get());
        let buffer = piece.wear(shape);
        let lacking = history.since(piece.shown.get());
        self.trim(&piece, KEPT_BYTES, KEPT_PIECES);
        Ok(Taken {
            lacking: lacking.unwrap_or_else(|| bounds(&shape).into()),
            piece,
            buffer,
        })
    }

    /// Whether the compositor holds so much that it should be waited for.
    pub fn is_crowded(&self) -> bool {
        let pieces = self.pieces.borrow();
        let shown = pieces.iter().filter(|piece| !piece.is_free());
        let bytes = shown
            .clone()
            .map(|piece| piece.memory.bytes())
            .sum::<usize>();
        shown.count() > CROWD || bytes > CROWD_BYTES
    }

    fn find(&self, shape: Shape, history: &History) -> Option<Rc<Piece>> {
        let wanted = Channel::round_up(shape.bytes());
        let pieces = self.pieces.borrow();
        let free = pieces.iter().filter(|piece| piece.is_free());
        let fitting = free.filter(|piece| piece.memory.bytes() == wanted);
        let rank = |piece: &&Rc<Piece>| {
            let lacking = history.since(piece.shown.get());
            let known = lacking.filter(|_| piece.has_shape(shape));
            let area = known.map_or(u64::MAX, |lacking| lacking.area());
            (area, !piece.has_shape(shape), piece.taken.get())
        };
        fitting.min_by_key(rank).cloned()
    }

    fn has_room(&self, bytes: usize) -> bool {
        let pieces = self.pieces.borrow();
        let held: usize = pieces.iter().map(|it| it.memory.bytes()).sum();
        held.saturating_add(bytes) <= MOST_BYTES
    }

    fn make(&self, shm: &Rc<WlShm>, shape: Shape) -> Result<Rc<Piece>, ArenaError> {
        let bytes = Channel::round_up(shape.bytes());
        if !self.has_room(bytes) {
            self.drop_free(0, 0, |_| true);
            if !self.has_room(bytes) {
                return Err(ArenaError::Full);
            }
        }
        let memory = match self.channel.allocate(bytes) {
            Err(ChannelError::Device(..)) => {
                // The device may be out of memory that is lying about here.
                self.drop_free(0, 0, |_| true);
                self.channel.allocate(bytes)?
            }
            other => other?,
        };
        let token = self
            .tokens
            .make(memory.resource)
            .map_err(ArenaError::Token)?;
        let pool = shm.state().create_object::<WlShmPool>(1);
        let pool_bytes = memory.offset as i32 + memory.bytes() as i32;
        shm.send_create_pool(&pool, &token, pool_bytes);
        let piece = Rc::new(Piece {
            memory,
            pool,
            face: RefCell::default(),
            shown: Cell::new(None),
            is_in_use: Rc::default(),
            taken: Cell::new(0),
        });
        self.pieces.borrow_mut().push(piece.clone());
        Ok(piece)
    }

    fn trim(&self, except: &Rc<Piece>, bytes: usize, count: usize) {
        self.drop_free(bytes, count, |piece| !Rc::ptr_eq(piece, except));
    }

    /// Gives free memory back, what was not used for longest first.
    fn drop_free(&self, kept_bytes: usize, kept_count: usize, may: impl Fn(&Rc<Piece>) -> bool) {
        let mut pieces = self.pieces.borrow_mut();
        let mut free: Vec<_> = pieces
            .iter()
            .filter(|piece| piece.is_free() && may(piece))
            .map(|piece| (piece.taken.get(), piece.memory.bytes()))
            .collect();
        free.sort_unstable();
        let mut bytes: usize = free.iter().map(|piece| piece.1).sum();
        let mut surplus = free.len().saturating_sub(kept_count);
        for (taken, size) in free {
            if surplus == 0 || bytes <= kept_bytes {
                return;
            }
            pieces.retain(|piece| piece.taken.get() != taken);
            bytes -= size;
            surplus -= 1;
        }
    }
}
