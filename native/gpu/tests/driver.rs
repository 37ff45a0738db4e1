//! The device against a scripted driver and a scripted lens.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs::File,
    io::{IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
};

use rustix::{
    fs::{MemfdFlags, fstat, memfd_create},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};
use support::{
    CHANNEL, Driver, ENTRIES, QUERY, RAM, RAM_BYTES, WINDOW_BYTES, command, cross, kind_of, long,
    send, word,
};

fn receive(lens: &UnixStream, bytes: &mut [u8]) -> (usize, Vec<OwnedFd>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let read = recvmsg(
        lens,
        &mut [IoSliceMut::new(bytes)],
        &mut control,
        RecvFlags::empty(),
    )
    .unwrap();
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    (read.bytes, descriptors)
}

fn give(lens: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
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

fn file(content: &[u8]) -> File {
    let file = File::from(memfd_create("keymap", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(content, 0).unwrap();
    file
}

#[test]
fn there_is_one_capability_set_and_no_display() {
    let mut driver = Driver::new();
    let sent = driver.send(&command(0x108, &[0, 0]));
    let info = driver.answer(sent);
    assert_eq!([24, 28, 32].map(|at| word(&info, at)), [5, 0, 20]);
    let sent = driver.send(&command(0x109, &[5, 0]));
    let answer = driver.answer(sent);
    assert_eq!(
        [24, 28, 32, 36, 40].map(|at| word(&answer, at)),
        [1, 2, 0, 0, 3]
    );
    let sent = driver.send(&command(0x100, &[]));
    let displays = driver.answer(sent);
    assert!(displays.len() == 24 + 384 && displays[24..].iter().all(|byte| *byte == 0));
}

#[test]
fn bytes_go_to_the_lens_and_come_back_in_the_ring() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    assert_eq!(driver.run(&send(&[], b"hello")), 0x1100);
    let mut bytes = [0; 5];
    lens.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");

    let poll = driver.poll();
    assert_eq!(driver.try_answer(poll), None);
    // In two pieces: what has come is handed on, whole messages or not.
    lens.write_all(b"wor").unwrap();
    let answer = driver.answer(poll);
    assert_eq!(
        (kind_of(&answer), word(&answer, 4), answer[20]),
        (0x1100, 3, 1)
    );
    let ring = driver.read_ring(CHANNEL, 360);
    assert_eq!(
        (ring[0], word(&ring, 8), word(&ring, 12), &ring[352..355]),
        (5, 0, 3, &b"wor"[..])
    );
    lens.write_all(b"ld").unwrap();
    let poll = driver.poll();
    driver.answer(poll);
    assert_eq!(&driver.read_ring(CHANNEL, 354)[352..], b"ld");
}

#[test]
fn rings_of_the_queue_wrap_around() {
    let mut driver = Driver::new();
    for round in 0..u32::from(ENTRIES) * 5 {
        assert_eq!(driver.call(0x108, &[0, round]), 0x1102);
    }
    for _ in 0..70_000 {
        let sent = driver.send(&command(0x108, &[0, 0]));
        driver.answer(sent);
    }
}

#[test]
fn a_long_message_is_handed_on_in_pieces_that_fit_the_ring() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    let content: Vec<u8> = (0..10_000).map(|at| at as u8).collect();
    lens.write_all(&content).unwrap();
    let mut seen: Vec<u8> = Vec::new();
    while seen.len() < content.len() {
        let poll = driver.poll();
        driver.answer(poll);
        let ring = driver.read_ring(CHANNEL, 4096);
        let length = word(&ring, 12) as usize;
        assert!(length <= 4096 - 352);
        seen.extend(&ring[352..352 + length]);
    }
    assert_eq!(seen, content);
}

#[test]
fn a_blob_is_a_place_in_the_window_that_the_lens_gets() {
    let mut driver = Driver::new();
    let lens = driver.open();
    driver.add_blob(10, 3, 0x4000);
    assert_eq!(driver.run(&cross(0xc0, &[10, 0], &[])), 0x1100);
    let answer = driver.read_ring(QUERY, 16);
    assert_eq!((long(&answer, 0), long(&answer, 8)), (0x4000, WINDOW_BYTES));

    assert_eq!(driver.run(&send(&[(10, 1)], b"pool")), 0x1100);
    let (_, descriptors) = receive(&lens, &mut [0; 16]);
    let info = fstat(&descriptors[0]).unwrap();
    assert_eq!(info.st_size, WINDOW_BYTES as i64);
    assert!(rustix::fs::ftruncate(&descriptors[0], 0).is_err());
}

#[test]
fn a_blob_that_is_not_mapped_or_not_the_contexts_is_not_sent() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let (size, id) = driver.requirements(4096, 1);
    assert_eq!(driver.create_host(10, id, size), 0x1100);
    assert_eq!(driver.run(&send(&[(10, 1)], b"x")), 0x1203);
    assert_eq!(driver.map(10, 0), 0x1106);
    assert_eq!(driver.run(&send(&[(10, 1)], b"x")), 0x1203);
    assert_eq!(driver.run(&cross(0xc0, &[10, 0], &[])), 0x1100);
    assert_eq!(long(&driver.read_ring(QUERY, 16), 8), 0);
    assert_eq!(driver.call(0x202, &[10, 0]), 0x1100);
    assert_eq!(driver.run(&send(&[(10, 1)], b"x")), 0x1100);
}

