//! Clipboard and drags: bytes cross pipes both ways, whole, and stalls hold up nobody else.

mod support;

use std::{
    fs::File,
    io::{Read, Write, pipe},
    os::fd::OwnedFd,
    thread,
    time::Duration,
};

use support::{
    LAYOUTS, Proxy,
    compositor::Compositor,
    desktop,
    screen::Screen,
    wait_for,
    wire::{Arg, Peer, message},
};

const GLOBALS: [(&str, u32); 2] = [("wl_seat", 5), ("wl_data_device_manager", 3)];
const OFFER: u32 = 0xff00_0000;
const LARGE: usize = 1 << 20;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 7 % 251) as u8).collect()
}

/// Binds seat 4 and manager 5, makes device 6 and source 7; the answers are the compositor's numbers of device and source.
fn copy(client: &mut Peer, compositor: &Compositor) -> (u32, u32) {
    let globals = client.globals();
    client.bind_offered(&globals, "wl_seat", 4);
    client.bind_offered(&globals, "wl_data_device_manager", 5);
    client.send(&message(5, 1, &[Arg::Word(6), Arg::Word(4)]));
    client.send(&message(5, 0, &[Arg::Word(7)]));
    client.send(&message(7, 0, &[Arg::Text("text/plain")]));
    client.sync(8);
    let requests = compositor.requests();
    let made = |opcode: u16| {
        let mut made = requests.iter();
        let made =
            made.find(|it| it.interface == "wl_data_device_manager" && it.message.opcode == opcode);
        made.expect("made").message.word(0)
    };
    (made(1), made(0))
}

/// The host offers its selection; the client asks for it and reads from the answer.
fn paste(client: &mut Peer, screen: &Screen<'_>, device: u32) -> File {
    screen.event(device, 0, &[Arg::Word(OFFER)]);
    screen.event(OFFER, 0, &[Arg::Text("text/plain")]);
    screen.event(device, 5, &[Arg::Word(OFFER)]);
    let (reader, writer) = pipe().expect("pipe");
    client.sync(9);
    let request = message(OFFER, 1, &[Arg::Text("text/plain")]);
    client.send_with(&request, Some(&writer.into()));
    client.sync(10);
    File::from(OwnedFd::from(reader))
}

fn given(compositor: &Compositor) -> File {
    let pipe = compositor.seen().descriptors.pop();
    File::from(pipe.expect("a pipe"))
}

/// The compositor asks the client for its selection; what the client writes comes out of the file.
fn ask(client: &mut Peer, compositor: &Compositor, source: u32) -> (File, File) {
    let (reader, writer) = pipe().expect("pipe");
    let event = message(source, 1, &[Arg::Text("text/plain")]);
    compositor.send(0, &event, Some(&writer.into()));
    client.sync(20);
    let writer = client.descriptors.pop_front().expect("a pipe");
    (File::from(writer), File::from(OwnedFd::from(reader)))
}

fn start(
    layout: support::device::Layout,
) -> (support::Folder, Compositor, Proxy, Peer, (u32, u32)) {
    let (folder, compositor, proxy) = desktop(layout, &GLOBALS);
    let mut client = proxy.connect();
    let made = copy(&mut client, &compositor);
    (folder, compositor, proxy, client, made)
}

#[test]
fn what_the_host_copies_is_pasted_whole() {
    for layout in LAYOUTS {
        let (_folder, compositor, _proxy, mut client, (device, _)) = start(layout);
        let screen = Screen::new(&compositor, 0);
        let mut reader = paste(&mut client, &screen, device);
        let mut host = given(&compositor);
        let sending = thread::spawn(move || host.write_all(&content(LARGE)));
        let mut pasted = Vec::new();
        reader.read_to_end(&mut pasted).expect("read");
        assert!(pasted == content(LARGE));
        sending.join().expect("thread").expect("written");
    }
}

#[test]
fn what_the_program_copies_is_pasted_whole_on_the_host() {
    for layout in LAYOUTS {
        let (_folder, compositor, _proxy, mut client, (_, source)) = start(layout);
        let (mut writer, mut host) = ask(&mut client, &compositor, source);
        let sending = thread::spawn(move || writer.write_all(&content(LARGE)));
        let mut pasted = Vec::new();
        host.read_to_end(&mut pasted).expect("read");
        assert!(pasted == content(LARGE));
        sending.join().expect("thread").expect("written");
    }
}

