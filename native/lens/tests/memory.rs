//! Whatever a guest does with its shared memory, the compositor's can't shrink.

mod support;

use std::{fs::File, ops::Range, os::fd::OwnedFd, path::Path};

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use support::{
    compositor::{Compositor, Request},
    desktop,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 3] = [("wl_compositor", 4), ("wl_shm", 1), ("wl_subcompositor", 1)];
const POOL: i32 = 4096;
/// wl_shm's error code.
const INVALID_FD: u32 = 2;
/// wl_display's error code.
const NO_MEMORY: u32 = 2;

fn memfd(flags: MemfdFlags, size: u64) -> OwnedFd {
    let fd = memfd_create("client", flags | MemfdFlags::CLOEXEC).expect("memfd");
    ftruncate(&fd, size).expect("size");
    fd
}

fn tempfile(path: &Path) -> OwnedFd {
    std::fs::write(path, [0; 4096]).expect("file");
    let file = File::options().read(true).write(true).open(path);
    file.expect("file").into()
}

/// Binds compositor as 4 and shm as 5, makes surface 6 and pool 7.
fn pool(client: &mut Peer, fd: &OwnedFd, size: i32) {
    let globals = client.globals();
    client.bind_offered(&globals, "wl_compositor", 4);
    client.bind_offered(&globals, "wl_shm", 5);
    client.send(&message(4, 0, &[Arg::Word(6)]));
    client.send_with(&message(5, 0, &[Arg::Word(7), word(size)]), Some(fd));
}

fn buffer(client: &Peer, shape: [i32; 4]) {
    let [offset, width, height, stride] = shape;
    let shape = [
        Arg::Word(8),
        word(offset),
        word(width),
        word(height),
        word(stride),
        word(0),
    ];
    client.send(&message(7, 0, &shape));
}

fn given(compositor: &Compositor) -> OwnedFd {
    compositor.seen().descriptors.pop().expect("a descriptor")
}

#[test]
fn a_sealable_memfd_reaches_the_compositor_sealed() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let fd = memfd(MemfdFlags::ALLOW_SEALING, 4096);
    pool(&mut client, &fd, POOL);
    client.sync(9);
    let shown = given(&compositor);
    assert_eq!(
        fstat(&shown).expect("stat").st_ino,
        fstat(&fd).expect("stat").st_ino
    );
    assert!(
        fcntl_get_seals(&shown)
            .expect("seals")
            .contains(SealFlags::SHRINK)
    );
    assert!(ftruncate(&fd, 0).is_err());
}

#[test]
fn memory_that_nobody_can_change_the_size_of_is_passed_on() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let window = memfd(MemfdFlags::ALLOW_SEALING, 1 << 30);
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    fcntl_add_seals(&window, seals).expect("seals");
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = lens.connect();
            pool(&mut client, &window, 1 << 30);
            buffer(&client, [(1 << 30) - 400, 10, 10, 40]);
            client.sync(9);
            client
        })
        .collect();
    assert_eq!(compositor.seen().descriptors.len(), clients.len());
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let (folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let file = tempfile(&folder.join("file"));
    for fd in [memfd(MemfdFlags::empty(), 4096), file] {
        let mut client = lens.connect();
        pool(&mut client, &fd, POOL);
        let (object, code, _) = client.error().expect("refused");
        assert_eq!((object, code), (5, INVALID_FD));
    }
    assert!(compositor.seen().descriptors.is_empty());
}

#[test]
fn a_pool_that_its_file_does_not_hold_is_refused() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let directory = File::open("/").expect("directory").into();
    let (pipe, _writer) = rustix::pipe::pipe().expect("pipe");
    let sealable = || memfd(MemfdFlags::ALLOW_SEALING, 4096);
    let wrong = [
        (sealable(), 4097),
        (sealable(), 0),
        (sealable(), -1),
        (sealable(), i32::MIN),
        (directory, 1),
        (pipe, 1),
    ];
    for (fd, size) in wrong {
        let mut client = lens.connect();
        pool(&mut client, &fd, size);
        let (object, ..) = client.error().expect("refused");
        assert_eq!(object, 5, "{size}");
    }
    assert!(compositor.seen().descriptors.is_empty());
}

#[test]
fn a_buffer_outside_its_pool_and_a_shrinking_pool_are_refused() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let sealable = || memfd(MemfdFlags::ALLOW_SEALING, 4096);
    for shape in [
        [97, 10, 10, 400],
        [0, 10, 10, -400],
        [-4, 1, 1, 4],
        [0, 1, i32::MAX, i32::MAX],
        [0, 101, 1, 400],
    ] {
        let mut client = lens.connect();
        pool(&mut client, &sealable(), POOL);
        buffer(&client, shape);
        assert_eq!(client.error().expect("refused").0, 7, "{shape:?}");
    }
    for size in [4095, 0, -1, 8192] {
        let mut client = lens.connect();
        pool(&mut client, &sealable(), POOL);
        client.send(&message(7, 2, &[word(size)]));
        assert_eq!(client.error().expect("refused").0, 7, "{size}");
    }
    let on_pools = compositor
        .requests()
        .into_iter()
        .filter(|it| it.interface.is_empty())
        .count();
    assert_eq!(on_pools, 0);
}

#[test]
fn nothing_of_a_client_stays_behind() {
    let (_folder, _compositor, lens) = desktop(&GLOBALS, &[]);
    let before = lens.open_descriptors();
    for _ in 0..20 {
        let mut client = lens.connect();
        pool(&mut client, &memfd(MemfdFlags::ALLOW_SEALING, 4096), POOL);
        client.sync(9);
        client.send(&message(99, 9, &[]));
        assert!(client.error().is_some());
    }
    support::wait_for("descriptors to close", || lens.open_descriptors() <= before);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    Buffers,
    /// The surface that a buffer is shown on: this one, or one for each.
    Surface(Option<u32>),
}

