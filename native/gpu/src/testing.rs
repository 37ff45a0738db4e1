//! The guest's kernel, played in this process: contexts, blobs and fences on the device's own logic, without a virtual machine.
//!
//! `Kernel::new` makes a machine whose device connects to a Wayland socket; `Kernel::open` is an open file of its render node.
//! What the kernel's driver keeps from programs stays hidden here too: a refused command looks like any other.

mod fence;
mod space;

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use crate::{
    control::{Gpu, wire},
    memory::GuestMemory,
    queue::Taken,
    wait::Waiter,
    window::Window,
};
pub use fence::Fence;
use fence::Fences;
use space::Space;

const PAGE_BYTES: u64 = 4096;
const RAM_BYTES: u64 = 64 << 20;
/// Where the machine's memory begins, so that no address is an offset by chance.
const RAM_AT: u64 = 1 << 32;
const CROSS_DOMAIN: u32 = 5;

struct State {
    gpu: Gpu,
    memory: GuestMemory,
    ram: File,
    pages: Space,
    window: File,
    places: Space,
    fences: Fences,
    last_context: u32,
    last_resource: u32,
}

/// A machine. The thread that waits for the host's sockets ends with the last handle.
pub struct Kernel {
    state: Arc<Mutex<State>>,
    waiter: Arc<Waiter>,
    is_over: Arc<AtomicBool>,
}

/// Where the pages of a blob are.
enum Place {
    Ram(u64),
    Window(u64),
}

struct Blob {
    resource: u32,
    bytes: u64,
    place: Place,
}

/// An open file of the render node, with a context of its own. Dropping it closes the file.
pub struct Context {
    state: Arc<Mutex<State>>,
    id: u32,
    blobs: Mutex<Vec<Blob>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kernel {
    /// The device has a window of so many bytes and connects contexts to this socket.
    pub fn new(wayland: &Path, window_bytes: u64) -> io::Result<Self> {
        let waiter = Arc::new(Waiter::new()?);
        let window = Window::new(window_bytes)?;
        let ram = File::from(memfd_create("ram", MemfdFlags::CLOEXEC)?);
        ftruncate(&ram, RAM_BYTES)?;
        let mut memory = GuestMemory::default();
        memory
            .map(RAM_AT, RAM_BYTES, ram.try_clone()?, 0)
            .map_err(io::Error::other)?;
        let state = State {
            window: window.descriptor().try_clone_to_owned()?.into(),
            gpu: Gpu::new(window, wayland.to_owned(), waiter.clone()),
            memory,
            ram,
            pages: Space::new(RAM_BYTES),
            places: Space::new(window_bytes),
            fences: Fences::default(),
            last_context: 0,
            last_resource: 0,
        };
        let kernel = Self {
            state: Arc::new(Mutex::new(state)),
            waiter,
            is_over: Arc::default(),
        };
        let (state, waiter, is_over) = (
            kernel.state.clone(),
            kernel.waiter.clone(),
            kernel.is_over.clone(),
        );
        thread::Builder::new().spawn(move || {
            let mut ready = Vec::new();
            while waiter.wait(&mut ready).is_ok() && !is_over.load(Ordering::Acquire) {
                lock(&state).go_on(&ready);
                ready.clear();
            }
        })?;
        Ok(kernel)
    }

    /// The capability set, as long as the device has it.
    pub fn capabilities(&self) -> Vec<u8> {
        let mut state = lock(&self.state);
        let (_, set) = state.call(wire::GET_CAPSET, 0, &wire::words(&[CROSS_DOMAIN, 0]));
        set
    }

    pub fn open(&self) -> io::Result<Context> {
        let mut state = lock(&self.state);
        state.last_context += 1;
        let id = state.last_context;
        let mut create = wire::words(&[0, CROSS_DOMAIN]);
        create.extend([0; 64]);
        match state.call(wire::CTX_CREATE, id, &create).0 {
            wire::OK_NODATA => Ok(Context {
                state: self.state.clone(),
                id,
                blobs: Mutex::default(),
            }),
            kind => Err(refused(kind)),
        }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.waiter.call_again();
    }
}

impl Context {
    /// Memory of the machine, in whole pages; its resource.
    pub fn create_guest_blob(&self, bytes: u64) -> io::Result<u32> {
        let mut state = lock(&self.state);
        let at = state.pages.take(bytes)?;
        let resource = state.next_resource();
        let pages = bytes / PAGE_BYTES;
        let mut create = create_blob(resource, wire::BLOB_MEM_GUEST, 0, bytes, pages);
        for page in 0..pages {
            create.extend((RAM_AT + at + page * PAGE_BYTES).to_le_bytes());
            create.extend(wire::words(&[PAGE_BYTES as u32, 0]));
        }
        let made = state.call(wire::RESOURCE_CREATE_BLOB, self.id, &create).0;
        if made != wire::OK_NODATA {
            state.pages.give_back(at);
            return Err(refused(made));
        }
        self.attach(&mut state, resource, bytes, Place::Ram(at));
        Ok(resource)
    }