#[test]
fn an_empty_selection_is_an_end_both_ways() {
    let (_folder, compositor, _proxy, mut client, (device, source)) = start(LAYOUTS[0]);
    let (writer, mut host) = ask(&mut client, &compositor, source);
    drop(writer);
    assert_eq!(host.read(&mut [0; 9]).expect("an end"), 0);
    let mut reader = paste(&mut client, &Screen::new(&compositor, 0), device);
    drop(given(&compositor));
    assert_eq!(reader.read(&mut [0; 9]).expect("an end"), 0);
}

#[test]
fn a_host_that_does_not_read_stops_the_program_and_nothing_else() {
    let (_folder, compositor, proxy, mut client, (_, source)) = start(LAYOUTS[0]);
    let (mut writer, mut host) = ask(&mut client, &compositor, source);
    rustix::io::ioctl_fionbio(&writer, true).expect("nonblocking");
    let mut written = 0;
    wait_for("the pipe to fill up", || {
        match writer.write(&content(4096)) {
            Ok(count) => written += count,
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
        written > 0 && writer.write(&[]).is_ok() && is_full(&writer)
    });
    assert!(written < 1 << 20, "{written} bytes are under way");
    client.sync(30);
    proxy.connect().globals();
    drop(writer);
    let mut pasted = Vec::new();
    host.read_to_end(&mut pasted).expect("read");
    assert_eq!(pasted.len(), written);
}

fn is_full(file: &File) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: 300_000_000,
    };
    let mut descriptors = [PollFd::new(file, PollFlags::OUT)];
    poll(&mut descriptors, Some(&pause)).expect("poll") == 0
}

#[test]
fn a_program_that_does_not_read_still_hears_events_and_the_host_is_stopped_in_time() {
    let (_folder, compositor, _proxy, mut client, (device, _)) = start(LAYOUTS[0]);
    let screen = Screen::new(&compositor, 0);
    let mut reader = paste(&mut client, &screen, device);
    let mut host = given(&compositor);
    host.write_all(&content(3 << 20)).expect("taken");
    client.sync(30);
    let total = 64 << 20;
    let sending = thread::spawn(move || {
        let rest = content(1 << 20);
        (3..64).try_for_each(|_| host.write_all(&rest))
    });
    thread::sleep(Duration::from_millis(500));
    assert!(!sending.is_finished(), "64 MiB were taken");
    let mut pasted = Vec::new();
    reader.read_to_end(&mut pasted).expect("read");
    assert_eq!(pasted.len(), total);
    sending.join().expect("thread").expect("written");
    client.sync(31);
}

#[test]
fn a_program_that_closes_its_end_early_harms_nobody() {
    let (_folder, compositor, _proxy, mut client, (device, _)) = start(LAYOUTS[0]);
    let screen = Screen::new(&compositor, 0);
    drop(paste(&mut client, &screen, device));
    let mut host = given(&compositor);
    let sending = thread::spawn(move || host.write_all(&content(1 << 20)));
    client.sync(30);
    sending.join().expect("thread").expect("thrown away");
    client.sync(31);
}

#[test]
fn what_a_program_wrote_before_it_ended_arrives() {
    let (_folder, compositor, proxy, mut client, (_, source)) = start(LAYOUTS[0]);
    let (mut writer, mut host) = ask(&mut client, &compositor, source);
    writer.write_all(&content(60_000)).expect("fits the pipe");
    drop((client, writer));
    let mut pasted = Vec::new();
    host.read_to_end(&mut pasted).expect("read");
    assert!(pasted == content(60_000));
    wait_for("the end", || !proxy.served().ended.is_empty());
}

#[test]
fn many_transfers_at_once_do_not_mix() {
    let (_folder, compositor, _proxy, mut client, (device, _)) = start(LAYOUTS[1]);
    let screen = Screen::new(&compositor, 0);
    screen.event(device, 0, &[Arg::Word(OFFER)]);
    screen.event(OFFER, 0, &[Arg::Text("text/plain")]);
    client.sync(9);
    let mut readers = Vec::new();
    for _ in 0..40 {
        let (reader, writer) = pipe().expect("pipe");
        let request = message(OFFER, 1, &[Arg::Text("text/plain")]);
        client.send_with(&request, Some(&writer.into()));
        readers.push(reader);
    }
    client.sync(10);
    let hosts: Vec<_> = compositor.seen().descriptors.drain(..).collect();
    assert_eq!(hosts.len(), 40);
    for (number, host) in hosts.into_iter().enumerate() {
        let text = format!("transfer {number}").repeat(200);
        File::from(host).write_all(text.as_bytes()).expect("fits");
    }
    for (number, mut reader) in readers.into_iter().enumerate() {
        let mut pasted = String::new();
        reader.read_to_string(&mut pasted).expect("read");
        assert_eq!(pasted, format!("transfer {number}").repeat(200));
    }
}