#[test]
fn blobs_lie_in_the_window_and_not_on_each_other() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let (size, id) = driver.requirements(4096, 4);
    for resource in 10..15 {
        assert_eq!(driver.create_host(resource, id, size), 0x1100);
    }
    assert_eq!(driver.create_host(10, id, size), 0x1205);
    assert_eq!(driver.create_host(20, id, size + 4096), 0x1205);
    assert_eq!(driver.create_host(20, id + 5, size), 0x1205);
    assert_eq!(driver.map(10, 0x4000), 0x1106);
    for wrong in [
        0x4000,
        0x7000,
        0x1000,
        0x8001,
        WINDOW_BYTES,
        WINDOW_BYTES - 0x1000,
        u64::MAX - 0xfff,
    ] {
        assert_eq!(driver.map(11, wrong), 0x1205);
    }
    assert_eq!(driver.map(10, 0x10000), 0x1203);
    assert_eq!(driver.map(99, 0x10000), 0x1203);
    assert_eq!(driver.map(11, 0x8000), 0x1106);
    assert_eq!(driver.call(0x209, &[10, 0]), 0x1100);
    assert_eq!(driver.call(0x209, &[10, 0]), 0x1203);
    assert_eq!(driver.map(12, 0x4000), 0x1106);
    assert_eq!(driver.call(0x102, &[12, 0]), 0x1100);
    assert_eq!(driver.map(13, 0x4000), 0x1106);
}

#[test]
fn a_keymap_is_copied_into_the_window() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let keymap = file(&[7; 5000]);
    let poll = driver.poll();
    give(&lens, b"keymap", &[keymap.as_fd()]);
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 352);
    let (kind, id, size) = (
        word(&ring, 16 + 28 * 4),
        word(&ring, 16),
        word(&ring, 16 + 56 * 4),
    );
    assert_eq!((word(&ring, 8), kind, size), (1, 1, 5000));
    assert_eq!(driver.create_host(10, id, 8192), 0x1100);
    // The file is taken by the first blob.
    assert_eq!(driver.create_host(11, id, 8192), 0x1205);
    keymap.set_len(4500).unwrap();
    assert_eq!(driver.map(10, 0), 0x1106);
    assert_eq!(driver.call(0x202, &[10, 0]), 0x1100);
    assert_eq!(driver.run(&send(&[(10, 1)], b"x")), 0x1100);
    let (_, descriptors) = receive(&lens, &mut [0; 1]);
    let mut seen = [1; 5000];
    File::from(descriptors[0].try_clone().unwrap())
        .read_exact_at(&mut seen, 0)
        .unwrap();
    assert_eq!((seen[4499], seen[4500]), (7, 0));
}

