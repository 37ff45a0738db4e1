//! A scripted device: what a virtio-gpu device with cross-domain contexts does, over memfds and threads of this process.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use cloche_cross_domain::gpu::{
    Access, Blob, CAPABILITY_BYTES, Fence, Gpu, Mapping, PAGE_BYTES, Source,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{FileType, MemfdFlags, SealFlags, fcntl_add_seals, fstat, ftruncate, memfd_create},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};

const HEADER: usize = 352;
const WINDOW_BYTES: u64 = 1 << 30;

/// Where the memory that the device gives out lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// In one sealed file, as our device does it.
    Window,
    /// A file each, as crosvm does it.
    Files,
}

enum Item {
    Template(u64),
    File(File),
    WritePipe(File),
}

struct BlobState {
    file: Arc<File>,
    offset: u64,
    bytes: u64,
}

struct PendingWrite {
    pipe: u32,
    bytes: VecDeque<u8>,
    is_end: bool,
    /// Closed when the bytes are in the pipe.
    _fence: OwnedFd,
}

#[derive(Default)]
struct State {
    blobs: BTreeMap<u32, BlobState>,
    items: BTreeMap<u32, Item>,
    read_pipes: BTreeMap<u32, File>,
    writes: Vec<PendingWrite>,
    next_blob: u32,
    next_item: u32,
    next_read_pipe: u32,
    window_end: u64,
    rings: (u32, u32),
    stream: Option<UnixStream>,
    is_polling: bool,
    is_closed: bool,
}

pub struct Shared {
    layout: Layout,
    wayland: PathBuf,
    window: Arc<File>,
    state: Mutex<State>,
    wake: Mutex<File>,
    event: Mutex<File>,
    /// Everything that was executed, as bytes.
    pub commands: Mutex<Vec<Vec<u8>>>,
    /// What is written to the channel ring before anything else.
    injected: Mutex<VecDeque<Vec<u8>>>,
}

/// One open file of the device.
pub struct Device {
    pub shared: Arc<Shared>,
    events: File,
}

