//! What programs draw reaches the compositor's memory: all of it, no more than changed, and never under the compositor's eyes.

mod support;

use std::{
    fs::File,
    os::{fd::OwnedFd, unix::fs::FileExt},
};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use support::{
    LAYOUTS,
    compositor::Compositor,
    desktop,
    screen::Screen,
    wire::{Arg, Peer, message, word},
};

const GLOBALS: [(&str, u32); 3] = [("wl_compositor", 5), ("wl_shm", 1), ("wp_viewporter", 1)];
const KINDS: [MemfdFlags; 2] = [MemfdFlags::ALLOW_SEALING, MemfdFlags::empty()];
const SURFACE: u32 = 6;
const POOL: u32 = 7;
const WIDTH: i32 = 100;
const FRAME: u64 = 100 * 100 * 4;

/// A program with a surface and a pool, which draws.
struct Program {
    peer: Peer,
    file: File,
    next: u32,
}

impl Program {
    fn start(mut peer: Peer, flags: MemfdFlags, bytes: u64) -> Self {
        let globals = peer.globals();
        peer.bind_offered(&globals, "wl_compositor", 4);
        peer.bind_offered(&globals, "wl_shm", 5);
        peer.send(&message(4, 0, &[Arg::Word(SURFACE)]));
        let fd: OwnedFd = memfd_create("program", flags | MemfdFlags::CLOEXEC).expect("memfd");
        ftruncate(&fd, bytes).expect("size");
        peer.send_with(&message(5, 0, &[Arg::Word(POOL), word(bytes)]), Some(&fd));
        let file = fd.into();
        Self {
            peer,
            file,
            next: 100,
        }
    }

    fn sync(&mut self) -> Vec<support::wire::Message> {
        self.next += 1;
        self.peer.sync(self.next)
    }

    fn buffer(&self, id: u32, offset: i32) {
        self.buffer_of(id, [offset, WIDTH, WIDTH, WIDTH * 4]);
    }

    fn buffer_of(&self, id: u32, [offset, width, height, stride]: [i32; 4]) {
        let [id, format] = [id, 1].map(Arg::Word);
        let arguments = [
            id,
            word(offset),
            word(width),
            word(height),
            word(stride),
            format,
        ];
        self.peer.send(&message(POOL, 0, &arguments));
    }

    /// Fills rows of the picture at `offset`.
    fn fill(&self, offset: u64, rows: std::ops::Range<u64>, value: u32) {
        let row = value.to_ne_bytes().repeat(WIDTH as usize);
        for y in rows {
            let at = offset + y * row.len() as u64;
            self.file.write_all_at(&row, at).expect("drawn");
        }
    }

    fn surface(&self, opcode: u16, arguments: &[i32]) {
        let words: Vec<_> = arguments.iter().map(|value| word(*value)).collect();
        self.peer.send(&message(SURFACE, opcode, &words));
    }

    /// Attach, damage in buffer coordinates, commit.
    fn show(&self, buffer: u32, damage: [i32; 4]) {
        self.surface(1, &[buffer as i32, 0, 0]);
        self.surface(9, &damage);
        self.surface(6, &[]);
    }
}

/// The surface's number at the compositor: it is the only one that was made.
fn surface_of(compositor: &Compositor) -> u32 {
    let requests = compositor.requests();
    let made = requests.iter().find(|it| it.interface == "wl_compositor");
    made.expect("a surface").message.word(0)
}

const ALL: [i32; 4] = [0, 0, WIDTH, WIDTH];

