//! Connections: their beginning, their end from either side, and messages that come in pieces or are wrong.

mod support;

use std::{
    fs::File,
    io::{IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    thread,
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use support::{
    Folder, LAYOUTS, Proxy, desktop,
    screen::Screen,
    wait_for,
    wire::{Arg, message},
};

const GLOBALS: [(&str, u32); 3] = [("wl_compositor", 4), ("wl_seat", 5), ("wl_shm", 1)];

#[test]
fn all_globals_that_are_known_pass_unchanged() {
    let globals = [
        ("wl_compositor", 6),
        ("zwp_linux_dmabuf_v1", 4),
        ("wl_seat", 9),
        ("something_unheard_of", 1),
    ];
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[0], &globals);
    let expected = [
        (100, "wl_compositor".to_owned(), 6),
        (102, "wl_seat".to_owned(), 9),
    ];
    assert_eq!(proxy.connect().globals(), expected);
}

#[test]
fn messages_in_pieces_mean_the_same() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut client = proxy.connect();
    client.globals();
    let bind = [
        Arg::Word(100),
        Arg::Text("wl_compositor"),
        Arg::Word(4),
        Arg::Word(4),
    ];
    for byte in message(2, 0, &bind) {
        client.send(&[byte]);
    }
    client.send(&message(4, 0, &[Arg::Word(5)]).repeat(1));
    client.sync(6);
    let requests = compositor.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].message.text(1), "wl_compositor");
}

#[test]
fn more_than_a_ring_holds_comes_through_both_ways() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut client = proxy.connect();
    let globals = client.globals();
    client.bind_offered(&globals, "wl_compositor", 4);
    client.bind_offered(&globals, "wl_seat", 5);
    let regions: Vec<u8> = (10..2010)
        .flat_map(|id| message(4, 1, &[Arg::Word(id)]))
        .collect();
    client.stream.write_all(&regions).expect("sent");
    client.sync(6);
    let made = compositor.requests();
    assert_eq!(
        made.iter()
            .filter(|it| it.interface == "wl_compositor")
            .count(),
        2000
    );
    let screen = Screen::new(&compositor, 0);
    let seat = screen.bound("wl_seat")[0];
    let name = "x".repeat(3000);
    // More than all sockets on the way hold, so that it is read while it is sent.
    let events = message(seat, 1, &[Arg::Text(&name)]);
    let sending = compositor.clone();
    let sending = thread::spawn(move || (0..300).for_each(|_| sending.send(0, &events, None)));
    let mut heard = 0;
    while heard < 300 {
        let event = client.receive().expect("an event");
        if event.object == 5 {
            assert_eq!(event.text(0), name);
            heard += 1;
        }
    }
    sending.join().expect("sent");
    client.sync(7);
}

#[test]
fn a_keymap_arrives_whole_and_can_not_be_changed() {
    for (layout, bytes) in LAYOUTS
        .iter()
        .flat_map(|it| [60_000, 1, 4096].map(|size| (*it, size)))
    {
        let (_folder, compositor, proxy) = desktop(layout, &GLOBALS);
        let mut client = proxy.connect();
        let globals = client.globals();
        client.bind_offered(&globals, "wl_seat", 4);
        client.send(&message(4, 1, &[Arg::Word(5)]));
        client.sync(6);
        let keymap: Vec<u8> = (0..bytes).map(|at| (at % 253) as u8).collect();
        let requests = compositor.requests();
        let keyboard = requests.iter().find(|it| it.interface == "wl_seat");
        let keyboard = keyboard.expect("a keyboard").message.word(0);
        let file = memfd_create("keymap", MemfdFlags::CLOEXEC).expect("memfd");
        let writer = File::from(file.try_clone().expect("clone"));
        writer.write_all_at(&keymap, 0).expect("written");
        let event = message(keyboard, 0, &[Arg::Word(1), Arg::Word(bytes)]);
        compositor.send(0, &event, Some(&file));
        client.sync(7);
        let mut given = File::from(client.descriptors.pop_front().expect("a keymap"));
        let mut read = Vec::new();
        given.read_to_end(&mut read).expect("read");
        assert!(read == keymap);
        assert!(given.write(&[1]).is_err() && given.set_len(0).is_err());
        let again = File::options().write(true).open(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&given)
        ));
        assert!(again.is_ok_and(|mut again| again.write(&[1]).is_err()));
    }
}

