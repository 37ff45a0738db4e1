//! Drags cross as the policy says, and what is dragged is read after its drop only.

mod support;

use std::io::Read;

use support::{
    Folder, Lens,
    compositor::{Compositor, Request},
    desktop,
    wire::{Arg, Message, Peer, message},
};

const GLOBALS: [(&str, u32); 3] = [
    ("wl_seat", 5),
    ("wl_data_device_manager", 3),
    ("wl_compositor", 4),
];
const MANAGER: &str = "wl_data_device_manager";
const OFFER: u32 = 0xff00_0000;
const NEXT_OFFER: u32 = OFFER + 1;

/// Events of wl_data_device.
const DATA_OFFER: u16 = 0;
const ENTER: u16 = 1;
const LEAVE: u16 = 2;
const MOTION: u16 = 3;
const DROP: u16 = 4;
const SELECTION: u16 = 5;

/// A client with data device 6, source 7, keyboard 8 and surface 21, and what the compositor calls them.
struct Scene {
    _folder: Folder,
    compositor: Compositor,
    _lens: Lens,
    client: Peer,
    next_sync: u32,
}

impl Scene {
    fn new(policy: &str) -> Self {
        let (folder, compositor, lens) = desktop(&GLOBALS, &["--clipboard", policy]);
        let mut client = lens.connect();
        let globals = client.globals();
        for (interface, id) in [("wl_seat", 4), (MANAGER, 5), ("wl_compositor", 20)] {
            client.bind_offered(&globals, interface, id);
        }
        client.send(&message(5, 1, &[Arg::Word(6), Arg::Word(4)]));
        client.send(&message(5, 0, &[Arg::Word(7)]));
        client.send(&message(7, 0, &[Arg::Text("text/plain")]));
        client.send(&message(4, 1, &[Arg::Word(8)]));
        client.send(&message(20, 0, &[Arg::Word(21)]));
        let mut scene = Self {
            _folder: folder,
            compositor,
            _lens: lens,
            client,
            next_sync: 30,
        };
        scene.sync();
        scene
    }

    /// What the client hears up to the answer.
    fn sync(&mut self) -> Vec<Message> {
        self.next_sync += 1;
        self.client.sync(self.next_sync)
    }

    fn made(&self, interface: &str, opcode: u16) -> Option<Request> {
        let asked = |it: &Request| it.interface == interface && it.message.opcode == opcode;
        self.compositor.requests().into_iter().find(asked)
    }

    fn id(&self, interface: &str, opcode: u16) -> u32 {
        let request = self.made(interface, opcode).expect("a request");
        request.message.word(0)
    }

