//! The executable against monitors: one that behaves, one that is killed, and some that send what makes no sense.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, eventfd},
    fs::{MemfdFlags, ftruncate, memfd_create},
};
use vfio_user::Client;

const CONFIG: u32 = 7;
const WINDOW: u32 = 2;
const REGION_READ: u16 = 9;
const REGION_WRITE: u16 = 10;
const NO_REPLY: u32 = 16;
const IS_ERROR: u32 = 32;

static SOCKETS: AtomicU32 = AtomicU32::new(0);

struct Running {
    child: Child,
    socket: PathBuf,
}

impl Running {
    fn start() -> Self {
        let number = SOCKETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloche-gpu-monitor-{}-{number}", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let child = Command::new(env!("CARGO_BIN_EXE_cloche-gpu"))
            .arg("--listen")
            .arg(&socket)
            .args(["--wayland", "/nonexistent", "--window-mib", "16"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, socket }
    }

    fn connect(&self) -> UnixStream {
        let mut connected = None;
        wait_until(|| {
            connected = UnixStream::connect(&self.socket).ok();
            connected.is_some()
        });
        let stream = connected.unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "it takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

fn message(command: u16, flags: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = [7, command]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect::<Vec<_>>();
    for word in [16 + body.len() as u32, flags, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(body);
    bytes
}

fn access(offset: u64, region: u32, count: u32, data: &[u8]) -> Vec<u8> {
    let mut body = offset.to_le_bytes().to_vec();
    body.extend(region.to_le_bytes());
    body.extend(count.to_le_bytes());
    body.extend(data);
    body
}

fn reply(stream: &mut UnixStream) -> (u16, u32, Vec<u8>) {
    let mut header = [0; 16];
    stream.read_exact(&mut header).unwrap();
    let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
    let mut body = vec![0; word(4) as usize - 16];
    stream.read_exact(&mut body).unwrap();
    (u16::from_le_bytes([header[2], header[3]]), word(8), body)
}

fn introduce(stream: &mut UnixStream) {
    let mut body = vec![0; 4];
    body.extend(b"{\"capabilities\":{\"max_msg_fds\":16}}\0");
    stream.write_all(&message(1, 0, &body)).unwrap();
    assert_eq!(reply(stream).0, 1);
}

#[test]
fn a_monitor_finds_the_device_and_the_device_ends_with_it() {
    let mut running = Running::start();
    let mut client = None;
    wait_until(|| {
        client = Client::new(&running.socket).ok();
        client.is_some()
    });
    let mut client = client.unwrap();
    let mut identity = [0; 4];
    client.region_read(CONFIG, 0, &mut identity).unwrap();
    assert_eq!(identity, [0xf4, 0x1a, 0x50, 0x10]);
    let window = client.region(WINDOW).unwrap();
    let file = window.file_offset.as_ref().unwrap().file();
    assert_eq!(
        (window.size, file.metadata().unwrap().len()),
        (16 << 20, 16 << 20)
    );
    assert_eq!(window.sparse_areas[0].size, 16 << 20);
    assert_eq!(client.get_irq_info(2).unwrap().count, 3);

    let ram = memfd_create("ram", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&ram, 1 << 20).unwrap();
    client.dma_map(0, 0, 1 << 20, ram.as_raw_fd()).unwrap();
    client.dma_unmap(0, 1 << 20).unwrap();
    let interrupt: OwnedFd = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
    client
        .set_irqs(2, 4 | 32, 0, 1, &[interrupt.as_raw_fd()])
        .unwrap();
    client.reset().unwrap();
    drop(client);
    assert!(running.end().success());
    assert!(!running.socket.exists());
}

#[test]
fn a_posted_write_is_done_and_not_answered() {
    let running = Running::start();
    let mut stream = running.connect();
    introduce(&mut stream);
    // The interrupt line is a register that holds what is written.
    let write = access(0x3c, CONFIG, 1, &[42]);
    stream
        .write_all(&message(REGION_WRITE, NO_REPLY, &write))
        .unwrap();
    let read = access(0x3c, CONFIG, 1, &[]);
    stream.write_all(&message(REGION_READ, 0, &read)).unwrap();
    let (command, flags, body) = reply(&mut stream);
    assert_eq!((command, flags, body[16]), (REGION_READ, 1, 42));
}

#[test]
fn a_monitor_that_is_killed_under_way_is_an_end_like_any_other() {
    for sent in [0, 1, 100] {
        let mut running = Running::start();
        let mut stream = running.connect();
        introduce(&mut stream);
        let read = message(REGION_READ, 0, &access(0, CONFIG, 4, &[]));
        for _ in 0..sent {
            stream.write_all(&read).unwrap();
        }
        // Nothing of the answers is read.
        drop(stream);
        assert!(running.end().success(), "after {sent} messages");
    }
}

#[test]
fn a_read_of_gigabytes_is_refused_and_takes_no_memory() {
    let running = Running::start();
    let mut stream = running.connect();
    introduce(&mut stream);
    for region in [0, WINDOW, CONFIG] {
        let read = access(0, region, u32::MAX, &[]);
        stream.write_all(&message(REGION_READ, 0, &read)).unwrap();
        let (_, flags, _) = reply(&mut stream);
        assert_ne!(flags & IS_ERROR, 0);
    }
    assert!(running.resident_kib() < 64 << 10);
    stream
        .write_all(&message(REGION_READ, 0, &access(0, CONFIG, 4, &[])))
        .unwrap();
    assert_eq!(reply(&mut stream).2[16..], [0xf4, 0x1a, 0x50, 0x10]);
}

#[test]
fn messages_that_make_no_sense_end_the_process_at_worst() {
    let mut chance = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance
    };
    for round in 0..40 {
        let mut running = Running::start();
        let mut stream = running.connect();
        if round % 4 != 0 {
            introduce(&mut stream);
        }
        for _ in 0..20 {
            let body: Vec<u8> = (0..next() % 64)
                .map(|_| match next() % 3 {
                    0 => next() as u8,
                    _ => 0,
                })
                .collect();
            let mut bytes = message((next() % 17) as u16, (next() % 64) as u32, &body);
            if next().is_multiple_of(4) {
                bytes[4..8].copy_from_slice(&((next() % 80) as u32).to_le_bytes());
            }
            if stream.write_all(&bytes).is_err() {
                break;
            }
        }
        drop(stream);
        running.end();
    }
}

#[test]
fn what_the_command_line_lacks_is_said() {
    let run = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_cloche-gpu");
        Command::new(program).args(args).output().unwrap()
    };
    let output = run(&["--listen", "/nonexistent/a"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--wayland is missing"));
    let output = run(&["--listen", "/nonexistent/a", "--wayland", "/b"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("No such file"));
}