#[test]
fn many_descriptors_of_one_message_arrive_in_order() {
    for layout in LAYOUTS {
        let (_folder, compositor, proxy) = desktop(layout, &GLOBALS);
        let mut client = proxy.connect();
        let globals = client.globals();
        client.bind_offered(&globals, "wl_seat", 4);
        client.send(&message(4, 1, &[Arg::Word(5)]));
        client.sync(6);
        let requests = compositor.requests();
        let keyboard = requests.iter().find(|it| it.interface == "wl_seat");
        let keyboard = keyboard.expect("a keyboard").message.word(0);
        let files: Vec<OwnedFd> = (0..28u8)
            .map(|number| {
                let file = memfd_create("keymap", MemfdFlags::CLOEXEC).expect("memfd");
                let writer = File::from(file.try_clone().expect("clone"));
                writer.write_all_at(&[number], 0).expect("written");
                file
            })
            .collect();
        let events = message(keyboard, 0, &[Arg::Word(1), Arg::Word(1)]).repeat(28);
        send_all(compositor.stream(0), &events, &files);
        client.sync(7);
        let read = client.descriptors.drain(..).map(|file| {
            let mut byte = [0];
            File::from(file).read_exact(&mut byte).expect("read");
            byte[0]
        });
        assert!(read.eq(0..28));
    }
}

fn send_all(stream: impl AsFd, bytes: &[u8], files: &[OwnedFd]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    assert!(control.push(SendAncillaryMessage::ScmRights(&borrowed)));
    sendmsg(
        stream,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .expect("sent");
}

#[test]
fn a_program_that_dies_in_a_message_leaves_nothing_behind() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    for _ in 0..10 {
        let mut client = proxy.connect();
        client.globals();
        client.send(&message(2, 0, &[Arg::Word(100), Arg::Text("wl_compositor")])[..13]);
    }
    wait_for("the connections to end", || {
        proxy.served().ended.len() == 10
    });
    proxy.connect().globals();
    assert!(compositor.requests().is_empty());
}

#[test]
fn a_wrong_message_ends_its_program_with_a_reason_and_no_other() {
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut witness = proxy.connect();
    witness.globals();
    let head = |object: u32, size: u32, opcode: u32| {
        [object.to_ne_bytes(), (size << 16 | opcode).to_ne_bytes()].concat()
    };
    for wrong in [
        head(1, 4, 0),
        head(1, 65_532, 0),
        head(1, 8, 77),
        head(99, 8, 0),
    ] {
        let mut client = proxy.connect();
        client.globals();
        client.send(&wrong);
        assert!(client.error().is_some(), "{wrong:?}");
    }
    witness.sync(9);
}

#[test]
fn the_compositors_last_words_reach_the_program() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut client = proxy.connect();
    client.globals();
    let error = [Arg::Word(1), Arg::Word(3), Arg::Text("not like this")];
    compositor.send(0, &message(1, 0, &error), None);
    compositor.hang_up();
    assert_eq!(client.error(), Some((1, 3, "not like this".into())));
}

#[test]
fn a_compositor_that_goes_away_ends_its_programs() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut clients: Vec<_> = (0..5).map(|_| proxy.connect()).collect();
    for client in &mut clients {
        client.globals();
    }
    compositor.hang_up();
    for client in &mut clients {
        assert_eq!(client.error(), None);
    }
    wait_for("the ends", || proxy.served().ended.len() == 5);
}

#[test]
fn without_a_host_a_program_is_told_at_once() {
    let folder = Folder::new();
    let proxy = Proxy::start(&folder, LAYOUTS[0], &folder.join("nobody"));
    assert_eq!(proxy.connect().receive(), None);
    wait_for("the end", || proxy.served().ended.len() == 1);
    assert!(proxy.served().ended[0].contains("nobody listens"));
}

#[test]
fn a_program_that_does_not_read_makes_the_host_wait() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut client = proxy.connect();
    let globals = client.globals();
    client.bind_offered(&globals, "wl_seat", 4);
    client.sync(5);
    let seat = Screen::new(&compositor, 0).bound("wl_seat")[0];
    let flood = message(seat, 0, &[Arg::Word(0)]).repeat(1000);
    let flooding = compositor.clone();
    let flooding = thread::spawn(move || (0..1000).for_each(|_| flooding.send(0, &flood, None)));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!flooding.is_finished(), "12 MB were taken");
    let mut heard = 0;
    while heard < 1_000_000 {
        heard += usize::from(client.receive().is_some_and(|it| it.object == 4));
    }
    flooding.join().expect("flooded");
    client.sync(6);
}
