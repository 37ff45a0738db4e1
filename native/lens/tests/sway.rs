//! The lens in front of a real compositor: headless sway with foot, grim, swaymsg and wayland-info.

mod support;

use std::{
    fs::File,
    os::unix::fs::chown,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use support::{
    Folder, Lens, need, wait_for,
    wire::{Arg, message, word},
};

const TOOLS: [&str; 5] = ["sway", "foot", "grim", "swaymsg", "wayland-info"];
/// sway refuses to run as root: then it gets this user.
const USER: u32 = 1000;

struct Desktop {
    folder: Folder,
    sway: Child,
}

impl Desktop {
    /// Nothing without its programs: the test is skipped then.
    fn start() -> Option<Self> {
        if !need::has(&TOOLS) {
            return None;
        }
        let folder = Folder::new();
        if rustix::process::geteuid().is_root() {
            chown(folder.join(""), Some(USER), Some(USER)).expect("chown");
        }
        std::fs::write(
            folder.join("config"),
            "output HEADLESS-1 resolution 640x400\n",
        )
        .expect("config");
        let mut command = run(&folder, "sway");
        command.arg("-c").arg(folder.join("config"));
        command
            .env("WLR_BACKENDS", "headless")
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1");
        let sway = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sway");
        let desktop = Self { folder, sway };
        wait_for("sway", || {
            desktop.ipc().is_some() && desktop.socket().exists()
        });
        Some(desktop)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("wayland-1")
    }

    fn ipc(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.folder.join(""))
            .expect("folder")
            .flatten();
        entries
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().contains("sway-ipc"))
    }

    fn output(&self, program: &str, display: &std::path::Path, arguments: &[&str]) -> String {
        let mut command = run(&self.folder, program);
        command
            .args(arguments)
            .env("WAYLAND_DISPLAY", display)
            .env("SWAYSOCK", self.ipc().expect("ipc"));
        String::from_utf8_lossy(&command.output().expect(program).stdout).into_owned()
    }

    fn screenshot(&self) -> Vec<u8> {
        let path = self.folder.join("screenshot.ppm");
        self.output(
            "grim",
            &self.socket(),
            &["-t", "ppm", &path.to_string_lossy()],
        );
        std::fs::read(path).expect("screenshot")
    }

    fn tree(&self) -> String {
        self.output("swaymsg", &self.socket(), &["-r", "-t", "get_tree"])
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.sway.kill();
        let _ = self.sway.wait();
    }
}

fn run(folder: &Folder, program: &str) -> Command {
    let mut command = Command::new(program);
    if rustix::process::geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        command.uid(USER).gid(USER);
    }
    command
        .env("XDG_RUNTIME_DIR", folder.join(""))
        .env("HOME", folder.join(""))
        .env_remove("WAYLAND_DISPLAY");
    command
}

