//! Plays the guest's driver: registers, queues in a memory of its own, interrupts; and the lens at the other end.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs::File,
    os::{
        fd::OwnedFd,
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cloche_gpu::{
    device::{Device, Shared},
    pci::NOTIFY,
    wait::{Interest, Token, Waiter},
    window::Window,
};
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fs::{MemfdFlags, ftruncate, memfd_create},
};

pub const RAM: u64 = 0x10_0000;
pub const RAM_BYTES: u64 = 16 << 20;
const QUEUE_BYTES: u64 = 0x10000;
const AVAILABLE: u64 = 0x4000;
const USED: u64 = 0x8000;
const INDIRECT: u64 = RAM + 0x2_0000;
const BUFFERS: u64 = RAM + 0x10_0000;
const BUFFER_BYTES: u64 = 0x4000;
pub const ENTRIES: u16 = 64;

pub const WINDOW_BYTES: u64 = 16 << 20;
pub const QUERY: u32 = 1;
pub const CHANNEL: u32 = 2;
pub const CONTEXT: u32 = 7;

static SOCKETS: AtomicU32 = AtomicU32::new(0);

pub struct Driver {
    pub device: Shared,
    pub ram: File,
    pub lens: UnixListener,
    interrupt: OwnedFd,
    /// Next entry of the available ring, of each queue.
    next: [u16; 2],
    seen: u16,
    free: Vec<u16>,
    /// Answers that came, by their buffer.
    answers: BTreeMap<u16, Vec<u8>>,
    socket: PathBuf,
    /// Ends the thread that waits, and the device with it.
    ended: OwnedFd,
    fence: u64,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        rustix::io::write(&self.ended, &1u64.to_ne_bytes()).unwrap();
    }
}

/// A request that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent(pub u16);

impl Driver {
    pub fn new() -> Self {
        let number = SOCKETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloche-gpu-test-{}-{number}", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let lens = UnixListener::bind(&socket).unwrap();
        let waiter = Arc::new(Waiter::new().unwrap());
        let window = Window::new(WINDOW_BYTES).unwrap();
        let device = Shared::new(Device::new(window, socket.clone(), waiter.clone()).unwrap());
        let ram = memfd_create("ram", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&ram, RAM_BYTES).unwrap();
        let ram = File::from(ram);
        let interrupt = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap();
        {
            let mut device = device.lock();
            device
                .map(RAM, RAM_BYTES, ram.try_clone().unwrap(), 0)
                .unwrap();
            device.set_vector(1, Some(interrupt.try_clone().unwrap().into()));
        }
        let ended = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        // No context has this number.
        let end = Token {
            context: 0,
            item: 0,
        };
        waiter.arm(&ended, end, Interest::Read);
        let waiting = device.clone();
        // A descriptor that is closed before its event is seen is not seen at all.
        let open = ended.try_clone().unwrap();
        thread::spawn(move || {
            let _open = open;
            let mut ready = Vec::new();
            while waiter.wait(&mut ready).is_ok() && !ready.contains(&end) {
                waiting.lock().go_on(&ready);
                ready.clear();
            }
        });
        let mut driver = Self {
            device,
            ram,
            lens,
            interrupt,
            next: [0; 2],
            seen: 0,
            free: (0..ENTRIES / 2).collect(),
            answers: BTreeMap::new(),
            socket,
            ended,
            fence: 0,
        };
        driver.start();
        driver
    }

    /// Resets the device and sets both queues up, without EVENT_IDX: every answer interrupts.
    pub fn start(&mut self) {
        self.start_with(cloche_gpu::transport::FEATURES & !(1 << 29));
    }

    /// The same with these features.
    pub fn start_with(&mut self, features: u64) {
        self.register(20, &[0]);
        for status in [1, 3] {
            self.register(20, &[status]);
        }
        for (half, bits) in [(0u32, features as u32), (1, (features >> 32) as u32)] {
            self.register(8, &half.to_le_bytes());
            self.register(12, &bits.to_le_bytes());
        }
        self.register(20, &[11]);
        self.ram.write_all_at(&vec![0; 0x10_0000], 0).unwrap();
        for queue in 0..2u16 {
            let base = RAM + u64::from(queue) * QUEUE_BYTES;
            self.register(22, &queue.to_le_bytes());
            self.register(24, &ENTRIES.to_le_bytes());
            self.register(26, &1u16.to_le_bytes());
            self.register(32, &base.to_le_bytes());
            self.register(40, &(base + AVAILABLE).to_le_bytes());
            self.register(48, &(base + USED).to_le_bytes());
            self.register(28, &1u16.to_le_bytes());
        }
        self.register(20, &[15]);
        (self.next, self.seen) = ([0; 2], 0);
        self.free = (0..ENTRIES / 2).collect();
        self.answers.clear();
    }

    pub fn register(&self, offset: u64, bytes: &[u8]) {
        self.device.lock().write(0, offset, bytes);
    }

    pub fn status(&self) -> u8 {
        let mut status = [0];
        self.device.lock().read(0, 20, &mut status);
        status[0]
    }