#[test]
fn a_picture_arrives_and_then_only_what_changed() {
    for (layout, flags) in LAYOUTS
        .iter()
        .flat_map(|it| KINDS.map(|flags| (*it, flags)))
    {
        let (_folder, compositor, proxy) = desktop(layout, &GLOBALS);
        let mut program = Program::start(proxy.connect(), flags, FRAME * 2);
        program.buffer(8, 0);
        program.fill(0, 0..100, 0x11);
        program.show(8, ALL);
        program.sync();
        let screen = Screen::new(&compositor, 0);
        let surface = surface_of(&compositor);
        let first = screen.last(surface);
        assert_eq!((first.width, first.height), (WIDTH, WIDTH));
        assert_eq!(screen.pixel(first, 99, 99), 0x11);
        assert_eq!(proxy.counted(0), (1, FRAME, FRAME));

        // Released at once, the same memory is brought up to date by the damage alone.
        screen.release(first);
        program.sync();
        program.fill(0, 0..100, 0x22);
        program.show(8, [10, 20, 30, 5]);
        program.sync();
        let second = screen.last(surface);
        assert_eq!(second, first);
        assert_eq!(screen.pixel(second, 10, 20), 0x22);
        assert_eq!(screen.pixel(second, 39, 24), 0x22);
        assert_eq!(screen.pixel(second, 40, 24), 0x11);
        assert_eq!(screen.pixel(second, 9, 20), 0x11);
        assert_eq!(proxy.counted(0), (2, FRAME + 600, FRAME + 600));
    }
}

#[test]
fn the_program_has_its_buffer_back_at_once() {
    let (_folder, _compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    program.buffer(8, 0);
    program.show(8, ALL);
    let heard = program.sync();
    assert!(heard.iter().any(|it| (it.object, it.opcode) == (8, 0)));
}

#[test]
fn memory_that_the_compositor_holds_is_left_alone() {
    for layout in LAYOUTS {
        let (_folder, compositor, proxy) = desktop(layout, &GLOBALS);
        let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
        let screen = Screen::new(&compositor, 0);
        let mut held = Vec::new();
        for value in 1..=4 {
            // A new buffer each time, and the last one destroyed before it is released.
            let id = 10 + value;
            program.buffer(id, 0);
            program.fill(0, 0..100, value);
            program.show(id, ALL);
            program.peer.send(&message(id, 0, &[]));
            program.sync();
            held.push(screen.last(surface_of(&compositor)));
        }
        for (value, shown) in (1..=4).zip(&held) {
            assert_eq!(screen.pixel(*shown, 50, 50), value);
            let others = held
                .iter()
                .filter(|it| it.offset == shown.offset && it.pool == shown.pool);
            assert_eq!(others.count(), 1);
        }
        // What is released first is used next.
        screen.release(held[2]);
        program.sync();
        program.buffer(30, 0);
        program.show(30, ALL);
        program.sync();
        let next = screen.last(surface_of(&compositor));
        assert_eq!((next.pool, next.offset), (held[2].pool, held[2].offset));
    }
}

#[test]
fn alternating_memory_gets_what_both_last_frames_changed() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    let screen = Screen::new(&compositor, 0);
    program.buffer(8, 0);
    program.fill(0, 0..100, 1);
    program.show(8, ALL);
    program.sync();
    let surface = surface_of(&compositor);
    let mut before = screen.last(surface);
    // A compositor that holds a picture until it has the next: two pieces take turns.
    for value in 2..12 {
        let row = value as i32 * 3;
        program.fill(0, row as u64..row as u64 + 2, value);
        program.show(8, [0, row, WIDTH, 2]);
        program.sync();
        let now = screen.last(surface);
        assert_ne!((now.pool, now.offset), (before.pool, before.offset));
        for drawn in 2..=value {
            assert_eq!(screen.pixel(now, 5, drawn as i32 * 3 + 1), drawn);
        }
        screen.release(before);
        program.sync();
        before = now;
    }
    assert_eq!(screen.pools().len(), 2);
    let (frames, damaged, copied) = proxy.counted(0);
    // Two whole pictures, then twice the damage: each piece misses every other frame.
    assert_eq!((frames, damaged), (11, FRAME + 10 * 800));
    assert!(copied <= 2 * FRAME + 2 * 10 * 800, "{copied}");
}

