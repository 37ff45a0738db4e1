//! Selections cross as the policy says and no further; of drags see drag.rs.

mod support;

use std::io::Read;

use support::{
    compositor::{Compositor, Request},
    desktop,
    wire::{Arg, Message, Peer, message},
};

const GLOBALS: [(&str, u32); 3] = [
    ("wl_seat", 5),
    ("wl_data_device_manager", 3),
    ("wl_compositor", 4),
];
const OFFER: u32 = 0xff00_0000;
const MANAGER: &str = "wl_data_device_manager";

/// Binds seat 4, manager 5; device 6, source 7 that offers two types; keyboard 8.
fn copy(client: &mut Peer) {
    let globals = client.globals();
    client.bind_offered(&globals, "wl_seat", 4);
    client.bind_offered(&globals, MANAGER, 5);
    client.send(&message(5, 1, &[Arg::Word(6), Arg::Word(4)]));
    client.send(&message(5, 0, &[Arg::Word(7)]));
    for mime in [
        "text/plain",
        "text/uri-list",
        "text/plain\n",
        &"x".repeat(3000),
    ] {
        client.send(&message(7, 0, &[Arg::Text(mime)]));
    }
    client.send(&message(4, 1, &[Arg::Word(8)]));
    client.send(&message(6, 1, &[Arg::Word(7), Arg::Word(0)]));
}

fn made(requests: &[Request], opcode: u16) -> Option<(usize, u32)> {
    let request = requests
        .iter()
        .find(|it| it.interface == MANAGER && it.message.opcode == opcode)?;
    Some((request.connection, request.message.word(0)))
}

/// The compositor offers a selection of two types to the client's device, or to object 6 where it knows of none.
fn offer(compositor: &Compositor, device: (usize, u32)) {
    let send = |bytes: &[u8]| compositor.send(device.0, bytes, None);
    send(&message(device.1, 0, &[Arg::Word(OFFER)]));
    send(&message(OFFER, 0, &[Arg::Text("text/plain")]));
    send(&message(OFFER, 0, &[Arg::Text("text/uri-list")]));
    send(&message(device.1, 5, &[Arg::Word(OFFER)]));
}

fn on(messages: &[Message], object: u32) -> Vec<u16> {
    messages
        .iter()
        .filter(|it| it.object == object)
        .map(|it| it.opcode)
        .collect()
}

#[test]
fn with_none_the_manager_is_offered_and_does_nothing() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    copy(&mut client);
    client.send(&message(7, 1, &[]));
    client.send(&message(6, 2, &[]));
    let heard = client.sync(9);
    assert_eq!(on(&heard, 7), [2], "the source is cancelled");
    let deleted: Vec<_> = heard
        .iter()
        .filter(|it| it.object == 1 && it.opcode == 1)
        .map(|it| it.word(0))
        .collect();
    assert!(deleted.contains(&6) && deleted.contains(&7));
    assert!(
        !compositor
            .requests()
            .iter()
            .any(|it| it.interface == MANAGER)
    );
}

#[test]
fn guest_to_host_passes_listed_types_and_no_offer_back() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &["--clipboard", "guest-to-host"]);
    let mut client = lens.connect();
    copy(&mut client);
    client.sync(9);
    let requests = compositor.requests();
    let (_, source) = made(&requests, 0).expect("source");
    let offered: Vec<_> = requests
        .iter()
        .filter(|it| it.message.object == source && it.message.opcode == 0)
        .collect();
    assert_eq!(offered.len(), 1);
    assert_eq!(offered[0].message.text(0), "text/plain");
    let device = made(&requests, 1).expect("device");
    assert!(
        requests
            .iter()
            .any(|it| it.message.object == device.1 && it.message.opcode == 1)
    );
    offer(&compositor, device);
    assert_eq!(on(&client.sync(10), 6), []);
    let destroyed =
        |request: &Request| request.message.object == OFFER && request.message.opcode == 2;
    assert!(compositor.requests().iter().any(destroyed));
}

#[test]
fn host_to_guest_offers_listed_types_and_takes_nothing() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &["--clipboard", "host-to-guest"]);
    let mut client = lens.connect();
    copy(&mut client);
    assert_eq!(on(&client.sync(9), 7), [2], "the source is cancelled");
    let requests = compositor.requests();
    assert_eq!(made(&requests, 0), None);
    let device = made(&requests, 1).expect("device");
    offer(&compositor, device);
    let heard = client.sync(10);
    assert_eq!(on(&heard, 6), [0, 5]);
    let types: Vec<_> = heard
        .iter()
        .filter(|it| it.object == OFFER)
        .map(|it| it.text(0))
        .collect();
    assert_eq!(types, ["text/plain"]);
}

#[test]
fn host_data_is_read_only_with_focus_and_after_a_gesture() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &["--clipboard", "both"]);
    let mut client = lens.connect();
    copy(&mut client);
    let compositor_global = GLOBALS.len() as u32;
    client.bind(compositor_global, "wl_compositor", 4, 20);
    client.send(&message(20, 0, &[Arg::Word(21)]));
    client.sync(9);
    let device = made(&compositor.requests(), 1).expect("device");
    let object = |interface: &str, opcode: u16| {
        let requests = compositor.requests();
        let request = requests
            .iter()
            .find(|it| it.interface == interface && it.message.opcode == opcode);
        request.expect("request").message.word(0)
    };
    let (keyboard, surface) = (object("wl_seat", 1), object("wl_compositor", 0));
    let event = |opcode: u16, words: &[u32]| {
        let words: Vec<_> = words.iter().map(|word| Arg::Word(*word)).collect();
        compositor.send(device.0, &message(keyboard, opcode, &words), None);
    };
    offer(&compositor, device);

    let mut id = 30;
    let mut receive = |mime: &str| {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        // The events sent before are through the lens when the sync is answered.
        client.sync(id);
        client.send_with(&message(OFFER, 1, &[Arg::Text(mime)]), Some(&writer.into()));
        client.sync(id + 1);
        id += 2;
        let passed = compositor.seen().descriptors.drain(..).count() > 0;
        assert!(passed || reader.read(&mut [0]).expect("an empty answer") == 0);
        passed
    };
    assert!(!receive("text/plain"), "no focus");
    event(3, &[1, 0, 30, 1]);
    assert!(!receive("text/plain"), "a key, but no focus");
    event(1, &[1, surface, 0]);
    assert!(receive("text/plain"), "a key, and focus");
    assert!(!receive("text/uri-list"), "a type that is not listed");
    event(2, &[1, surface]);
    assert!(!receive("text/plain"), "focus lost");
}
