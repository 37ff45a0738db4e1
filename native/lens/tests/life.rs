//! The lens's own life: limits, stalled clients, the compositor's end and its own.

mod support;

use std::{thread, time::Duration};

use support::{
    desktop,
    wire::{Arg, message},
};

const GLOBALS: [(&str, u32); 2] = [("wl_compositor", 4), ("wl_seat", 5)];

#[test]
fn a_client_too_many_is_refused_and_the_others_stay() {
    let (_folder, _compositor, lens) = desktop(&GLOBALS, &[]);
    let mut clients: Vec<_> = (0..64).map(|_| lens.connect()).collect();
    for client in &mut clients {
        client.globals();
    }
    assert_eq!(
        lens.connect().error().map(|error| error.2),
        Some("too many clients".into())
    );
    clients.pop();
    support::wait_for("a free place", || {
        let mut client = lens.connect();
        client.send(&message(1, 0, &[Arg::Word(2)]));
        client.receive().is_some_and(|it| it.object == 2)
    });
    clients[0].sync(9);
}

#[test]
fn a_client_that_does_not_read_costs_no_memory() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let globals = client.globals();
    client.bind_offered(&globals, "wl_seat", 4);
    client.sync(5);
    let bound = compositor.requests();
    let (connection, seat) = (
        bound[0].connection,
        bound[0].message.word(bound[0].message.body.len() / 4 - 1),
    );
    let before = lens.resident_kib();
    let flood = message(seat, 0, &[Arg::Word(0)]).repeat(1000);
    let flooding = compositor.clone();
    // Blocks for good once the lens takes no more.
    thread::spawn(move || (0..10_000).for_each(|_| flooding.send(connection, &flood, None)));
    thread::sleep(Duration::from_secs(1));
    let grown = lens.resident_kib().saturating_sub(before);
    assert!(grown < 4096, "grew by {grown} KiB");
    lens.connect().globals();
}

#[test]
fn a_client_that_makes_objects_without_end_is_dropped() {
    let (_folder, _compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let globals = client.globals();
    client.bind_offered(&globals, "wl_compositor", 4);
    client.sync(5);
    for id in 6..200_000 {
        client.send(&message(4, 1, &[Arg::Word(id)]));
    }
    assert_eq!(
        client.error().map(|error| error.2),
        Some("too many objects".into())
    );
    lens.connect().globals();
}

#[test]
fn the_end_of_the_compositor_ends_the_lens_with_one_line() {
    let (folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let socket = lens.socket.clone();
    compositor.hang_up();
    let output = lens.finish();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("the compositor is gone") && said.lines().count() == 1,
        "{said}"
    );
    assert!(!socket.exists());
    drop(folder);
}

#[test]
fn sigterm_ends_the_lens_and_takes_its_socket_along() {
    let (_folder, _compositor, lens) = desktop(&GLOBALS, &[]);
    let socket = lens.socket.clone();
    let mut client = lens.connect();
    client.globals();
    lens.terminate();
    assert!(lens.finish().status.success());
    assert!(!socket.exists());
    assert_eq!(client.error(), None);
}

#[test]
fn clients_come_through_a_security_context_where_there_is_one() {
    let globals = [("wl_compositor", 4), ("wp_security_context_manager_v1", 1)];
    let (_folder, compositor, lens) = desktop(&globals, &[]);
    let mut client = lens.connect();
    let offered = client.globals();
    assert_eq!(offered.len(), 1, "the guest doesn't see it");
    client.bind_offered(&offered, "wl_compositor", 4);
    client.sync(5);
    let requests = compositor.requests();
    let (inside, outside): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.sandboxed);
    assert_eq!(inside.len(), 1, "the bind");
    let context = outside
        .iter()
        .find(|it| it.interface.is_empty() && it.message.opcode == 1)
        .expect("context");
    let said = |opcode: u16| {
        let same = outside
            .iter()
            .filter(|it| it.message.object == context.message.object);
        same.filter(|it| it.message.opcode == opcode)
            .map(|it| it.message.text(0))
            .next()
    };
    assert_eq!(said(1).as_deref(), Some("org.cloche"));
    assert_eq!(said(2).as_deref(), Some("cloche.foot"));
    assert_eq!(said(3).as_deref(), Some("foot@work"));
}