#[test]
fn twenty_eight_descriptors_come_and_go_and_more_close_the_channel() {
    let mut driver = Driver::new();
    let lens = driver.open();
    driver.add_blob(10, 1, 0);
    assert_eq!(driver.run(&send(&[(10, 1); 28], b"many")), 0x1100);
    assert_eq!(receive(&lens, &mut [0; 4]).1.len(), 28);
    let mut words = vec![0; 86];
    words[0] = 29;
    assert_eq!(driver.run(&cross(4, &words, &[])), 0x1205);

    let files: Vec<_> = (0..29).map(|_| file(b"x")).collect();
    let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let poll = driver.poll();
    give(&lens, b"x", &borrowed[..28]);
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 352);
    assert_eq!(word(&ring, 8), 28);
    assert_eq!(
        (0..28)
            .map(|at| word(&ring, 16 + 4 * at))
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        28
    );

    let poll = driver.poll();
    give(&lens, b"x", &borrowed);
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 16);
    assert_eq!((ring[0], word(&ring, 8), word(&ring, 12)), (5, 0, 0));
}

#[test]
fn what_is_no_file_and_no_pipe_closes_the_channel() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let poll = driver.poll();
    give(&lens, b"x", &[File::open("/").unwrap().as_fd()]);
    driver.answer(poll);
    assert_eq!(driver.read_ring(CHANNEL, 16)[8..], [0; 8]);
    // Told once; then there is nothing to tell.
    let poll = driver.poll();
    assert_eq!(driver.try_answer(poll), None);
}

#[test]
fn what_nobody_waits_for_interrupts_nobody_until_there_is_much_of_it() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    driver.interrupts();
    let message = send(&[], b"x");
    for _ in 0..31 {
        let sent = driver.submit(&message, None);
        assert!(driver.try_answer(sent).is_some());
    }
    assert_eq!(driver.interrupts(), 0);
    driver.submit(&message, None);
    assert_eq!(driver.interrupts(), 1);
    driver.submit(&message, None);
    assert_eq!(driver.interrupts(), 0);
    driver.submit(&message, Some(0));
    assert_eq!(driver.interrupts(), 1);
}

#[test]
fn the_end_of_the_lens_is_told() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    lens.write_all(b"last").unwrap();
    drop(lens);
    let poll = driver.poll();
    driver.answer(poll);
    assert_eq!(word(&driver.read_ring(CHANNEL, 16), 12), 4);
    let poll = driver.poll();
    driver.answer(poll);
    assert_eq!(
        driver.read_ring(CHANNEL, 16),
        [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(driver.run(&send(&[], b"too late")), 0x1100);
}

#[test]
fn without_a_lens_there_is_no_channel() {
    let mut driver = Driver::new();
    let (_, gone) = (driver.open(), ());
    assert_eq!(gone, ());
    assert_eq!(driver.call(0x201, &[]), 0x1100);
    let address = driver.lens.local_addr().unwrap();
    std::fs::remove_file(address.as_pathname().unwrap()).unwrap();
    assert_eq!(driver.call(0x200, &[0, 5]), 0x1100);
    assert_eq!(driver.call(0x202, &[QUERY, 0]), 0x1100);
    assert_eq!(driver.call(0x202, &[CHANNEL, 0]), 0x1100);
    assert_eq!(driver.run(&cross(1, &[QUERY, CHANNEL, 1], &[])), 0x1200);
}

#[test]
fn a_pipe_that_the_host_writes_is_read_while_the_guest_asks() {
    let mut driver = Driver::new();
    let lens = driver.open();
    assert_eq!(driver.run(&send(&[(0x8000_0005, 3)], b"x")), 0x1205);
    assert_eq!(driver.run(&send(&[(0x8000_0001, 3)], b"x")), 0x1100);
    let (_, descriptors) = receive(&lens, &mut [0; 1]);
    let mut pipe = File::from(descriptors.into_iter().next().unwrap());
    let poll = driver.poll();
    pipe.write_all(b"pasted").unwrap();
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 30);
    assert_eq!(
        (ring[0], word(&ring, 8), word(&ring, 12), &ring[24..]),
        (6, 0x8000_0001, 0, &b"pasted"[..])
    );
    drop(pipe);
    let poll = driver.poll();
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 24);
    assert_eq!((ring[0], word(&ring, 12), word(&ring, 16)), (6, 1, 0));
    assert_eq!(driver.run(&send(&[(0x8000_0002, 3)], b"x")), 0x1100);
}