#[test]
fn a_buffer_that_moves_along_its_pool_costs_its_damage_only() {
    for flags in KINDS {
        let (_folder, compositor, proxy) = desktop(LAYOUTS[1], &GLOBALS);
        let mut program = Program::start(proxy.connect(), flags, 512 << 20);
        let screen = Screen::new(&compositor, 0);
        let stride = WIDTH as u64 * 4;
        for step in 0..30 {
            // As foot scrolls: the next buffer lies a row further on, over most of the last one.
            let offset = (400 << 20) + step * stride;
            let (first, rows) = if step == 0 {
                (0, 0..100)
            } else {
                (99, 99..100)
            };
            program.fill(offset, rows.clone(), step as u32 + 1);
            let id = 10 + step as u32;
            program.buffer(id, offset as i32);
            program.show(id, [0, first, WIDTH, rows.count() as i32]);
            program.peer.send(&message(id, 0, &[]));
            program.sync();
            let shown = screen.last(surface_of(&compositor));
            assert_eq!(screen.pixel(shown, 0, 99), step as u32 + 1);
            screen.release(shown);
            program.sync();
        }
        let (_, damaged, copied) = proxy.counted(0);
        assert_eq!(damaged, FRAME + 29 * 400);
        assert_eq!(copied, damaged);
        assert_eq!(screen.pools().len(), 1);
    }
}

#[test]
fn a_pool_grows_while_its_buffers_are_in_use() {
    for flags in KINDS {
        let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
        let mut program = Program::start(proxy.connect(), flags, FRAME);
        program.buffer(8, 0);
        program.fill(0, 0..100, 1);
        program.show(8, ALL);
        ftruncate(&program.file, FRAME * 3).expect("grown");
        program.peer.send(&message(POOL, 2, &[word(FRAME * 3)]));
        program.buffer(9, FRAME as i32 * 2);
        program.peer.send(&message(POOL, 1, &[]));
        program.fill(FRAME * 2, 0..100, 2);
        program.show(9, ALL);
        program.sync();
        let screen = Screen::new(&compositor, 0);
        let surface = surface_of(&compositor);
        let shown: Vec<_> = screen.attached(surface).into_iter().flatten().collect();
        assert_eq!(shown.len(), 2);
        assert_eq!(screen.pixel(shown[0], 3, 3), 1);
        assert_eq!(screen.pixel(shown[1], 3, 3), 2);
        // The pool is gone, its buffers are not.
        program.fill(0, 0..100, 3);
        program.show(8, ALL);
        program.sync();
        assert_eq!(screen.pixel(screen.last(surface), 3, 3), 3);
    }
}

#[test]
fn a_file_that_shrinks_ends_its_program_or_stays_whole() {
    for flags in KINDS {
        let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
        let mut program = Program::start(proxy.connect(), flags, FRAME);
        program.buffer(8, 0);
        program.sync();
        let is_shrunk = ftruncate(&program.file, 0).is_ok();
        program.show(8, ALL);
        if is_shrunk {
            assert!(program.peer.error().is_some());
        } else {
            program.sync();
        }
        let commits = compositor.requests();
        let commits = commits.iter().filter(|it| it.message.opcode == 6);
        assert_eq!(commits.count(), usize::from(!is_shrunk));
    }
}

#[test]
fn damage_in_surface_coordinates_counts_where_it_says_something_about_pixels() {
    let expected: [(&str, u64); 5] = [
        ("plain", 10 * 4 * 4),
        ("scaled", 20 * 8 * 4),
        ("turned", FRAME),
        ("viewed", FRAME),
        ("moved", FRAME),
    ];
    for (case, bytes) in expected {
        let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
        let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
        program.buffer(8, 0);
        program.show(8, ALL);
        program.sync();
        let screen = Screen::new(&compositor, 0);
        screen.release(screen.last(surface_of(&compositor)));
        program.sync();
        match case {
            "scaled" => program.surface(8, &[2]),
            "turned" => program.surface(7, &[1]),
            "moved" => program.surface(10, &[1, 0]),
            "viewed" => {
                program.peer.bind(3, "wp_viewporter", 1, 40);
                let arguments = [Arg::Word(41), Arg::Word(SURFACE)];
                program.peer.send(&message(40, 1, &arguments));
                program.peer.send(&message(41, 2, &[word(50), word(50)]));
            }
            _ => {}
        }
        program.surface(1, &[8, 0, 0]);
        program.surface(2, &[3, 5, 10, 4]);
        program.surface(6, &[]);
        program.sync();
        assert_eq!(proxy.counted(0).2 - FRAME, bytes, "{case}");
    }
}