    /// Memory of the host, in whole pages, of what the device knows under this number; its resource.
    pub fn create_host_blob(&self, id: u32, bytes: u64) -> io::Result<u32> {
        let mut state = lock(&self.state);
        let at = state.places.take(bytes)?;
        let resource = state.next_resource();
        let create = create_blob(resource, wire::BLOB_MEM_HOST3D, id.into(), bytes, 0);
        let mut map = wire::words(&[resource, 0]);
        map.extend(at.to_le_bytes());
        let made = state.call(wire::RESOURCE_CREATE_BLOB, self.id, &create).0;
        let mapped = match made {
            wire::OK_NODATA => state.call(wire::RESOURCE_MAP_BLOB, 0, &map).0,
            kind => kind,
        };
        if mapped != wire::OK_MAP_INFO {
            state.call(wire::RESOURCE_UNREF, 0, &wire::words(&[resource, 0]));
            state.places.give_back(at);
            return Err(refused(mapped));
        }
        self.attach(&mut state, resource, bytes, Place::Window(at));
        Ok(resource)
    }

    fn attach(&self, state: &mut State, resource: u32, bytes: u64, place: Place) {
        state.call(
            wire::CTX_ATTACH_RESOURCE,
            self.id,
            &wire::words(&[resource, 0]),
        );
        lock(&self.blobs).push(Blob {
            resource,
            bytes,
            place,
        });
    }

    /// The file that a blob's pages are in, their offset, and their bytes.
    pub fn map(&self, resource: u32) -> io::Result<(File, u64, u64)> {
        let state = lock(&self.state);
        let blobs = lock(&self.blobs);
        let blob = blobs.iter().find(|blob| blob.resource == resource);
        let blob = blob.ok_or(io::ErrorKind::NotFound)?;
        let (file, at) = match blob.place {
            Place::Ram(at) => (&state.ram, at),
            Place::Window(at) => (&state.window, at),
        };
        Ok((file.try_clone()?, at, blob.bytes))
    }

    pub fn close_blob(&self, resource: u32) {
        let mut blobs = lock(&self.blobs);
        if let Some(index) = blobs.iter().position(|blob| blob.resource == resource) {
            let blob = blobs.swap_remove(index);
            self.close(&mut lock(&self.state), &blob);
        }
    }

    fn close(&self, state: &mut State, blob: &Blob) {
        let named = wire::words(&[blob.resource, 0]);
        state.call(wire::CTX_DETACH_RESOURCE, self.id, &named);
        match blob.place {
            Place::Ram(at) => state.pages.give_back(at),
            Place::Window(at) => {
                state.call(wire::RESOURCE_UNMAP_BLOB, 0, &named);
                state.places.give_back(at);
            }
        }
        state.call(wire::RESOURCE_UNREF, 0, &named);
    }

    /// Executes cross-domain commands, with a fence on that ring if one is named.
    pub fn submit(&self, commands: &[u8], ring: Option<u8>) -> io::Result<Option<Fence>> {
        let mut body = wire::words(&[commands.len() as u32, 0]);
        body.extend(commands);
        lock(&self.state).submit(self.id, &body, ring)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        for blob in lock(&self.blobs).drain(..) {
            self.close(&mut state, &blob);
        }
        state.call(wire::CTX_DESTROY, self.id, &[]);
    }
}

fn refused(kind: u32) -> io::Error {
    io::Error::other(format!("the device answers {kind:#x}"))
}

fn create_blob(resource: u32, memory: u32, id: u64, bytes: u64, pages: u64) -> Vec<u8> {
    let mut create = wire::words(&[resource, memory, 1, pages as u32]);
    create.extend(id.to_le_bytes());
    create.extend(bytes.to_le_bytes());
    create
}

impl State {
    fn next_resource(&mut self) -> u32 {
        self.last_resource += 1;
        self.last_resource
    }

    fn go_on(&mut self, ready: &[crate::wait::Token]) {
        let mut done = Vec::new();
        for token in ready {
            self.gpu.go_on(&self.memory, *token, &mut done);
        }
        self.fences.signal(done);
    }

    /// A command that is answered at once: the answer's kind and data.
    fn call(&mut self, kind: u32, context: u32, body: &[u8]) -> (u32, Vec<u8>) {
        let mut request = wire::words(&[kind, 0, 0, 0, context, 0]);
        request.extend(body);
        let answer = self.execute(&request, 0);
        let kind = crate::channel::wire::word(&answer, 0);
        (kind, answer.get(24..).unwrap_or_default().to_vec())
    }

    fn submit(&mut self, context: u32, body: &[u8], ring: Option<u8>) -> io::Result<Option<Fence>> {
        let fence = ring
            .map(|ring| self.fences.emit(context, ring))
            .transpose()?;
        let (flags, number) = fence.as_ref().map_or((0, 0), |(number, _)| (3, *number));
        let mut request = wire::words(&[wire::SUBMIT_3D, flags, number.into(), 0, context]);
        request.extend([ring.unwrap_or(0), 0, 0, 0]);
        request.extend(body);
        self.execute(&request, number);
        Ok(fence.map(|(_, fence)| fence))
    }

    /// `number` is that of the request's fence, 0 without one.
    fn execute(&mut self, request: &[u8], number: u16) -> Vec<u8> {
        let (mut answer, mut done) = (Vec::new(), Vec::new());
        let reply = |bytes: &[u8]| {
            answer = bytes.to_vec();
            Ok::<_, std::convert::Infallible>(Taken::played(number))
        };
        let Ok(()) = self.gpu.execute(&self.memory, request, reply, &mut done);
        self.fences.signal(done);
        answer
    }
}
