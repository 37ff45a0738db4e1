//! What a guest sees of the compositor, and what happens when it asks for more.

mod support;

use support::{
    desktop,
    wire::{Arg, message},
};

const PRIVILEGED: [(&str, u32); 8] = [
    ("zwlr_screencopy_manager_v1", 3),
    ("zwlr_data_control_manager_v1", 2),
    ("zwlr_layer_shell_v1", 4),
    ("zwp_virtual_keyboard_manager_v1", 1),
    ("zwlr_virtual_pointer_manager_v1", 2),
    ("zwp_linux_dmabuf_v1", 4),
    ("wl_shell", 1),
    ("something_unheard_of", 1),
];
const PLAIN: [(&str, u32); 3] = [("wl_compositor", 9), ("wl_shm", 1), ("wl_output", 4)];

fn all() -> Vec<(&'static str, u32)> {
    PRIVILEGED.into_iter().chain(PLAIN).collect()
}

#[test]
fn only_listed_globals_are_offered_at_the_lower_version() {
    let (_folder, _compositor, lens) = desktop(&all(), &[]);
    let globals = lens.connect().globals();
    let expected = [
        (1, "wl_compositor".to_owned(), 6),
        (2, "wl_shm".to_owned(), 1),
        (3, "wl_output".to_owned(), 3),
    ];
    assert_eq!(globals, expected);
}

#[test]
fn binding_what_is_not_offered_ends_the_client_and_reaches_no_compositor() {
    let (_folder, compositor, lens) = desktop(&all(), &[]);
    let mut witness = lens.connect();
    witness.globals();
    let wrong = [
        (100, "zwlr_screencopy_manager_v1", 3),
        (1, "zwlr_screencopy_manager_v1", 1),
        (1, "wl_shm", 1),
        (1, "wl_compositor", 7),
        (1, "wl_compositor", 0),
        (1, "wl_compositor", u32::MAX),
        (0, "wl_compositor", 1),
        (4, "wl_compositor", 1),
        (u32::MAX, "wl_compositor", 1),
        (1, "wp_security_context_manager_v1", 1),
        (1, "", 1),
    ];
    for (name, interface, version) in wrong {
        let mut client = lens.connect();
        client.globals();
        client.bind(name, interface, version, 4);
        // What follows in the same breath must not slip through.
        client.bind(1, "wl_compositor", 4, 5);
        assert!(client.error().is_some(), "{name} {interface} {version}");
    }
    assert_eq!(compositor.requests(), []);
    witness.sync(9);
}

#[test]
fn malformed_messages_end_their_client_and_no_other() {
    let (_folder, compositor, mut lens) = desktop(&all(), &[]);
    let mut witness = lens.connect();
    witness.globals();
    let head = |object: u32, size: u32, opcode: u32| {
        [object.to_ne_bytes(), (size << 16 | opcode).to_ne_bytes()].concat()
    };
    let wrong = [
        head(1, 0, 0),
        head(1, 4, 0),
        head(1, 7, 0),
        head(1, 13, 0),
        head(1, 65_532, 0),
        head(1, 8, 0),
        head(1, 8, 65_535),
        head(0, 8, 0),
        head(4_000_000_000, 8, 0),
        // A new id that is taken, and one of the compositor's range.
        message(1, 0, &[Arg::Word(1)]),
        message(1, 0, &[Arg::Word(0xff00_0000)]),
        // A string longer than its message, and one that is not UTF-8.
        message(
            2,
            0,
            &[Arg::Word(1), Arg::Word(4000), Arg::Word(0), Arg::Word(0)],
        ),
        message(
            2,
            0,
            &[
                Arg::Word(1),
                Arg::Word(4),
                Arg::Word(0x00ff_ffff),
                Arg::Word(1),
                Arg::Word(9),
            ],
        ),
    ];
    for bytes in wrong {
        let mut client = lens.connect();
        client.globals();
        client.send(&bytes);
        assert!(client.error().is_some(), "{bytes:x?}");
    }
    assert_eq!(compositor.requests(), []);
    assert!(lens.is_running());
    witness.sync(9);
}

#[test]
fn messages_split_into_bytes_mean_the_same() {
    let (_folder, compositor, lens) = desktop(&all(), &[]);
    let mut client = lens.connect();
    client.globals();
    for byte in message(
        2,
        0,
        &[
            Arg::Word(1),
            Arg::Text("wl_compositor"),
            Arg::Word(4),
            Arg::Word(4),
        ],
    ) {
        client.send(&[byte]);
    }
    client.sync(5);
    let requests = compositor.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (
            requests[0].message.text(1).as_str(),
            requests[0].message.word(0)
        ),
        ("wl_compositor", 108)
    );
}