#[test]
fn a_program_sees_no_privileged_global_and_shows_a_marked_window() {
    let Some(mut desktop) = Desktop::start() else {
        return;
    };
    let lens = Lens::start(&desktop.folder, &desktop.socket(), &[]);
    if rustix::process::geteuid().is_root() {
        chown(&lens.socket, Some(USER), Some(USER)).expect("chown");
    }
    let seen = desktop.output("wayland-info", &lens.socket, &[]);
    let listed = |name: &str| {
        include_str!("../globals.txt")
            .lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    let names: Vec<_> = seen
        .lines()
        .filter_map(|line| line.strip_prefix("interface: '")?.split('\'').next())
        .collect();
    assert!(
        names.len() > 5 && names.iter().all(|name| listed(name)),
        "{names:?}"
    );

    let empty = desktop.screenshot();
    let mut foot = run(&desktop.folder, "foot");
    foot.args(["--title", "hello", "sleep", "60"])
        .env("WAYLAND_DISPLAY", &lens.socket);
    let mut foot = foot.stderr(Stdio::null()).spawn().expect("foot");
    wait_for("foot's window", || {
        desktop.tree().contains("[foot@work] hello")
    });
    assert!(desktop.tree().contains("cloche.foot.work"));
    wait_for("foot's picture", || desktop.screenshot() != empty);
    foot.kill().expect("kill");
    foot.wait().expect("wait");
    wait_for("the window to go", || !desktop.tree().contains("foot@work"));
    assert!(desktop.sway.try_wait().expect("wait").is_none());
}

#[test]
fn a_file_that_would_be_shrunk_under_a_shown_buffer_leaves_sway_alive() {
    let Some(mut desktop) = Desktop::start() else {
        return;
    };
    let mut lens = Lens::start(&desktop.folder, &desktop.socket(), &[]);
    let mut client = lens.connect();
    let globals = client.globals();
    let fd = memfd_create("client", MemfdFlags::ALLOW_SEALING).expect("memfd");
    let bytes = 200 * 200 * 4;
    ftruncate(&fd, bytes).expect("size");
    for (interface, id) in [("wl_compositor", 4), ("wl_shm", 5), ("xdg_wm_base", 6)] {
        client.bind_offered(&globals, interface, id);
    }
    client.send(&message(4, 0, &[Arg::Word(7)]));
    client.send(&message(6, 2, &[Arg::Word(8), Arg::Word(7)]));
    client.send(&message(8, 1, &[Arg::Word(9)]));
    client.send(&message(7, 6, &[]));
    let mut configured = client.receive().expect("an event");
    while configured.object != 8 {
        configured = client.receive().expect("configure");
    }
    let serial = configured.word(0);
    client.send(&message(8, 4, &[Arg::Word(serial)]));
    client.send_with(&message(5, 0, &[Arg::Word(11), word(bytes)]), Some(&fd));
    client.send(&message(
        11,
        0,
        &[
            Arg::Word(12),
            word(0),
            word(200),
            word(200),
            word(800),
            word(1),
        ],
    ));
    let show = [
        message(7, 1, &[Arg::Word(12), word(0), word(0)]),
        message(7, 9, &[word(0), word(0), word(200), word(200)]),
        message(7, 6, &[]),
    ];
    client.send(&show.concat());
    client.sync(13);
    wait_for("the window", || desktop.tree().contains("[foot@work]"));
    assert!(ftruncate(&fd, 0).is_err());
    client.send(&show.concat());
    desktop.screenshot();
    assert!(desktop.sway.try_wait().expect("wait").is_none() && lens.is_running());
    drop((client, File::from(fd)));
    wait_for("the window to go", || !desktop.tree().contains("foot@work"));
}

#[test]
fn sway_maps_no_more_than_a_client_may_hold_whatever_it_destroyed() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    let lens = Lens::start(&desktop.folder, &desktop.socket(), &[]);
    let mut client = lens.connect();
    let globals = client.globals();
    let fd = memfd_create("often", MemfdFlags::ALLOW_SEALING).expect("memfd");
    ftruncate(&fd, 4096).expect("size");
    for (interface, id) in [("wl_compositor", 4), ("wl_shm", 5)] {
        client.bind_offered(&globals, interface, id);
    }
    // Each surface shows a buffer that is gone, of a pool that is gone.
    for pool in (20..).step_by(3).take(600) {
        let (buffer, surface) = (pool + 1, pool + 2);
        client.send_with(&message(5, 0, &[Arg::Word(pool), word(4096)]), Some(&fd));
        let shape = [buffer, 0, 10, 10, 40, 0].map(Arg::Word);
        client.send(&message(pool, 0, &shape));
        client.send(&message(4, 0, &[Arg::Word(surface)]));
        client.send(&message(surface, 1, &[buffer, 0, 0].map(Arg::Word)));
        client.send(&message(surface, 6, &[]));
        client.send(&message(buffer, 0, &[]));
        client.send(&message(pool, 1, &[]));
        if pool == 20 + 3 * 500 {
            client.sync(9);
            let maps = std::fs::read_to_string(format!("/proc/{}/maps", desktop.sway.id()));
            let maps = maps.expect("maps");
            // The renderer of this sway reads pictures where they are; another would have copied them.
            assert_eq!(maps.lines().filter(|it| it.contains("often")).count(), 501);
        }
    }
    let (_, code, reason) = client.error().expect("refused");
    assert_eq!(code, 2, "{reason}");
}

#[test]
fn a_program_that_is_missing_is_a_skip_unless_one_of_them_is_required() {
    let missing = |required: &str| {
        let programs = ["sway", "foot"];
        need::Missing::find(&programs, |program| program == "sway", required)
    };
    let is_required = |required: &str| missing(required).expect("foot").is_required;
    assert_eq!(missing("").expect("foot").reason, "foot is not installed");
    assert!(!is_required("") && !is_required("kvm,grim"));
    assert!(is_required("foot") && is_required("kvm,sway"));
    assert_eq!(need::Missing::find(&["sway"], |_| true, "sway"), None);
}
