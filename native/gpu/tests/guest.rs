//! The guest's own channel on the device's own logic: both ends of the protocol, with no machine between them.
#![allow(clippy::unwrap_used)]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io::{self, IoSlice, IoSliceMut, PipeReader, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::PathBuf,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use cloche_cross_domain::{
    channel::{
        Channel,
        wire::{Event, Identifier, Item},
    },
    gpu::{Access, Blob, CAPABILITY_BYTES, Fence, Gpu, Mapping, Source},
};
use cloche_gpu::testing::{self, Context, Kernel};
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    fs::{MemfdFlags, fstat, memfd_create},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};

const WINDOW_BYTES: u64 = 256 << 20;
const LIMIT: Duration = Duration::from_secs(10);
const CHANNEL_RING: u8 = 1;

static SOCKETS: AtomicU32 = AtomicU32::new(0);

/// An open file of the render node.
struct Node {
    capabilities: Vec<u8>,
    context: Context,
    /// The last fence of each blob, which `wait` waits for.
    fences: RefCell<BTreeMap<u32, testing::Fence>>,
    polled: RefCell<Option<testing::Fence>>,
    /// Stands for the file, which these tests don't wait on.
    events: OwnedFd,
}

impl Node {
    fn open(kernel: &Kernel) -> Self {
        Self {
            capabilities: kernel.capabilities(),
            context: kernel.open().unwrap(),
            fences: RefCell::default(),
            polled: RefCell::default(),
            events: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap(),
        }
    }
}

impl Gpu for Node {
    fn capabilities(&self) -> io::Result<[u8; CAPABILITY_BYTES]> {
        let mut bytes = [0; CAPABILITY_BYTES];
        bytes[..self.capabilities.len()].copy_from_slice(&self.capabilities);
        Ok(bytes)
    }

    fn init_context(&self) -> io::Result<()> {
        Ok(())
    }

    fn create_blob(&self, source: Source, bytes: usize) -> io::Result<Blob> {
        let resource = match source {
            Source::Guest => self.context.create_guest_blob(bytes as u64)?,
            Source::Host(id) => self.context.create_host_blob(id, bytes as u64)?,
        };
        Ok(Blob {
            handle: resource,
            resource,
        })
    }

    fn map_blob(&self, blob: Blob, bytes: usize, access: Access) -> io::Result<Mapping> {
        let (file, offset, known) = self.context.map(blob.resource)?;
        assert_eq!(known, bytes as u64);
        Mapping::new(file, offset, bytes, access)
    }

    fn close_blob(&self, blob: Blob) {
        self.context.close_blob(blob.resource);
    }

    fn execute(&self, command: &[u8], fence: Fence) -> io::Result<Option<OwnedFd>> {
        let ring = match fence {
            Fence::Nothing => None,
            Fence::Blob(_) => Some(0),
            Fence::Descriptor(ring) => Some(ring),
            Fence::Event => Some(CHANNEL_RING),
        };
        let done = self.context.submit(command, ring)?;
        match (fence, done) {
            (Fence::Blob(blob), Some(done)) => {
                self.fences.borrow_mut().insert(blob.handle, done);
            }
            (Fence::Descriptor(_), Some(done)) => {
                return Ok(Some(done.as_fd().try_clone_to_owned()?));
            }
            (Fence::Event, done) => *self.polled.borrow_mut() = done,
            _ => {}
        }
        Ok(None)
    }

    fn wait(&self, blob: Blob) -> io::Result<()> {
        let fence = self.fences.borrow_mut().remove(&blob.handle);
        assert!(fence.is_none_or(|fence| fence.wait(LIMIT).unwrap()));
        Ok(())
    }

    fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    fn take_event(&self) -> io::Result<bool> {
        let mut polled = self.polled.borrow_mut();
        let is_done = polled
            .as_ref()
            .is_some_and(|fence| fence.wait(Duration::ZERO).unwrap());
        if is_done {
            *polled = None;
        }
        Ok(is_done)
    }
}

