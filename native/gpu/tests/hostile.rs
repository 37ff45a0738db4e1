//! A driver that lies at random: configuration, registers, queues, requests and memory. The device goes on, or asks to be reset.
//!
//! CLOCHE_FUZZ_SECONDS runs it longer, CLOCHE_FUZZ_SEED repeats one run.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    env,
    fs::File,
    io::{IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    time::{Duration, Instant},
};

use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use support::{CHANNEL, CONTEXT, Driver, ENTRIES, QUERY, RAM, RAM_BYTES, command, cross};

const DEFAULT_SECONDS: u64 = 3;

/// xorshift64*, which is all the chance that is needed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Mostly near something that matters.
    fn number(&mut self) -> u64 {
        let near = [
            0,
            1,
            4096,
            RAM,
            RAM + RAM_BYTES,
            1 << 31,
            1 << 32,
            u64::MAX,
            0x8000_0000,
            16 << 20,
        ];
        match self.below(4) {
            0 => self.next(),
            1 => self.below(64),
            _ => near[self.below(near.len() as u64) as usize]
                .wrapping_add(self.below(17))
                .wrapping_sub(8),
        }
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }
}

fn message(chance: &mut Chance) -> Vec<u8> {
    let kind = [1, 2, 3, 4, 7, 0xc0, 0, 99][chance.below(8) as usize];
    let length = [3, 4, 86, 86, 4, 2, 1, 0][chance.below(8) as usize];
    let mut words: Vec<u32> = (0..length).map(|_| chance.number() as u32).collect();
    if kind == 4 && words.len() > 58 {
        words[0] = chance.below(31) as u32;
        words[1] = chance.below(200) as u32;
        for at in 0..28 {
            words[2 + at] = [10, 11, 12, 0x8000_0001][chance.below(4) as usize];
            words[30 + at] = chance.below(5) as u32;
        }
    }
    if kind == 2 && words.len() > 2 {
        words[2] = u32::from_le_bytes(*b"R8  ");
    }
    if kind == 7 && words.len() > 3 {
        words[0] = chance.below(8) as u32;
        words[1] = u32::from(chance.below(8) == 0);
        words[2] = 200;
    }
    let mut bytes = cross(kind, &words, &chance.bytes(300));
    if chance.below(8) == 0 {
        let at = chance.below(bytes.len() as u64) as usize;
        bytes[at] = chance.next() as u8;
    }
    bytes
}

fn request(chance: &mut Chance) -> Vec<u8> {
    let kinds = [
        0x100, 0x102, 0x108, 0x109, 0x10c, 0x200, 0x201, 0x202, 0x203, 0x207, 0x207, 0x207, 0x208,
        0x209, 0x101, 0x205,
    ];
    let kind = kinds[chance.below(kinds.len() as u64) as usize];
    let words: Vec<u32> = (0..chance.below(12))
        .map(|_| chance.number() as u32)
        .collect();
    let mut bytes = command(kind, &words);
    if kind == 0x207 {
        let body = message(chance);
        bytes.truncate(24);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes[4] = chance.below(4) as u8;
        bytes[20] = chance.below(3) as u8;
    }
    if chance.below(6) == 0 {
        bytes[16..20].copy_from_slice(&(chance.number() as u32).to_le_bytes());
    }
    if chance.below(10) == 0 {
        bytes.truncate(chance.below(bytes.len() as u64) as usize);
    }
    bytes
}

/// A chain of up to eight descriptors, some of which point at a request.
fn offer(driver: &mut Driver, chance: &mut Chance) {
    let at = RAM + 0x10_0000 + chance.below(256) * 0x4000;
    let bytes = request(chance);
    driver.put(at, &bytes);
    let head = chance.below(ENTRIES.into()) as u16;
    let mut index = head;
    for part in 0..1 + chance.below(4) {
        let next = chance.below(ENTRIES.into()) as u16;
        let flags = [1, 1, 2, 3, 0, 4, 5][chance.below(7) as usize];
        let (address, length) = match (part, chance.below(4)) {
            (0, _) => (at, bytes.len() as u32),
            (_, 0) => (chance.number(), chance.number() as u32),
            _ => (at + 0x2000, 512),
        };
        driver.descriptor(0, index, address, length, flags, next);
        index = next;
    }
    let queue = u16::from(chance.below(16) == 0);
    driver.offer(queue, head);
}