    pub fn put(&self, address: u64, bytes: &[u8]) {
        self.ram.write_all_at(bytes, address - RAM).unwrap();
    }

    pub fn get(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.ram.read_exact_at(&mut bytes, address - RAM).unwrap();
        bytes
    }

    pub fn descriptor(
        &self,
        queue: u16,
        index: u16,
        address: u64,
        length: u32,
        flags: u16,
        next: u16,
    ) {
        let base = RAM + u64::from(queue) * QUEUE_BYTES + 16 * u64::from(index);
        self.put(base, &descriptor(address, length, flags, next));
    }

    /// Makes a chain available and rings the bell.
    pub fn offer(&mut self, queue: u16, head: u16) {
        let ring = RAM + u64::from(queue) * QUEUE_BYTES + AVAILABLE;
        let next = &mut self.next[usize::from(queue)];
        let at = ring + 4 + 2 * u64::from(*next % ENTRIES);
        *next = next.wrapping_add(1);
        let index = *next;
        self.put(at, &head.to_le_bytes());
        self.put(ring + 2, &index.to_le_bytes());
        self.register(NOTIFY + 4 * u64::from(queue), &queue.to_le_bytes());
    }

    /// Sends a request with room for an answer, by turns in direct and in indirect descriptors.
    pub fn send(&mut self, request: &[u8]) -> Sent {
        let slot = self.free.pop().expect("a free buffer");
        let request_at = BUFFERS + u64::from(slot) * 2 * BUFFER_BYTES;
        let answer_at = request_at + BUFFER_BYTES;
        assert!(request.len() <= BUFFER_BYTES as usize);
        self.put(request_at, request);
        let (head, length) = (slot * 2, request.len() as u32);
        if slot.is_multiple_of(2) {
            self.descriptor(0, head, request_at, length, 1, head + 1);
            self.descriptor(0, head + 1, answer_at, 512, 2, 0);
        } else {
            let table = INDIRECT + u64::from(slot) * 64;
            self.put(table, &descriptor(request_at, length, 1, 1));
            self.put(table + 16, &descriptor(answer_at, 512, 2, 0));
            self.descriptor(0, head, table, 32, 4, 0);
        }
        self.offer(0, head);
        Sent(slot)
    }

    /// Collects the answers that there are.
    pub fn collect(&mut self) {
        let ring = RAM + USED;
        let index = u16::from_le_bytes(self.get(ring + 2, 2).try_into().unwrap());
        while self.seen != index {
            let entry = self.get(ring + 4 + 8 * u64::from(self.seen % ENTRIES), 8);
            let head = u32::from_le_bytes(entry[..4].try_into().unwrap()) as u16;
            let length = u32::from_le_bytes(entry[4..].try_into().unwrap()) as usize;
            let slot = head / 2;
            let at = BUFFERS + u64::from(slot) * 2 * BUFFER_BYTES + BUFFER_BYTES;
            let answer = self.get(at, length);
            assert!(
                self.answers.insert(slot, answer).is_none(),
                "answered twice"
            );
            self.seen = self.seen.wrapping_add(1);
        }
    }

    /// With EVENT_IDX: the driver wants to be interrupted when the answer of this number (from 0) is there.
    pub fn want_interrupt_at(&self, answer: u16) {
        let ring = RAM + AVAILABLE;
        self.put(ring + 4 + 2 * u64::from(ENTRIES), &answer.to_le_bytes());
    }

    /// With EVENT_IDX: the number of the request at which the device wants to hear the bell.
    pub fn bell_wanted_at(&self) -> u16 {
        let ring = RAM + USED;
        let bytes = self.get(ring + 4 + 8 * u64::from(ENTRIES), 2);
        u16::from_le_bytes(bytes.try_into().unwrap())
    }

    /// How often the driver was interrupted since it was asked last.
    pub fn interrupts(&self) -> u64 {
        let mut count = [0; 8];
        let read = rustix::io::read(&self.interrupt, &mut count);
        read.map_or(0, |_| u64::from_ne_bytes(count))
    }

    pub fn try_answer(&mut self, sent: Sent) -> Option<Vec<u8>> {
        self.collect();
        let answer = self.answers.remove(&sent.0)?;
        self.free.push(sent.0);
        Some(answer)
    }