/// A guest's machine, and a lens at the other end.
struct Desk {
    kernel: Kernel,
    lens: UnixListener,
    socket: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let number = SOCKETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloche-gpu-guest-{}-{number}", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let lens = UnixListener::bind(&socket).unwrap();
        let kernel = Kernel::new(&socket, WINDOW_BYTES).unwrap();
        Self {
            kernel,
            lens,
            socket,
        }
    }

    fn open(&self) -> (Rc<Node>, Channel, UnixStream) {
        let node = Rc::new(Node::open(&self.kernel));
        let channel = Channel::open(node.clone()).unwrap();
        let lens = self.lens.accept().unwrap().0;
        lens.set_read_timeout(Some(LIMIT)).unwrap();
        (node, channel, lens)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn event(node: &Node, channel: &Channel) -> Event {
    channel.poll().unwrap();
    if let Some(fence) = &*node.polled.borrow() {
        assert!(fence.wait(LIMIT).unwrap(), "no event");
    }
    channel.take_event().unwrap().unwrap()
}

fn receive(lens: &UnixStream) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let count = recvmsg(lens, &mut slices, &mut control, RecvFlags::empty())
        .unwrap()
        .bytes;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    bytes.truncate(count);
    (bytes, descriptors)
}

fn give(lens: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(
        lens,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
}

fn is_readable(descriptor: &OwnedFd) -> bool {
    let mut waited = [PollFd::new(descriptor, PollFlags::IN)];
    poll(&mut waited, Some(&rustix::event::Timespec::default())).unwrap() > 0
}

#[test]
fn words_go_out_and_come_back() {
    let desk = Desk::new();
    let (node, channel, mut lens) = desk.open();
    let long: Vec<u8> = (0..9000).map(|at| at as u8).collect();
    channel.send(&long, &[]).unwrap();
    let mut seen = vec![0; long.len()];
    lens.read_exact(&mut seen).unwrap();
    assert_eq!(seen, long);
    lens.write_all(b"hello").unwrap();
    let hello = Event::Received {
        bytes: b"hello".to_vec(),
        items: Vec::new(),
    };
    assert_eq!(event(&node, &channel), hello);
}

#[test]
fn memory_is_found_in_the_descriptor_where_the_guest_says_it_is() {
    let desk = Desk::new();
    let (_node, channel, lens) = desk.open();
    let memories: Vec<_> = (1..=5u8)
        .map(|value| {
            let memory = channel.allocate(3 << 20).unwrap();
            memory
                .mapping
                .write(0, &vec![value; memory.bytes()])
                .unwrap();
            memory
        })
        .collect();
    for (value, memory) in (1..).zip(&memories) {
        channel
            .send(b"pool", &[Identifier::Blob(memory.resource)])
            .unwrap();
        let (_, descriptors) = receive(&lens);
        assert_eq!(fstat(&descriptors[0]).unwrap().st_size, WINDOW_BYTES as i64);
        let file = File::from(descriptors.into_iter().next().unwrap());
        let mut seen = vec![0; memory.bytes()];
        file.read_exact_at(&mut seen, memory.offset).unwrap();
        assert!(seen.iter().all(|byte| *byte == value));
    }
}

#[test]
fn memory_that_is_given_back_can_be_had_again_for_as_long_as_wanted() {
    let desk = Desk::new();
    let (_node, channel, _lens) = desk.open();
    for _ in 0..50 {
        let all: Vec<_> = (0..3).map(|_| channel.allocate(64 << 20)).collect();
        assert!(all.iter().all(Result::is_ok));
    }
}

#[test]
fn twenty_eight_pools_go_in_one_message_and_more_in_two() {
    let desk = Desk::new();
    let (_node, channel, lens) = desk.open();
    let memory = channel.allocate(4096).unwrap();
    for (count, parts) in [(28, vec![28]), (30, vec![28, 2])] {
        let identifiers = vec![Identifier::Blob(memory.resource); count];
        channel.send(b"ab", &identifiers).unwrap();
        for part in parts {
            assert_eq!(receive(&lens).1.len(), part);
        }
    }
}

#[test]
fn a_file_of_the_host_is_the_guests_to_read() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    let keymap: Vec<u8> = (0..70_001).map(|at| (at % 251) as u8).collect();
    let file = File::from(memfd_create("keymap", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(&keymap, 0).unwrap();
    give(&lens, b"keymap", &[file.as_fd()]);
    let Event::Received { items, .. } = event(&node, &channel) else {
        panic!("no file");
    };
    let [Item::File { id, bytes }] = items[..] else {
        panic!("no file in {items:?}");
    };
    let mut seen = Vec::new();
    let mut adopted = File::from(channel.adopt(id, bytes).unwrap());
    adopted.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, keymap);
}

#[test]
fn a_paste_arrives_whole_and_ends() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    channel.send(b"paste", &[channel.next_read_pipe()]).unwrap();
    let mut writer = File::from(receive(&lens).1.remove(0));
    let content: Vec<u8> = (0..300_000).map(|at| (at % 249) as u8).collect();
    let written = content.clone();
    let host = thread::spawn(move || writer.write_all(&written).unwrap());
    let mut seen = Vec::new();
    loop {
        match event(&node, &channel) {
            Event::Read { bytes, is_end, .. } => {
                seen.extend(bytes);
                if is_end {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    host.join().unwrap();
    assert!(seen == content);
}

#[test]
fn a_paste_without_end_does_not_keep_another_waiting() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    let mut writers: Vec<_> = (0..2)
        .map(|_| {
            let id = channel.next_read_pipe();
            channel.send(b"paste", &[id]).unwrap();
            File::from(receive(&lens).1.remove(0))
        })
        .collect();
    for writer in &mut writers {
        writer.write_all(&[7; 60_000]).unwrap();
    }
    let turns: Vec<_> = (0..6)
        .map(|_| match event(&node, &channel) {
            Event::Read { pipe, .. } => pipe,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(turns.windows(2).all(|two| two[0] != two[1]), "{turns:x?}");
}

fn write_pipe(node: &Node, channel: &Channel, lens: &UnixStream) -> (u32, PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    give(lens, b"copy", &[writer.as_fd()]);
    match event(node, channel) {
        Event::Received { items, .. } => match items[..] {
            [Item::WritePipe { id }] => (id, reader),
            _ => panic!("no pipe in {items:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_waits_for_a_host_that_does_not_read() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    let (id, mut reader) = write_pipe(&node, &channel, &lens);
    let mut written = 0;
    let held = loop {
        let fence = channel.write(id, 2, &[7; 4000], false).unwrap();
        written += 4000;
        if !is_readable(&fence) {
            break fence;
        }
        assert!(written < 2 << 20, "nothing is held back");
    };
    // Windows go on meanwhile.
    channel.send(b"still", &[]).unwrap();
    assert_eq!(receive(&lens).0, b"still");
    channel.allocate(4096).unwrap();
    let (other, mut other_reader) = write_pipe(&node, &channel, &lens);
    let quick = channel.write(other, 3, b"quick", true).unwrap();
    assert!(is_readable(&quick) && !is_readable(&held));
    let mut seen = Vec::new();
    other_reader.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"quick");
    let end = channel.write(id, 2, &[], true).unwrap();
    let mut seen = Vec::new();
    reader.read_to_end(&mut seen).unwrap();
    assert_eq!(seen.len(), written);
    for fence in [held, end] {
        let mut waited = [PollFd::new(&fence, PollFlags::IN)];
        let limit = rustix::event::Timespec::try_from(LIMIT).unwrap();
        assert_eq!(poll(&mut waited, Some(&limit)).unwrap(), 1);
    }
}

#[test]
fn the_end_of_the_host_is_the_end_of_the_channel() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    drop(lens);
    assert_eq!(event(&node, &channel), Event::HungUp);
    channel.send(b"to nobody", &[]).unwrap();
}

#[test]
fn without_a_lens_a_channel_does_not_open() {
    let desk = Desk::new();
    std::fs::remove_file(&desk.socket).unwrap();
    assert!(Channel::open(Rc::new(Node::open(&desk.kernel))).is_err());
}

#[test]
fn a_client_that_dies_takes_nobody_with_it() {
    let desk = Desk::new();
    let (node, channel, lens) = desk.open();
    for round in 0..100 {
        let (other_node, other, mut other_lens) = desk.open();
        let memory = other.allocate(1 << 20).unwrap();
        other
            .send(
                b"x",
                &[Identifier::Blob(memory.resource), other.next_read_pipe()],
            )
            .unwrap();
        other.poll().unwrap();
        drop((memory, other, other_node));
        // Its words were said, and then it was gone.
        let mut rest = Vec::new();
        other_lens.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"x", "round {round}");
    }
    give(&lens, b"here", &[]);
    assert!(matches!(event(&node, &channel), Event::Received { .. }));
}