#[test]
fn a_write_is_done_when_the_host_has_taken_it() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let poll = driver.poll();
    give(&lens, b"x", &[writer.as_fd()]);
    drop(writer);
    driver.answer(poll);
    let ring = driver.read_ring(CHANNEL, 352);
    let (kind, id) = (word(&ring, 16 + 28 * 4), word(&ring, 16));
    assert_eq!(kind, 4);

    // A pipe holds 64 KiB; what is more waits for the reader.
    let chunk = [9; 4000];
    let mut done = 0;
    let stalled = loop {
        let sent = driver.submit(&cross(7, &[id, 0, 4000, 0], &chunk), Some(0));
        match driver.try_answer(sent) {
            Some(answer) => assert_eq!(kind_of(&answer), 0x1100),
            None => break sent,
        }
        done += chunk.len();
    };
    assert!((40_000..80_000).contains(&done));
    let end = driver.submit(&cross(7, &[id, 1, 0, 0], &[]), Some(0));
    let mut reader = File::from(reader);
    let mut content = vec![0; 30_000];
    reader.read_exact(&mut content).unwrap();
    driver.answer(stalled);
    driver.answer(end);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(content.len() + rest.len(), done + chunk.len());
    // The pipe is gone; whoever goes on is not told off.
    assert_eq!(driver.run(&cross(7, &[id, 0, 1, 0], b"x")), 0x1100);
}

#[test]
fn a_reader_that_goes_away_lets_the_write_end() {
    let mut driver = Driver::new();
    let lens = driver.open();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let poll = driver.poll();
    give(&lens, b"x", &[writer.as_fd()]);
    drop(writer);
    driver.answer(poll);
    let id = word(&driver.read_ring(CHANNEL, 352), 16);
    let message = cross(7, &[id, 0, 4000, 0], &[9; 4000]);
    let stalled = loop {
        let sent = driver.submit(&message, Some(0));
        if driver.try_answer(sent).is_none() {
            break sent;
        }
    };
    drop(reader);
    driver.answer(stalled);
}

#[test]
fn a_lens_that_does_not_read_holds_nobody_up_and_in_the_end_loses_the_channel() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let message = send(&[], &[1; 3700]);
    let sent = (0..4000).position(|_| driver.run(&message) != 0x1100);
    assert!((1000..2000).contains(&sent.unwrap()));
    let poll = driver.poll();
    driver.answer(poll);
    assert_eq!(driver.read_ring(CHANNEL, 16)[8..], [0; 8]);
}

#[test]
fn what_a_context_waited_for_is_given_back_when_it_ends() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let polls = [driver.poll(), driver.poll()];
    assert_eq!(driver.call(0x102, &[CHANNEL, 0]), 0x1100);
    assert_eq!(driver.call(0x201, &[]), 0x1100);
    for poll in polls {
        driver.answer(poll);
    }
    assert_eq!(driver.call(0x201, &[]), 0x1204);
}

#[test]
fn a_ring_that_is_gone_loses_the_event_and_nothing_else() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    let poll = driver.poll();
    assert_eq!(driver.call(0x102, &[CHANNEL, 0]), 0x1100);
    lens.write_all(b"x").unwrap();
    assert_eq!(
        driver.run(&cross(2, &[4096, 1, u32::from_le_bytes(*b"R8  "), 0], &[])),
        0x1100
    );
    assert_eq!(driver.call(0x201, &[]), 0x1100);
    driver.answer(poll);
}