    fn send(&self, object: u32, opcode: u16, arguments: &[Arg<'_>]) {
        let request = self.made("wl_compositor", 0).expect("a surface");
        let bytes = message(object, opcode, arguments);
        self.compositor.send(request.connection, &bytes, None);
    }

    /// An event of the data device.
    fn tell(&self, opcode: u16, words: &[u32]) {
        let words: Vec<_> = words.iter().map(|word| Arg::Word(*word)).collect();
        self.send(self.id(MANAGER, 1), opcode, &words);
    }

    fn offer(&self, offer: u32) {
        self.tell(DATA_OFFER, &[offer]);
        for mime in ["text/plain", "text/uri-list"] {
            self.send(offer, 0, &[Arg::Text(mime)]);
        }
    }

    fn enter(&self, offer: u32) {
        self.tell(ENTER, &[1, self.id("wl_compositor", 0), 0, 0, offer]);
    }

    fn focus(&self) {
        let surface = self.id("wl_compositor", 0);
        let words = [1, surface, 0].map(Arg::Word);
        self.send(self.id("wl_seat", 1), 1, &words);
    }

    fn unfocus(&self) {
        let surface = self.id("wl_compositor", 0);
        self.send(self.id("wl_seat", 1), 2, &[1, surface].map(Arg::Word));
    }

    fn press_key(&self) {
        self.send(self.id("wl_seat", 1), 3, &[1, 0, 30, 1].map(Arg::Word));
    }

    /// Whether the compositor is asked for the data when the client asks the lens.
    fn reads_as(&mut self, offer: u32, mime: &str) -> bool {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        // The events sent before are through the lens when the sync is answered.
        self.sync();
        let request = message(offer, 1, &[Arg::Text(mime)]);
        self.client.send_with(&request, Some(&writer.into()));
        self.sync();
        let passed = self.compositor.seen().descriptors.drain(..).count() > 0;
        assert!(passed || reader.read(&mut [0]).expect("an empty answer") == 0);
        passed
    }

    fn reads(&mut self, offer: u32) -> bool {
        self.reads_as(offer, "text/plain")
    }

    /// Starts a drag; whether its source is cancelled, and whether the compositor hears of it.
    fn start_drag(&mut self) -> (bool, bool) {
        self.client
            .send(&message(6, 0, &[7, 21, 0, 1].map(Arg::Word)));
        let cancelled = on(&self.sync(), 7) == [2];
        let device = self.made(MANAGER, 1).map(|it| it.message.word(0));
        let started = |it: &Request| Some(it.message.object) == device && it.message.opcode == 0;
        (cancelled, self.compositor.requests().iter().any(started))
    }
}

fn on(messages: &[Message], object: u32) -> Vec<u16> {
    let on = messages.iter().filter(|it| it.object == object);
    on.map(|it| it.opcode).collect()
}

#[test]
fn a_drag_over_the_client_is_not_read_whatever_key_came_before() {
    let mut scene = Scene::new("host-to-guest");
    scene.focus();
    scene.press_key();
    scene.offer(OFFER);
    assert!(!scene.reads(OFFER), "said for nothing yet");
    scene.unfocus();
    scene.enter(OFFER);
    scene.tell(MOTION, &[2, 0, 0]);
    assert!(!scene.reads(OFFER), "over the client");
    scene.focus();
    scene.press_key();
    assert!(!scene.reads(OFFER), "over the client, with focus and a key");
}

#[test]
fn a_drag_that_left_is_not_read() {
    let mut scene = Scene::new("host-to-guest");
    scene.press_key();
    scene.offer(OFFER);
    scene.enter(OFFER);
    scene.tell(LEAVE, &[]);
    assert!(!scene.reads(OFFER));
    scene.tell(DROP, &[]);
    assert!(!scene.reads(OFFER), "dropped elsewhere");
}

#[test]
fn what_is_dropped_on_the_client_is_read_until_it_has_finished() {
    let mut scene = Scene::new("host-to-guest");
    scene.offer(OFFER);
    scene.enter(OFFER);
    scene.tell(DROP, &[]);
    // The compositor's drag leaves the client when it is over.
    scene.tell(LEAVE, &[]);
    assert!(scene.reads(OFFER) && scene.reads(OFFER));
    assert!(!scene.reads_as(OFFER, "text/uri-list"), "not listed");
    scene.client.send(&message(OFFER, 3, &[]));
    assert!(!scene.reads(OFFER), "finished");
    let finished = |it: &Request| (it.message.object, it.message.opcode) == (OFFER, 3);
    assert!(scene.compositor.requests().iter().any(finished));
}

#[test]
fn a_drop_opens_its_own_drag_only() {
    let mut scene = Scene::new("host-to-guest");
    scene.offer(OFFER);
    scene.enter(OFFER);
    scene.tell(LEAVE, &[]);
    scene.offer(NEXT_OFFER);
    scene.enter(NEXT_OFFER);
    scene.tell(DROP, &[]);
    assert!(!scene.reads(OFFER), "the drag that left");
    assert!(scene.reads(NEXT_OFFER), "the drag that was dropped");
}

#[test]
fn a_drop_without_focus_opens_no_selection() {
    let mut scene = Scene::new("host-to-guest");
    scene.offer(OFFER);
    scene.tell(SELECTION, &[OFFER]);
    scene.offer(NEXT_OFFER);
    scene.enter(NEXT_OFFER);
    scene.tell(DROP, &[]);
    assert!(!scene.reads(OFFER) && scene.reads(NEXT_OFFER));
}

#[test]
fn a_drag_starts_where_the_guest_may_give() {
    let [given, kept] = [(false, true), (true, false)];
    for (policy, expected) in [
        ("none", kept),
        ("guest-to-host", given),
        ("host-to-guest", kept),
        ("both", given),
    ] {
        assert_eq!(Scene::new(policy).start_drag(), expected, "{policy}");
    }
}

#[test]
fn a_drag_enters_where_the_guest_may_take() {
    for (policy, enters) in [
        ("guest-to-host", false),
        ("host-to-guest", true),
        ("both", true),
    ] {
        let mut scene = Scene::new(policy);
        scene.offer(OFFER);
        scene.enter(OFFER);
        scene.tell(MOTION, &[2, 0, 0]);
        scene.tell(DROP, &[]);
        scene.tell(LEAVE, &[]);
        let heard = scene.sync();
        let all = [DATA_OFFER, ENTER, MOTION, DROP, LEAVE];
        let expected = if enters { &all[..] } else { &[] };
        assert_eq!(on(&heard, 6), expected, "{policy}");
        let types = on(&heard, OFFER).len();
        assert_eq!(types, usize::from(enters), "{policy}: one type is listed");
        let destroyed = |it: &Request| (it.message.object, it.message.opcode) == (OFFER, 2);
        let destroyed = scene.compositor.requests().iter().any(destroyed);
        assert_eq!(destroyed, !enters, "{policy}");
    }
    // The compositor knows of no device that it could tell.
    assert_eq!(Scene::new("none").made(MANAGER, 1), None);
}
