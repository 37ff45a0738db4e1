//! Whatever a device writes to a ring, and whatever a program sends: one program ends, and nothing else does.

mod support;

use std::{io::Read, time::Duration};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use support::{
    LAYOUTS, Proxy, desktop, wait_for,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 7] = [
    ("wl_compositor", 6),
    ("wl_shm", 2),
    ("wl_seat", 9),
    ("wl_output", 4),
    ("xdg_wm_base", 6),
    ("wl_data_device_manager", 3),
    ("wp_viewporter", 1),
];

/// A message on the channel ring: its kind and the words behind the header.
fn ring(kind: u8, words: &[(usize, u32)]) -> Vec<u8> {
    let mut ring = vec![0; 4096];
    ring[0] = kind;
    for (at, word) in words {
        ring[*at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    ring
}

/// Closing at once would take unread requests away from the proxy.
fn wait_for_word(client: &Peer) {
    let pause = Some(Duration::from_millis(50));
    client.stream.set_read_timeout(pause).expect("timeout");
    let _ = (&client.stream).read(&mut [0; 4096]);
}

fn client_and_number(proxy: &Proxy) -> (Peer, usize) {
    let mut client = proxy.connect();
    client.globals();
    let number = proxy.served().devices.len() - 1;
    (client, number)
}

#[test]
fn a_bad_message_on_the_ring_ends_its_program_with_a_reason() {
    let wrong = [
        (ring(0, &[]), "without a message"),
        (ring(77, &[]), "unknown kind 77"),
        (ring(5, &[(8, 29), (12, 8)]), "29 descriptors"),
        (ring(5, &[(12, 4000)]), "4000 bytes"),
        (ring(5, &[(8, 1), (12, 8), (128, 9)]), "unknown kind 9"),
        (
            ring(5, &[(8, 1), (12, 8), (128, 1), (16, 999), (240, 5)]),
            "get a file",
        ),
        (
            ring(5, &[(8, 1), (12, 8), (128, 1), (240, 17 << 20)]),
            "a file of",
        ),
        (ring(6, &[(8, 0x8000_0001), (16, 5)]), "never sent"),
        (ring(6, &[(8, 5), (16, 4090)]), "4090 bytes"),
        // Events for objects that there are none of, and a message without end.
        (ring(5, &[(12, 8), (352, 4242), (356, 8 << 16)]), "dispatch"),
        (ring(5, &[(12, 8), (352, 1), (356, 4 << 16)]), "dispatch"),
    ];
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut witness = proxy.connect();
    witness.globals();
    for (index, (message, reason)) in wrong.iter().enumerate() {
        let (mut client, number) = client_and_number(&proxy);
        let device = proxy.served().devices[number].clone();
        device.inject(message);
        while client.receive().is_some() {}
        wait_for("the end", || proxy.served().ended.len() == index + 1);
        let how = proxy.served().ended[index].clone();
        assert!(how.contains(reason), "{reason}: {how}");
    }
    witness.sync(9);
}

#[test]
fn no_ring_makes_a_proxy_panic() {
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[1], &GLOBALS);
    let mut runner = TestRunner::new(Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let small = prop_oneof![0u32..40, any::<u32>(), 0xff00_0000u32..0xff00_0004];
    let words = prop::collection::vec(small, 100);
    let kind = prop_oneof![Just(5u8), Just(6), any::<u8>()];
    let outcome = runner.run(
        &(kind, 0u32..3, 0u32..64, words),
        |(kind, count, size, words)| {
            let (client, number) = client_and_number(&proxy);
            let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            message[0] = kind;
            message[8..12].copy_from_slice(&count.to_le_bytes());
            message[12..16].copy_from_slice(&size.to_le_bytes());
            let device = proxy.served().devices[number].clone();
            device.inject(&message);
            client.send(&support::wire::message(1, 0, &[Arg::Word(9)]));
            wait_for_word(&client);
            Ok(())
        },
    );
    outcome.expect("no panic");
    let devices = proxy.served().devices.len();
    wait_for("the ends", || proxy.served().ended.len() == devices);
}

/// Objects 3 to 9 are the globals, 20 to 26 one of each kind that matters.
fn prepare(client: &Peer) {
    client.send(&message(1, 1, &[Arg::Word(2)]));
    for (index, (interface, version)) in GLOBALS.iter().enumerate() {
        client.bind(
            index as u32 + 100,
            interface,
            (*version).min(3),
            index as u32 + 3,
        );
    }
    let make = |object: u32, opcode: u16, words: &[u32]| {
        let words: Vec<_> = words.iter().map(|value| word(*value)).collect();
        client.send(&message(object, opcode, &words));
    };
    make(3, 0, &[20]);
    make(9, 1, &[21, 20]);
    make(8, 0, &[22]);
    make(8, 1, &[23, 5]);
    let memory = rustix::fs::memfd_create("fuzz", rustix::fs::MemfdFlags::CLOEXEC).expect("memfd");
    rustix::fs::ftruncate(&memory, 4096).expect("size");
    client.send_with(&message(4, 0, &[word(24), word(4096)]), Some(&memory));
    make(24, 0, &[25, 0, 10, 10, 40, 1]);
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let small = prop_oneof![0u32..40, any::<u32>(), Just(u32::MAX), Just(4096)];
    let words = prop::collection::vec(small, 0..8);
    (0u32..40, 0u16..16, words).prop_map(|(object, opcode, words)| {
        let words: Vec<_> = words.into_iter().map(Arg::Word).collect();
        message(object, opcode, &words)
    })
}

#[test]
fn no_request_makes_a_proxy_panic() {
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let requests = prop::collection::vec(any_request(), 1..20).prop_map(|it| it.concat());
    let outcome = runner.run(&prop_oneof![1 => noise, 6 => requests], |input| {
        let client = proxy.connect();
        prepare(&client);
        client.send(&input);
        client.send(&message(1, 0, &[Arg::Word(39)]));
        wait_for_word(&client);
        Ok(())
    });
    outcome.expect("no panic");
    let devices = proxy.served().devices.len();
    wait_for("the ends", || proxy.served().ended.len() == devices);
}
