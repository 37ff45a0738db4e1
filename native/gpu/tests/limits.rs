//! What a driver or a monitor can't do to the device: hold it up, fill its memory, or lose an answer.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs::{File, OpenOptions},
    io::{IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use support::{CHANNEL, CONTEXT, Driver, ENTRIES, RAM, RAM_BYTES, command, cross, word};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend};

const NEEDS_RESET: u8 = 0x40;
const AVAILABLE: u64 = RAM + 0x4000;
const USED: u64 = RAM + 0x8000;

fn give(lens: &UnixStream, descriptor: BorrowedFd<'_>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(
        lens,
        &[IoSlice::new(b"x")],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
}

/// The guest's number for what the lens hands over.
fn receive_item(driver: &mut Driver, lens: &UnixStream, descriptor: BorrowedFd<'_>) -> u32 {
    give(lens, descriptor);
    let poll = driver.poll();
    driver.answer(poll);
    word(&driver.read_ring(CHANNEL, 360), 16)
}

/// Whether the device says within a moment that it has to be reset.
fn asks_for_reset(driver: &Driver) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        if driver.status() & NEEDS_RESET != 0 {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_request_that_is_offered_again_and_again_is_not_kept_again_and_again() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let poll = driver.poll();
    // Its answer waits for an event, and all that time the driver offers it once more.
    for _ in 0..u32::from(ENTRIES) * 2 {
        driver.offer(0, poll.0 * 2);
    }
    assert!(asks_for_reset(&driver));
    driver.start();
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
}

#[test]
fn a_device_that_has_to_be_reset_has_let_go_of_the_lens() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    driver.put(AVAILABLE + 2, &0x7000u16.to_le_bytes());
    driver.register(0x3000, &[0, 0]);
    assert!(asks_for_reset(&driver));
    lens.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(lens.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_driver_that_never_stops_does_not_keep_the_monitor_waiting() {
    let mut driver = Driver::new();
    let sent = driver.send(&command(0x108, &[0, 0]));
    driver.answer(sent);
    for at in 0..ENTRIES {
        driver.put(
            AVAILABLE + 4 + 2 * u64::from(at),
            &(sent.0 * 2).to_le_bytes(),
        );
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let (ram, stop) = (driver.ram.try_clone().unwrap(), is_over.clone());
    // There is always one more request than the device has answered.
    let busy = thread::spawn(move || {
        let mut index = [0; 2];
        while !stop.load(Ordering::Relaxed) {
            ram.read_exact_at(&mut index, USED + 2 - RAM).unwrap();
            let next = u16::from_le_bytes(index).wrapping_add(ENTRIES - 1);
            ram.write_all_at(&next.to_le_bytes(), AVAILABLE + 2 - RAM)
                .unwrap();
        }
    });
    let (told, done) = std::sync::mpsc::channel();
    let device = driver.device.clone();
    let monitor = thread::spawn(move || {
        for _ in 0..20 {
            device.lock().write(0, 0x3000, &[0, 0]);
            device.lock().read(0, 20, &mut [0]);
        }
        told.send(()).unwrap();
    });
    let has_answered = done.recv_timeout(Duration::from_secs(20)).is_ok();
    is_over.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    monitor.join().unwrap();
    assert!(has_answered);
}

#[test]
fn what_came_behind_the_turns_of_a_busy_driver_is_answered_too() {
    let mut driver = Driver::new();
    let request = command(0x108, &[0, 0]);
    for _ in 0..200 {
        let all: Vec<_> = (0..ENTRIES / 2).map(|_| driver.send(&request)).collect();
        for sent in all {
            driver.answer(sent);
        }
    }
}

#[test]
fn a_write_that_waits_is_answered_when_the_next_one_ends_the_pipe() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let id = receive_item(&mut driver, &lens, writer.as_fd());
    drop(writer);
    let write = |driver: &mut Driver, bytes: &[u8], end: u32| {
        driver.submit(&cross(7, &[id, end, bytes.len() as u32, 0], bytes), Some(0))
    };
    let mut waiting = Vec::new();
    while waiting.is_empty() {
        let sent = write(&mut driver, &[1; 4000], 0);
        if driver.try_answer(sent).is_none() {
            waiting.push(sent);
        }
    }
    // The thread that waits is held up: the next write is first to see that there is room.
    let device = driver.device.clone();
    let held = device.lock();
    reader.read_exact(&mut [0; 60_000]).unwrap();
    thread::sleep(Duration::from_millis(50));
    drop(held);
    waiting.push(write(&mut driver, &[], 1));
    for sent in waiting {
        driver.answer(sent);
    }
}

#[test]
fn a_write_that_waits_is_answered_when_the_reader_is_gone_at_the_next() {
    for _ in 0..20 {
        let mut driver = Driver::new();
        let lens = driver.open();
        let (reader, writer) = std::io::pipe().unwrap();
        let id = receive_item(&mut driver, &lens, writer.as_fd());
        drop(writer);
        let message = cross(7, &[id, 0, 4000, 0], &[1; 4000]);
        let mut all: Vec<_> = (0..20).map(|_| driver.submit(&message, Some(0))).collect();
        drop(reader);
        all.extend((0..5).map(|_| driver.submit(&message, Some(0))));
        for sent in all {
            driver.answer(sent);
        }
    }
}

#[test]
fn a_pipe_that_is_written_without_patience_is_lost_and_every_write_answered() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let (_reader, writer) = std::io::pipe().unwrap();
    let id = receive_item(&mut driver, &lens, writer.as_fd());
    let bytes = vec![1; 12_000];
    let message = cross(7, &[id, 0, bytes.len() as u32, 0], &bytes);
    // Unfenced writes are answered at once, whether the host has taken them or not.
    for _ in 0..100 {
        let sent = driver.submit(&message, None);
        driver.answer(sent);
    }
    let sent = driver.submit(&message, Some(0));
    driver.answer(sent);
}

