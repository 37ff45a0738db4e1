//! Whatever a guest does with its shared memory, the compositor's can't shrink.

mod support;

use std::{
    fs::File,
    os::{fd::OwnedFd, unix::fs::FileExt},
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_get_seals, fstat, ftruncate, memfd_create};
use support::{
    compositor::Compositor,
    desktop,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 2] = [("wl_compositor", 4), ("wl_shm", 1)];
const POOL: i32 = 4096;

fn memfd(flags: MemfdFlags, size: u64) -> OwnedFd {
    let fd = memfd_create("client", flags | MemfdFlags::CLOEXEC).expect("memfd");
    ftruncate(&fd, size).expect("size");
    fd
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

fn show(client: &Peer) {
    client.send(&message(6, 1, &[Arg::Word(8), word(0), word(0)]));
    client.send(&message(6, 9, &[word(0), word(0), word(10), word(10)]));
    client.send(&message(6, 6, &[]));
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
fn what_cannot_be_sealed_is_copied_at_commit() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let fd = memfd(MemfdFlags::empty(), 4096);
    pool(&mut client, &fd, POOL);
    buffer(&client, [96, 10, 10, 400]);
    client.sync(9);
    let shown = File::from(given(&compositor));
    assert!(
        fcntl_get_seals(&shown)
            .expect("seals")
            .contains(SealFlags::SHRINK)
    );
    let mut byte = [0];
    File::from(fd.try_clone().expect("clone"))
        .write_all_at(&[7; 4096], 0)
        .expect("draw");
    shown.read_exact_at(&mut byte, 100).expect("read");
    assert_eq!(byte, [0]);
    show(&client);
    client.sync(10);
    shown.read_exact_at(&mut byte, 100).expect("read");
    assert_eq!(byte, [7]);
    shown.read_exact_at(&mut byte, 95).expect("read");
    assert_eq!(byte, [0], "outside the buffer nothing is copied");
}

#[test]
fn a_file_shrunk_before_the_commit_ends_its_client_and_leaves_the_compositors_memory_whole() {
    let (_folder, compositor, mut lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let fd = memfd(MemfdFlags::empty(), 4096);
    pool(&mut client, &fd, POOL);
    buffer(&client, [96, 10, 10, 400]);
    client.sync(9);
    let shown = given(&compositor);
    ftruncate(&fd, 0).expect("shrink");
    show(&client);
    assert!(client.error().is_some());
    assert_eq!(fstat(&shown).expect("stat").st_size, 4096);
    assert!(
        !compositor
            .requests()
            .iter()
            .any(|request| request.message.opcode == 6)
    );
    assert!(lens.is_running());
}

#[test]
fn a_pool_that_its_file_does_not_hold_is_refused() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let directory = File::open("/").expect("directory").into();
    let (pipe, _writer) = rustix::pipe::pipe().expect("pipe");
    let sealable = || memfd(MemfdFlags::ALLOW_SEALING, 4096);
    let plain = || memfd(MemfdFlags::empty(), 4096);
    let wrong = [
        (sealable(), 4097),
        (plain(), 4097),
        (plain(), 0),
        (plain(), -1),
        (plain(), i32::MIN),
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
    for flags in [MemfdFlags::ALLOW_SEALING, MemfdFlags::empty()] {
        for shape in [
            [97, 10, 10, 400],
            [0, 10, 10, -400],
            [-4, 1, 1, 4],
            [0, 1, i32::MAX, i32::MAX],
            [0, 101, 1, 400],
        ] {
            let mut client = lens.connect();
            pool(&mut client, &memfd(flags, 4096), POOL);
            buffer(&client, shape);
            assert_eq!(client.error().expect("refused").0, 7, "{shape:?}");
        }
        for size in [4095, 0, -1, 8192] {
            let mut client = lens.connect();
            pool(&mut client, &memfd(flags, 4096), POOL);
            client.send(&message(7, 2, &[word(size)]));
            assert_eq!(client.error().expect("refused").0, 7, "{size}");
        }
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
        pool(&mut client, &memfd(MemfdFlags::empty(), 4096), POOL);
        client.sync(9);
        client.send(&message(99, 9, &[]));
        assert!(client.error().is_some());
    }
    support::wait_for("descriptors to close", || lens.open_descriptors() <= before);
}