impl Device {
    pub fn open(layout: Layout, wayland: &Path) -> Self {
        let window = memfd_create("window", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
            .expect("window");
        ftruncate(&window, WINDOW_BYTES).expect("size");
        fcntl_add_seals(
            &window,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
        )
        .expect("seals");
        let (events, event) = io::pipe().expect("pipe");
        let (woken, wake) = io::pipe().expect("pipe");
        rustix::io::ioctl_fionbio(&events, true).expect("nonblocking");
        let state = State {
            next_blob: 1,
            next_item: 1,
            next_read_pipe: 0x8000_0001,
            ..State::default()
        };
        let shared = Arc::new(Shared {
            layout,
            wayland: wayland.to_owned(),
            window: Arc::new(window.into()),
            state: Mutex::new(state),
            wake: Mutex::new(OwnedFd::from(wake).into()),
            event: Mutex::new(OwnedFd::from(event).into()),
            commands: Mutex::default(),
            injected: Mutex::default(),
        });
        let working = shared.clone();
        thread::spawn(move || working.work(OwnedFd::from(woken).into()));
        Self {
            shared,
            events: OwnedFd::from(events).into(),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        *state = State {
            is_closed: true,
            ..State::default()
        };
        drop(state);
        self.shared.wake();
    }
}

impl Gpu for Device {
    fn capabilities(&self) -> io::Result<[u8; CAPABILITY_BYTES]> {
        let mut bytes = [0; CAPABILITY_BYTES];
        bytes[0] = 1;
        bytes[4] = 2;
        bytes[16] = u8::from(self.shared.layout == Layout::Window);
        Ok(bytes)
    }

    fn init_context(&self) -> io::Result<()> {
        Ok(())
    }

    fn create_blob(&self, source: Source, bytes: usize) -> io::Result<Blob> {
        self.shared.create_blob(source, bytes as u64)
    }

    fn map_blob(&self, blob: Blob, bytes: usize, access: Access) -> io::Result<Mapping> {
        let state = self.shared.state();
        let known = state
            .blobs
            .get(&blob.handle)
            .ok_or(io::ErrorKind::NotFound)?;
        assert_eq!(known.bytes, bytes as u64);
        Mapping::new(&*known.file, known.offset, bytes, access)
    }

    fn close_blob(&self, blob: Blob) {
        let known = self.shared.state().blobs.remove(&blob.handle);
        assert!(known.is_some(), "closed twice");
    }

    fn execute(&self, command: &[u8], fence: Fence) -> io::Result<Option<OwnedFd>> {
        self.shared
            .commands
            .lock()
            .expect("commands")
            .push(command.to_vec());
        self.shared.execute(command, fence)
    }

    fn wait(&self, _blob: Blob) -> io::Result<()> {
        Ok(())
    }

    fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    fn take_event(&self) -> io::Result<bool> {
        match (&self.events).read(&mut [0; 8]) {
            Ok(count) => Ok(count == 8),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a word"))
}

impl Shared {
    /// Answers the next request for an event with these bytes.
    pub fn inject(&self, message: &[u8]) {
        self.injected
            .lock()
            .expect("injected")
            .push_back(message.to_vec());
        self.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    /// A worker that has ended hears no more.
    fn wake(&self) {
        let _ = self.wake.lock().expect("wake").write_all(&[1]);
    }

    fn create_blob(&self, source: Source, bytes: u64) -> io::Result<Blob> {
        let mut state = self.state();
        let content = match source {
            Source::Guest => None,
            Source::Host(id) => match state.items.get(&id) {
                Some(Item::Template(size)) => {
                    assert_eq!(*size, bytes, "a blob of another size than asked for");
                    None
                }
                Some(Item::File(_)) => match state.items.remove(&id) {
                    Some(Item::File(file)) => Some(file),
                    _ => None,
                },
                _ => return Err(io::ErrorKind::NotFound.into()),
            },
        };
        let in_window = self.layout == Layout::Window && source != Source::Guest;
        let (file, offset) = match (in_window, content) {
            (true, content) => {
                let offset = state.window_end;
                state.window_end += bytes;
                assert!(state.window_end <= WINDOW_BYTES, "the window is full");
                if let Some(content) = content {
                    let mut copy = vec![0; bytes as usize];
                    let count = content.read_at(&mut copy, 0)?;
                    self.window.write_all_at(&copy[..count], offset)?;
                }
                (self.window.clone(), offset)
            }
            (false, Some(file)) => (Arc::new(file), 0),
            (false, None) => {
                let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
                let file = memfd_create("blob", flags)?;
                ftruncate(&file, bytes)?;
                (Arc::new(file.into()), 0)
            }
        };
        let handle = state.next_blob;
        state.next_blob += 1;
        state.blobs.insert(
            handle,
            BlobState {
                file,
                offset,
                bytes,
            },
        );
        Ok(Blob {
            handle,
            resource: handle + 1000,
        })
    }

    fn execute(&self, command: &[u8], fence: Fence) -> io::Result<Option<OwnedFd>> {
        let size = usize::from(u16::from_le_bytes([command[2], command[3]]));
        assert_eq!(size, command.len());
        let mut state = self.state();
        match command[0] {
            1 => {
                state.rings = (word(command, 8) - 1000, word(command, 12) - 1000);
                state.stream = UnixStream::connect(&self.wayland).ok();
            }
            2 if state.stream.is_some() => {
                let (width, height) = (word(command, 8), word(command, 12));
                let bytes = u64::from(width) * 4 * u64::from(height);
                let id = state.add(Item::Template(bytes));
                let mut answer = [0; 64];
                answer[0..4].copy_from_slice(&(width * 4).to_le_bytes());
                answer[40..48].copy_from_slice(&bytes.to_le_bytes());
                answer[48..52].copy_from_slice(&id.to_le_bytes());
                state.answer(&answer);
            }
            3 => {
                assert_eq!(fence, Fence::Event);
                assert!(!state.is_polling, "polled twice");
                state.is_polling = true;
                drop(state);
                self.wake();
            }
            4 => {
                state.send(command)?;
                drop(state);
                self.wake();
            }
            7 => return self.write(state, command).map(Some),
            0xc0 => {
                let handle = word(command, 8) - 1000;
                let mut answer = [0; 16];
                if let Some(blob) = state.blobs.get(&handle) {
                    answer[..8].copy_from_slice(&blob.offset.to_le_bytes());
                    answer[8..].copy_from_slice(&WINDOW_BYTES.to_le_bytes());
                }
                state.answer(&answer);
            }
            _ => {}
        }
        Ok(None)
    }

    fn write(&self, mut state: MutexGuard<'_, State>, command: &[u8]) -> io::Result<OwnedFd> {
        let (taken, fence) = io::pipe()?;
        let pipe = word(command, 8);
        assert!(matches!(state.items.get(&pipe), Some(Item::WritePipe(_))));
        let busy = state.writes.iter().any(|write| write.pipe == pipe);
        assert!(!busy, "written before the last bytes were taken");
        state.writes.push(PendingWrite {
            pipe,
            bytes: command[24..].to_vec().into(),
            is_end: word(command, 12) != 0,
            _fence: fence.into(),
        });
        drop(state);
        self.wake();
        Ok(taken.into())
    }

    /// What the device does by itself.
    fn work(&self, mut woken: File) {
        loop {
            let state = self.state();
            if state.is_closed {
                return;
            }
            let (stream, pipes, writes) = state.descriptors();
            let is_polling = state.is_polling && stream.is_some();
            drop(state);
            let injected = || self.injected.lock().expect("injected").pop_front();
            if let Some(message) = is_polling.then(injected).flatten() {
                self.give(self.state(), &message);
                continue;
            }
            let mut descriptors = vec![PollFd::new(&woken, PollFlags::IN)];
            descriptors.extend(writes.iter().map(|it| PollFd::new(&it.1, PollFlags::OUT)));
            let first_read = descriptors.len();
            if is_polling {
                descriptors.extend(stream.iter().map(|it| PollFd::new(it, PollFlags::IN)));
                descriptors.extend(pipes.iter().map(|it| PollFd::new(&it.1, PollFlags::IN)));
            }
            poll(&mut descriptors, None).expect("poll");
            let ready: Vec<_> = descriptors
                .iter()
                .map(|it| !it.revents().is_empty())
                .collect();
            drop(descriptors);
            if ready[0] {
                let _ = woken.read(&mut [0; 64]);
            }
            let mut state = self.state();
            if state.is_closed {
                return;
            }
            if ready[1..first_read].contains(&true) {
                state.pump_writes();
            }
            let readable = ready[first_read..].iter().position(|it| *it);
            let message = match readable {
                Some(0) => state.receive(),
                Some(index) => state.read(pipes[index - 1].0),
                None => continue,
            };
            self.give(state, &message);
        }
    }

    /// Writes an event to the ring and tells of it.
    fn give(&self, mut state: MutexGuard<'_, State>, message: &[u8]) {
        if state.is_closed {
            return;
        }
        state.is_polling = false;
        let ring = state.rings.1;
        state.put(ring, message);
        drop(state);
        let event = [0x9000_0000u32.to_ne_bytes(), 8u32.to_ne_bytes()].concat();
        let _ = self.event.lock().expect("event").write_all(&event);
    }
}

type Named = Vec<(u32, File)>;

impl State {
    fn add(&mut self, item: Item) -> u32 {
        let id = self.next_item;
        self.next_item += 1;
        self.items.insert(id, item);
        id
    }

    fn answer(&self, bytes: &[u8]) {
        self.put(self.rings.0, bytes);
    }

    /// A ring that was closed meanwhile takes nothing.
    fn put(&self, ring: u32, bytes: &[u8]) {
        let Some(blob) = self.blobs.get(&ring) else {
            return;
        };
        assert!(bytes.len() <= PAGE_BYTES);
        blob.file.write_all_at(bytes, blob.offset).expect("ring");
    }

    fn descriptors(&self) -> (Option<UnixStream>, Named, Named) {
        let clone = |file: &File| file.try_clone().expect("clone");
        let stream = self
            .stream
            .as_ref()
            .map(|it| it.try_clone().expect("clone"));
        let pipes = self.read_pipes.iter().map(|(id, file)| (*id, clone(file)));
        let writes = self.writes.iter().filter_map(|write| {
            let Some(Item::WritePipe(file)) = self.items.get(&write.pipe) else {
                return None;
            };
            Some((write.pipe, clone(file)))
        });
        (stream, pipes.collect(), writes.collect())
    }

    fn send(&mut self, command: &[u8]) -> io::Result<()> {
        let (count, bytes) = (word(command, 8) as usize, word(command, 12) as usize);
        assert!(count <= 28 && command.len() == HEADER + bytes && bytes > 0);
        let mut descriptors = Vec::new();
        let mut pipes = 0;
        for index in 0..count {
            let (id, kind) = (
                word(command, 16 + 4 * index),
                word(command, 128 + 4 * index),
            );
            match kind {
                1 => {
                    let blob = self.blobs.get(&(id - 1000)).expect("a known resource");
                    descriptors.push(blob.file.try_clone()?.into());
                }
                3 => {
                    assert_eq!(id, self.next_read_pipe, "guessed wrong");
                    pipes += 1;
                    self.next_read_pipe += 1;
                    let (reader, writer) = io::pipe()?;
                    self.read_pipes.insert(id, OwnedFd::from(reader).into());
                    descriptors.push(OwnedFd::from(writer));
                }
                _ => panic!("sent a descriptor of kind {kind}"),
            }
        }
        assert!(pipes <= 1, "one pipe a message");
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&borrowed));
        let stream = self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        // A host that is gone shows in what is received next.
        let _ = sendmsg(
            stream,
            &[IoSlice::new(&command[HEADER..])],
            &mut control,
            SendFlags::NOSIGNAL,
        );
        Ok(())
    }

    fn pump_writes(&mut self) {
        let items = &mut self.items;
        self.writes.retain_mut(|write| {
            let Some(Item::WritePipe(file)) = items.get_mut(&write.pipe) else {
                return false;
            };
            rustix::io::ioctl_fionbio(&*file, true).expect("nonblocking");
            let (piece, _) = write.bytes.as_slices();
            match file.write(piece) {
                Ok(count) => drop(write.bytes.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => write.bytes.clear(),
            }
            if write.bytes.is_empty() && write.is_end {
                items.remove(&write.pipe);
            }
            !write.bytes.is_empty()
        });
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut message = vec![0; PAGE_BYTES];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let stream = self.stream.as_ref().expect("connected");
        let read = recvmsg(
            stream,
            &mut [IoSliceMut::new(&mut message[HEADER..])],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        let count = read.map_or(0, |read| read.bytes);
        let mut descriptors = Vec::new();
        for ancillary in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = ancillary {
                descriptors.extend(received);
            }
        }
        message[0] = 5;
        message[8..12].copy_from_slice(&(descriptors.len() as u32).to_le_bytes());
        message[12..16].copy_from_slice(&(count as u32).to_le_bytes());
        for (index, descriptor) in descriptors.into_iter().enumerate() {
            let info = fstat(&descriptor).expect("stat");
            let is_file = FileType::from_raw_mode(info.st_mode) == FileType::RegularFile;
            let (kind, bytes) = if is_file {
                (1, info.st_size as u32)
            } else {
                (4, 0)
            };
            let file = File::from(descriptor);
            let id = self.add(if is_file {
                Item::File(file)
            } else {
                Item::WritePipe(file)
            });
            for (column, value) in [(16, id), (128, kind), (240, bytes)] {
                message[column + 4 * index..][..4].copy_from_slice(&u32::to_le_bytes(value));
            }
        }
        message.truncate(HEADER + count);
        message
    }

    fn read(&mut self, pipe: u32) -> Vec<u8> {
        let mut message = vec![0; PAGE_BYTES];
        let count = self
            .read_pipes
            .get_mut(&pipe)
            .and_then(|file| file.read(&mut message[24..]).ok())
            .unwrap_or(0);
        if count == 0 {
            self.read_pipes.remove(&pipe);
        }
        message[0] = 6;
        message[8..12].copy_from_slice(&pipe.to_le_bytes());
        message[12..16].copy_from_slice(&u32::from(count == 0).to_le_bytes());
        message[16..20].copy_from_slice(&(count as u32).to_le_bytes());
        message.truncate(24 + count);
        message
    }
}