#[test]
fn a_reset_forgets_everything_under_way() {
    let mut driver = Driver::new();
    let lens = driver.open();
    driver.add_blob(10, 1, 0);
    driver.poll();
    driver.start();
    assert_eq!((&lens).read(&mut [0; 1]).unwrap(), 0);
    let _lens = driver.open();
    driver.add_blob(10, 1, 0);
}

#[test]
fn memory_that_is_taken_away_under_way_ends_the_device_and_not_the_process() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    driver.poll();
    driver.device.lock().unmap(RAM, RAM_BYTES).unwrap();
    lens.write_all(b"x").unwrap();
    let request = command(0x108, &[0, 0]);
    driver.send(&request);
    assert_eq!(driver.status() & 0x40, 0x40);
    let again = driver.ram.try_clone().unwrap();
    driver.device.lock().map(RAM, RAM_BYTES, again, 0).unwrap();
    driver.start();
    assert_eq!(driver.status(), 15);
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
}

#[test]
fn chains_that_loop_or_leave_memory_end_the_device() {
    for wrong in [
        (RAM, 64, 1, 0),                 // its own successor
        (RAM - 64, 128, 0, 0),           // begins before memory
        (RAM + RAM_BYTES - 8, 64, 0, 0), // ends behind it
        (u64::MAX - 8, 64, 0, 0),        // wraps round
        (RAM, u32::MAX, 0, 0),           // longer than memory
        (0, 64, 4, 0),                   // an indirect table that is nowhere
    ] {
        let mut driver = Driver::new();
        let (address, length, flags, next) = wrong;
        driver.descriptor(0, 0, address, length, flags, next);
        driver.offer(0, 0);
        driver.start();
        assert_eq!(driver.call(0x108, &[0, 0]), 0x1102, "after {wrong:?}");
    }
}

#[test]
fn contexts_and_resources_are_bounded() {
    let mut driver = Driver::new();
    assert_eq!(driver.call(0x200, &[0, 4]), 0x1205);
    let create = |driver: &mut Driver, context: u32| {
        let mut request = command(0x200, &[0, 5]);
        request[16..20].copy_from_slice(&context.to_le_bytes());
        let sent = driver.send(&request);
        kind_of(&driver.answer(sent))
    };
    assert_eq!(create(&mut driver, 0), 0x1204);
    assert!((1..=64).all(|context| create(&mut driver, context) == 0x1100));
    assert_eq!(create(&mut driver, 65), 0x1201);
    assert_eq!(create(&mut driver, 64), 0x1204);
}

#[test]
fn the_cursor_queue_is_drained() {
    let mut driver = Driver::new();
    driver.descriptor(1, 0, RAM + 0x10_0000, 56, 0, 0);
    for _ in 0..200 {
        driver.offer(1, 0);
    }
    assert_eq!(driver.call(0x108, &[0, 0]), 0x1102);
}

#[test]
fn a_driver_that_names_the_answer_it_waits_for_is_interrupted_for_that_one_alone() {
    let mut driver = Driver::new();
    driver.start_with(cloche_gpu::transport::FEATURES);
    let request = command(0x108, &[0, 0]);
    let mut ask = |wanted: u16| {
        driver.want_interrupt_at(wanted);
        let sent = driver.send(&request);
        // The bell is answered before it returns.
        assert!(driver.try_answer(sent).is_some());
        (driver.interrupts(), driver.bell_wanted_at())
    };
    assert_eq!(ask(0), (1, 1));
    assert_eq!(ask(3), (0, 2));
    assert_eq!(ask(3), (0, 3));
    assert_eq!(ask(3), (1, 4));
    assert_eq!(ask(3), (0, 5));
    // What it does not need to hear, as long as it is not asked to.
    assert_eq!(ask(100), (0, 6));
    assert_eq!(ask(6), (1, 7));
}
