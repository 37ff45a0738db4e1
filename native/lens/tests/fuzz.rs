//! Whatever a client sends, the lens goes on serving and no thread of it panics.

mod support;

use std::{io::Read, time::Duration};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use support::{
    desktop,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 9] = [
    ("wl_compositor", 6),
    ("wl_shm", 2),
    ("wl_seat", 9),
    ("wl_output", 4),
    ("xdg_wm_base", 6),
    ("wl_data_device_manager", 3),
    ("zwp_primary_selection_device_manager_v1", 1),
    ("xdg_activation_v1", 1),
    ("wp_viewporter", 1),
];
const CASES: u32 = 200;
const SILENCE: Duration = Duration::from_millis(30);

/// Objects 3 to 11 are the globals, 20 to 28 one of each kind that matters.
fn prepare(client: &Peer) {
    client.send(&message(1, 1, &[Arg::Word(2)]));
    for (index, (interface, version)) in GLOBALS.iter().enumerate() {
        client.bind(
            index as u32 + 1,
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
    make(7, 2, &[21, 20]);
    make(21, 1, &[22]);
    make(8, 0, &[23]);
    make(8, 1, &[24, 5]);
    make(9, 0, &[25]);
    make(9, 1, &[26, 5]);
    make(10, 1, &[27]);
    let memory = rustix::fs::memfd_create("fuzz", rustix::fs::MemfdFlags::CLOEXEC).expect("memfd");
    rustix::fs::ftruncate(&memory, 4096).expect("size");
    client.send_with(&message(4, 0, &[word(28), word(4096)]), Some(&memory));
}

/// Closing at once would take unread requests away from the lens.
fn wait_for_silence(client: &Peer) {
    client
        .stream
        .set_read_timeout(Some(SILENCE))
        .expect("timeout");
    let mut stream = &client.stream;
    while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
}

fn any_word() -> impl Strategy<Value = u32> {
    prop_oneof![
        0u32..40,
        any::<u32>(),
        Just(0xff00_0000),
        Just(u32::MAX),
        Just(4096)
    ]
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::collection::vec(any_word(), 0..8);
    (0u32..40, 0u16..16, words).prop_map(|(object, opcode, words)| {
        let words: Vec<_> = words.into_iter().map(Arg::Word).collect();
        message(object, opcode, &words)
    })
}

fn any_input() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let requests =
        prop::collection::vec(any_request(), 1..20).prop_map(|requests| requests.concat());
    prop_oneof![1 => noise, 6 => requests]
}

#[test]
fn no_input_ends_the_lens_or_makes_it_panic() {
    let (_folder, _compositor, mut lens) = desktop(&GLOBALS, &["--clipboard", "both"]);
    let mut witness = lens.connect();
    witness.globals();
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&any_input(), |input| {
        let client = lens.connect();
        prepare(&client);
        client.send(&input);
        client.send(&message(1, 0, &[word(39)]));
        wait_for_silence(&client);
        Ok(())
    });
    assert!(outcome.is_ok());
    witness.sync(9);
    support::wait_for("the clients to end", || lens.open_descriptors() < 20);
    assert!(lens.is_running());
    lens.terminate();
    let said = String::from_utf8_lossy(&lens.finish().stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
}