#[test]
fn a_file_that_cannot_be_read_takes_no_place_in_the_window() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let path = std::env::temp_dir().join(format!("cloche-gpu-unreadable-{}", std::process::id()));
    std::fs::write(&path, [1; 100]).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let id = receive_item(&mut driver, &lens, file.as_fd());
    assert_eq!(driver.create_host(10, id, 4096), 0x1100);
    assert_eq!(driver.map(10, 0), 0x1201);
    driver.add_blob(11, 1, 0);
}

#[test]
fn a_monitor_that_fires_or_masks_an_interrupt_does_not_take_it_away() {
    let mut driver = Driver::new();
    let mut device = driver.device.clone();
    const NONE: u32 = 1;
    const MASK: u32 = 8;
    const TRIGGER: u32 = 32;
    for flags in [NONE | MASK, NONE | TRIGGER, 16 | NONE] {
        device.set_irqs(2, flags, 0, 3, Vec::new()).unwrap();
    }
    device
        .set_irqs(1, NONE | TRIGGER, 0, 0, Vec::new())
        .unwrap();
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
    device
        .set_irqs(2, 4 | TRIGGER, u32::MAX, u32::MAX, Vec::new())
        .unwrap();
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
}

#[test]
fn memory_that_is_not_to_be_written_is_none_of_the_devices() {
    let driver = Driver::new();
    let mut device = driver.device.clone();
    let rom = || Some(driver.ram.try_clone().unwrap());
    let at = RAM + RAM_BYTES;
    device
        .dma_map(DmaMapFlags::READ, 0, at, 4096, rom())
        .unwrap();
    // Nothing is there: other memory can take the place.
    device
        .dma_map(DmaMapFlags::READ_WRITE, 0, at, 4096, rom())
        .unwrap();
    assert!(
        device
            .dma_map(DmaMapFlags::READ_WRITE, 0, at, 4096, rom())
            .is_err()
    );
}

#[test]
fn all_memory_in_a_range_is_unmapped_and_all_there_is() {
    for all in [false, true] {
        let mut driver = Driver::new();
        let mut device = driver.device.clone();
        let file = driver.ram.try_clone().unwrap();
        let next = RAM + RAM_BYTES;
        device
            .dma_map(DmaMapFlags::READ_WRITE, 0, next, 4096, Some(file))
            .unwrap();
        let (flags, address, size) = match all {
            true => (DmaUnmapFlags::UNMAP_ALL, 0, 0),
            false => (DmaUnmapFlags::empty(), 0, u64::MAX),
        };
        device.dma_unmap(flags, address, size).unwrap();
        driver.send(&command(0x108, &[0, 0]));
        assert!(asks_for_reset(&driver));
        let file: File = driver.ram.try_clone().unwrap();
        device.lock().map(RAM, RAM_BYTES, file, 0).unwrap();
        driver.start();
        assert_eq!(driver.call(0x108, &[0, 0]), 0x1102, "{CONTEXT}");
    }
}

#[test]
fn a_vector_that_there_is_none_of_reads_as_none() {
    let driver = Driver::new();
    let read = |offset| {
        let mut bytes = [0; 2];
        driver.device.lock().read(0, offset, &mut bytes);
        u16::from_le_bytes(bytes)
    };
    for (offset, vector, seen) in [(26, 2, 2), (26, 3, 0xffff), (16, 0, 0), (16, 900, 0xffff)] {
        driver.register(offset, &u16::to_le_bytes(vector));
        assert_eq!(read(offset), seen);
    }
}

#[test]
fn a_driver_of_the_time_before_version_1_is_not_taken() {
    let driver = Driver::new();
    driver.register(20, &[0]);
    driver.register(20, &[3]);
    driver.register(8, &1u32.to_le_bytes());
    driver.register(12, &0u32.to_le_bytes());
    driver.register(20, &[11]);
    assert_eq!(driver.status(), 3);
    driver.register(12, &1u32.to_le_bytes());
    driver.register(20, &[11]);
    assert_eq!(driver.status(), 11);
}

#[test]
fn a_lens_that_says_much_is_heard_no_faster_than_it_is_asked() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    lens.set_nonblocking(true).unwrap();
    let mut said = 0;
    while let Ok(count) = lens.write(&[1; 65536]) {
        said += count;
    }
    assert!(
        said < 4 << 20,
        "{said} bytes are kept that nobody asked for"
    );
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
}