fn step(driver: &mut Driver, chance: &mut Chance) {
    match chance.below(40) {
        0 => {
            let data = chance.bytes(9);
            driver.device.lock().write(7, chance.number(), &data);
        }
        1 => {
            let data = chance.bytes(9);
            driver.device.lock().write(0, chance.below(0x9000), &data);
        }
        2 => {
            let mut data = chance.bytes(64);
            let region = chance.below(9) as u32;
            driver
                .device
                .lock()
                .read(region, chance.number(), &mut data);
        }
        3 => driver
            .ram
            .write_all_at(&chance.bytes(64), chance.below(0x2_0000))
            .unwrap(),
        4 => {
            let file = driver.ram.try_clone().unwrap();
            let (address, size) = (chance.number(), chance.number() % (RAM_BYTES * 2));
            let _ = driver
                .device
                .lock()
                .map(address, size, file, chance.number());
        }
        5 => {
            let (address, size) = (chance.number(), chance.number());
            let _ = driver.device.lock().unmap(address, size);
        }
        6 => {
            let ring = RAM + 0x4000;
            driver.put(ring + 2, &(chance.next() as u16).to_le_bytes());
        }
        _ => offer(driver, chance),
    }
}

/// Descriptors of every kind, some of which no guest may have.
fn give(lens: &UnixStream, chance: &mut Chance) {
    let mut descriptors: Vec<OwnedFd> = Vec::new();
    let mut kept: Vec<OwnedFd> = Vec::new();
    for _ in 0..chance.below(4) {
        match chance.below(8) {
            0 | 1 => {
                let (reader, writer) = std::io::pipe().unwrap();
                descriptors.push(writer.into());
                kept.push(reader.into());
            }
            2 => descriptors.push(std::io::pipe().unwrap().1.into()),
            3 => descriptors.push(UnixStream::pair().unwrap().0.into()),
            4 => descriptors.push(File::open("/").unwrap().into()),
            5 => descriptors.push(File::open("/dev/zero").unwrap().into()),
            _ => {
                let file = memfd_create("file", MemfdFlags::CLOEXEC).unwrap();
                ftruncate(&file, chance.number() % (32 << 20)).unwrap();
                descriptors.push(file);
            }
        }
    }
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&borrowed));
    let bytes = chance.bytes(100);
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _ = sendmsg(lens, &[IoSlice::new(&bytes)], &mut control, flags);
}

/// Connections that the last contexts made, and nobody took.
fn forget_connections(driver: &Driver) {
    driver.device.lock().reset();
    driver.lens.set_nonblocking(true).unwrap();
    while driver.lens.accept().is_ok() {}
    driver.lens.set_nonblocking(false).unwrap();
}

fn count_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A context with everything that a request could go wrong with.
fn prepare(driver: &mut Driver) -> UnixStream {
    driver.start();
    let lens = driver.open();
    for (resource, offset) in [(10, 0), (11, 0x4000)] {
        driver.add_blob(resource, 2, offset);
    }
    lens
}

fn is_soon(condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while !condition() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    condition()
}

#[test]
fn nothing_that_a_driver_does_ends_the_process_or_another_drivers_device() {
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    let seconds = number("CLOCHE_FUZZ_SECONDS").unwrap_or(DEFAULT_SECONDS);
    let seed = number("CLOCHE_FUZZ_SEED");
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut round = seed.unwrap_or(1);
    let before = count_descriptors();
    while Instant::now() < end {
        println!("CLOCHE_FUZZ_SEED={round}");
        let mut chance = Chance(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut driver = Driver::new();
        let mut lens = prepare(&mut driver);
        lens.set_nonblocking(true).unwrap();
        for _ in 0..400 {
            step(&mut driver, &mut chance);
            match chance.below(200) {
                0..4 => drop(lens.write(&chance.bytes(2000))),
                4..10 => give(&lens, &mut chance),
                10..14 => drop(lens.read(&mut [0; 4096])),
                14 => {
                    forget_connections(&driver);
                    let ram = driver.ram.try_clone().unwrap();
                    let _ = driver.device.lock().unmap(0, u64::MAX);
                    driver.device.lock().map(RAM, RAM_BYTES, ram, 0).unwrap();
                    lens = prepare(&mut driver);
                    lens.set_nonblocking(true).unwrap();
                }
                _ => {}
            }
        }
        // Whatever it did: after a reset and with its memory back, it is a device again.
        let ram = driver.ram.try_clone().unwrap();
        let _ = driver.device.lock().unmap(0, u64::MAX);
        driver.device.lock().map(RAM, RAM_BYTES, ram, 0).unwrap();
        forget_connections(&driver);
        prepare(&mut driver);
        assert_eq!(
            driver.call(0x201, &[]),
            0x1100,
            "{CONTEXT} {QUERY} {CHANNEL}"
        );
        drop((driver, lens));
        assert!(
            is_soon(|| count_descriptors() <= before),
            "descriptors are left"
        );
        round = if seed.is_some() { round } else { round + 1 };
    }
}