#[test]
fn a_surface_without_content_begins_anew() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    program.buffer(8, 0);
    program.show(8, ALL);
    program.surface(1, &[0, 0, 0]);
    program.surface(6, &[]);
    program.show(8, [0, 0, 1, 1]);
    program.sync();
    let attached = Screen::new(&compositor, 0).attached(surface_of(&compositor));
    assert_eq!(attached.len(), 3);
    assert_eq!(attached[1], None);
    assert_eq!(proxy.counted(0).2, 2 * FRAME);
}

#[test]
fn a_commit_that_changes_nothing_shows_what_is_shown() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    program.buffer(8, 0);
    program.show(8, ALL);
    program.surface(1, &[8, 0, 0]);
    program.surface(6, &[]);
    let heard = program.sync();
    let released = heard.iter().filter(|it| (it.object, it.opcode) == (8, 0));
    assert_eq!(released.count(), 2);
    let requests = compositor.requests();
    let commits = requests.iter().filter(|it| it.message.opcode == 6).count();
    assert_eq!(commits, 2);
    assert_eq!(proxy.counted(0), (1, FRAME, FRAME));
}

#[test]
fn a_window_that_changes_its_size_leaves_little_memory_behind() {
    for layout in LAYOUTS {
        let (_folder, compositor, proxy) = desktop(layout, &GLOBALS);
        let mut program = Program::start(proxy.connect(), KINDS[0], 64 << 20);
        let screen = Screen::new(&compositor, 0);
        for step in 0..300 {
            let size = 100 + step * 3;
            let id = 10 + step as u32 % 2;
            program.buffer_of(id, [0, size, size, size * 4]);
            program.show(id, [0, 0, size, size]);
            program.peer.send(&message(id, 0, &[]));
            program.sync();
            let shown = screen.last(surface_of(&compositor));
            assert_eq!((shown.width, shown.height), (size, size));
            screen.release(shown);
            program.sync();
        }
        // Sizes come in steps: few pieces serve many sizes.
        assert!(screen.pools().len() < 60, "{}", screen.pools().len());
    }
}

#[test]
fn a_program_that_shows_without_end_waits_for_the_compositor() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[1], &GLOBALS);
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    program.buffer(8, 0);
    program.sync();
    let all = ALL.map(word);
    let show = [
        message(SURFACE, 1, &[Arg::Word(8), word(0), word(0)]),
        message(SURFACE, 9, &all),
        message(SURFACE, 6, &[]),
    ];
    program.peer.send(&show.concat().repeat(200));
    // The first pictures are shown, none is given back, and time passes.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let shown = Screen::new(&compositor, 0).pools().len();
    assert!((30..60).contains(&shown), "{shown}");
}

#[test]
fn buffers_and_pools_that_are_wrong_end_their_program() {
    let (_folder, compositor, proxy) = desktop(LAYOUTS[0], &GLOBALS);
    for shape in [
        [1, 100, 100, 400],
        [0, 100, 100, 399],
        [-4, 1, 1, 4],
        [0, 0, 1, 4],
    ] {
        let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
        program.buffer_of(8, shape);
        assert_eq!(program.peer.error().map(|it| it.0), Some(POOL), "{shape:?}");
    }
    for size in [FRAME as i32 - 1, FRAME as i32 + 1, -1, 0] {
        let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
        program.peer.send(&message(POOL, 2, &[word(size)]));
        assert_eq!(program.peer.error().map(|it| it.0), Some(POOL), "{size}");
    }
    let mut program = Program::start(proxy.connect(), KINDS[0], FRAME);
    program.sync();
    assert!(
        compositor.seen().descriptors.is_empty(),
        "no program's pool goes out"
    );
}