/// Makes pools of one file, each with a buffer, and destroys all but what is kept.
fn map_often(client: &mut Peer, file: &OwnedFd, pools: Range<u32>, kept: Kept) {
    for pool in pools.map(|pool| 20 + 3 * pool) {
        let buffer = pool + 1;
        client.send_with(&message(5, 0, &[Arg::Word(pool), word(POOL)]), Some(file));
        let shape = [buffer, 0, 10, 10, 40, 0].map(Arg::Word);
        client.send(&message(pool, 0, &shape));
        client.send(&message(pool, 1, &[]));
        if let Kept::Surface(shared) = kept {
            let surface = shared.unwrap_or(pool + 2);
            if shared.is_none() {
                client.send(&message(4, 0, &[Arg::Word(surface)]));
            }
            client.send(&message(surface, 1, &[buffer, 0, 0].map(Arg::Word)));
            client.send(&message(surface, 6, &[]));
        }
        if kept != Kept::Buffers {
            client.send(&message(buffer, 0, &[]));
        }
    }
}

/// Makes the pools that a client may have as `map_often` does, and one more: its refusal, if it is.
fn map_too_often(kept: Kept) -> Option<u32> {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let file = memfd(MemfdFlags::ALLOW_SEALING, 4096);
    pool(&mut client, &file, POOL);
    client.send(&message(7, 1, &[]));
    map_often(&mut client, &file, 0..511, kept);
    client.sync(9);
    // What the client destroyed is gone when the compositor says so.
    let is_destroyed = |it: &&Request| {
        it.interface.is_empty() && it.message.body.is_empty() && it.message.opcode < 2
    };
    let requests = compositor.requests();
    let destroyed: Vec<_> = requests.iter().filter(is_destroyed).collect();
    // A client that doesn't read holds its compositor up.
    for some in destroyed.chunks(64) {
        for request in some {
            let id = Arg::Word(request.message.object);
            compositor.send(request.connection, &message(1, 1, &[id]), None);
        }
        client.sync(9);
    }
    map_often(&mut client, &file, 511..513, Kept::Buffers);
    client.send(&message(1, 0, &[Arg::Word(10)]));
    loop {
        match client.receive().expect("an event") {
            it if (it.object, it.opcode) == (1, 0) => return Some(it.word(1)),
            it if it.object == 10 => return None,
            _ => {}
        }
    }
}

#[test]
fn a_pool_that_is_gone_counts_for_as_long_as_its_buffer_is_there_or_shown() {
    assert_eq!(map_too_often(Kept::Buffers), Some(NO_MEMORY));
    assert_eq!(map_too_often(Kept::Surface(None)), Some(NO_MEMORY));
}

#[test]
fn pools_that_are_gone_with_their_buffers_and_no_more_shown_do_not_count() {
    assert_eq!(map_too_often(Kept::Nothing), None);
    assert_eq!(map_too_often(Kept::Surface(Some(6))), None);
}

#[test]
fn what_a_subsurface_has_committed_counts_until_it_is_released() {
    let file = memfd(MemfdFlags::ALLOW_SEALING, 4096);
    for is_released in [false, true] {
        let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
        let mut client = lens.connect();
        pool(&mut client, &file, POOL);
        client.bind(3, "wl_subcompositor", 1, 10);
        client.send(&message(4, 0, &[Arg::Word(11)]));
        client.send(&message(10, 1, &[12, 6, 11].map(Arg::Word)));
        buffer(&client, [0, 10, 10, 40]);
        client.send(&message(6, 1, &[8, 0, 0].map(Arg::Word)));
        client.send(&message(6, 6, &[]));
        client.sync(9);
        if is_released {
            let requests = compositor.requests();
            let made = |it: &&Request| it.interface.is_empty() && it.message.body.len() == 24;
            let made = requests.iter().find(made).expect("a buffer");
            let release = message(made.message.word(0), 0, &[]);
            compositor.send(made.connection, &release, None);
            client.sync(9);
        }
        map_often(&mut client, &file, 0..128, Kept::Surface(Some(6)));
        client.send(&message(1, 0, &[Arg::Word(13)]));
        let last = std::iter::from_fn(|| client.receive())
            .find(|it| it.object == 13 || (it.object, it.opcode) == (1, 0));
        assert_eq!(last.expect("an answer").object == 13, is_released);
    }
}

#[test]
fn all_clients_together_may_map_one_file_2048_times() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let file = memfd(MemfdFlags::ALLOW_SEALING, 4096);
    let mut clients: Vec<_> = (0..5).map(|_| lens.connect()).collect();
    let mut last = clients.pop().expect("a client");
    for client in &mut clients {
        let globals = client.globals();
        client.bind_offered(&globals, "wl_shm", 5);
        for pool in 10..10 + 512 {
            client.send_with(&message(5, 0, &[Arg::Word(pool), word(POOL)]), Some(&file));
            if pool % 64 == 0 {
                client.sync(6);
                compositor.seen().descriptors.clear();
            }
        }
        client.sync(6);
    }
    pool(&mut last, &file, POOL);
    assert_eq!(last.error().expect("refused").1, NO_MEMORY);
    clients.pop();
    support::wait_for("room for another client", || {
        let mut next = lens.connect();
        pool(&mut next, &file, POOL);
        next.send(&message(1, 0, &[Arg::Word(8)]));
        let mut answered = false;
        while let Some(event) = next.receive() {
            answered = event.object == 8;
            if answered || (event.object, event.opcode) == (1, 0) {
                break;
            }
        }
        answered
    });
}
