//! Whatever a guest does with its shared memory, the compositor's can't shrink.

mod support;

use std::{fs::File, os::fd::OwnedFd, path::Path};

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use support::{
    compositor::Compositor,
    desktop,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 2] = [("wl_compositor", 4), ("wl_shm", 1)];
const POOL: i32 = 4096;
/// wl_shm's error code.
const INVALID_FD: u32 = 2;

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