    /// Waits for the interrupt that brings the answer.
    pub fn answer(&mut self, sent: Sent) -> Vec<u8> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(answer) = self.try_answer(sent) {
                return answer;
            }
            assert!(Instant::now() < deadline, "no answer");
            let mut waited = [PollFd::new(&self.interrupt, PollFlags::IN)];
            let second = Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            };
            poll(&mut waited, Some(&second)).unwrap();
            let _ = rustix::io::read(&self.interrupt, &mut [0; 8]);
        }
    }

    /// A command that is answered at once, and the kind of its answer.
    pub fn call(&mut self, kind: u32, words: &[u32]) -> u32 {
        let sent = self.send(&command(kind, words));
        kind_of(&self.answer(sent))
    }

    pub fn submit(&mut self, message: &[u8], ring: Option<u8>) -> Sent {
        self.fence += 1;
        let flags = if ring.is_some() { 3u32 } else { 0 };
        let mut request = command(0x207, &[message.len() as u32, 0]);
        request[4..8].copy_from_slice(&flags.to_le_bytes());
        request[8..16].copy_from_slice(&self.fence.to_le_bytes());
        request[20] = ring.unwrap_or(0);
        request.extend(message);
        self.send(&request)
    }

    /// A message that is executed at once, and the kind of its answer.
    pub fn run(&mut self, message: &[u8]) -> u32 {
        let sent = self.submit(message, Some(0));
        kind_of(&self.answer(sent))
    }

    pub fn poll(&mut self) -> Sent {
        self.submit(&cross(3, &[], &[]), Some(1))
    }

    /// Where the pages of a ring are.
    pub fn ring(number: u32) -> u64 {
        RAM + 0x8_0000 + u64::from(number) * 0x2000
    }

    /// A ring in two parts that are apart.
    pub fn add_ring(&mut self, resource: u32) {
        let at = Self::ring(resource);
        let mut request = command(0x10c, &[resource, 1, 1, 2, 0, 0, 4096, 0]);
        for (address, length) in [(at, 1024u32), (at + 0x1000, 3072)] {
            request.extend(address.to_le_bytes());
            request.extend([length, 0].iter().flat_map(|word| word.to_le_bytes()));
        }
        let sent = self.send(&request);
        assert_eq!(kind_of(&self.answer(sent)), 0x1100);
        assert_eq!(self.call(0x202, &[resource, 0]), 0x1100);
    }

    pub fn read_ring(&self, resource: u32, length: usize) -> Vec<u8> {
        let at = Self::ring(resource);
        let mut bytes = self.get(at, length.min(1024));
        bytes.extend(self.get(at + 0x1000, length.saturating_sub(1024)));
        bytes
    }

    /// A context with a channel, and the lens's end of it.
    pub fn open(&mut self) -> UnixStream {
        assert_eq!(self.call(0x200, &[0, 5]), 0x1100);
        self.add_ring(QUERY);
        self.add_ring(CHANNEL);
        assert_eq!(self.run(&cross(1, &[QUERY, CHANNEL, 1], &[])), 0x1100);
        self.lens.accept().unwrap().0
    }

    /// The number that blobs of so many bytes are made from.
    pub fn requirements(&mut self, width: u32, height: u32) -> (u64, u32) {
        let format = u32::from_le_bytes(*b"R8  ");
        assert_eq!(
            self.run(&cross(2, &[width, height, format, 0], &[])),
            0x1100
        );
        let answer = self.read_ring(QUERY, 64);
        (long(&answer, 40), word(&answer, 48))
    }

    pub fn create_host(&mut self, resource: u32, id: u32, size: u64) -> u32 {
        let words = [resource, 2, 1, 0, id, 0, size as u32, (size >> 32) as u32];
        self.call(0x10c, &words)
    }

    pub fn map(&mut self, resource: u32, offset: u64) -> u32 {
        self.call(0x208, &[resource, 0, offset as u32, (offset >> 32) as u32])
    }

    /// A mapped blob of `pages` pages that is attached to the context.
    pub fn add_blob(&mut self, resource: u32, pages: u32, offset: u64) {
        let (size, id) = self.requirements(4096, pages);
        assert_eq!(self.create_host(resource, id, size), 0x1100);
        assert_eq!(self.call(0x202, &[resource, 0]), 0x1100);
        assert_eq!(self.map(resource, offset), 0x1106);
    }
}

fn descriptor(address: u64, length: u32, flags: u16, next: u16) -> Vec<u8> {
    let mut bytes = address.to_le_bytes().to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend([flags, next].iter().flat_map(|half| half.to_le_bytes()));
    bytes
}

/// A command of the context.
pub fn command(kind: u32, words: &[u32]) -> Vec<u8> {
    let mut bytes = [kind, 0, 0, 0, CONTEXT, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect::<Vec<_>>();
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes
}

/// A cross-domain message.
pub fn cross(kind: u8, words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let size = (8 + 4 * words.len() + bytes.len()) as u16;
    let mut message = vec![
        kind,
        0,
        size.to_le_bytes()[0],
        size.to_le_bytes()[1],
        0,
        0,
        0,
        0,
    ];
    message.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    message.extend(bytes);
    message
}

/// A SEND with identifiers: numbers and kinds.
pub fn send(identifiers: &[(u32, u32)], bytes: &[u8]) -> Vec<u8> {
    let mut words = vec![0; 2 + 3 * 28];
    (words[0], words[1]) = (identifiers.len() as u32, bytes.len() as u32);
    for (index, (number, kind)) in identifiers.iter().enumerate() {
        (words[2 + index], words[30 + index]) = (*number, *kind);
    }
    cross(4, &words, bytes)
}

pub fn kind_of(answer: &[u8]) -> u32 {
    word(answer, 0)
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
