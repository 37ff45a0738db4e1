//! Real programs through the proxy on a real compositor: headless sway with foot, grim, swaymsg and wayland-info.

mod support;

use std::{
    os::unix::fs::chown,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use support::{
    Folder, LAYOUTS, Proxy,
    device::Layout,
    need,
    traffic::{Side, answered, requests},
    wait_for,
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
            "output HEADLESS-1 resolution 640x400\ndefault_border none\nfloating_modifier Mod1\nfor_window [app_id=\".*\"] floating enable\n",
        )
        .expect("config");
        let mut command = run(&folder, "sway");
        command.arg("-c").arg(folder.join("config"));
        command
            .env("WLR_BACKENDS", "headless")
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1");
        let log = std::fs::File::create(folder.join("sway.log")).expect("log");
        let sway = command
            .env("WAYLAND_DEBUG", "server")
            .stdout(Stdio::null())
            .stderr(log)
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

    /// The picture of foot with this text in it, over the display at `socket`.
    fn picture_of(&self, socket: &std::path::Path, script: &str) -> Vec<u8> {
        let empty = self.screenshot();
        let mut foot = run(&self.folder, "foot");
        foot.args([
            "--config=/dev/null",
            "-o",
            "cursor.blink=no",
            "--title",
            "hello",
        ]);
        foot.args(["--window-size-pixels=400x300", "sh", "-c", script]);
        let mut foot = foot
            .env("WAYLAND_DISPLAY", socket)
            .stderr(Stdio::null())
            .spawn()
            .expect("foot");
        wait_for("foot's window", || self.tree().contains("hello"));
        wait_for("foot's picture", || self.screenshot() != empty);
        wait_for("the script's end", || self.folder.join("done").exists());
        std::fs::remove_file(self.folder.join("done")).expect("remove");
        let mut last = self.screenshot();
        wait_for("a picture that stays", || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let next = self.screenshot();
            std::mem::replace(&mut last, next.clone()) == next
        });
        foot.kill().expect("kill");
        foot.wait().expect("wait");
        wait_for("the window to go", || !self.tree().contains("hello"));
        last
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

/// A proxy to the desktop that the desktop's user may connect to.
fn proxy(desktop: &Desktop, layout: Layout) -> (Folder, Proxy) {
    let inner = Folder::new();
    let proxy = Proxy::start(&inner, layout, &desktop.socket());
    if rustix::process::geteuid().is_root() {
        chown(&proxy.socket, Some(USER), Some(USER)).expect("chown");
    }
    (inner, proxy)
}

#[test]
fn a_terminal_that_scrolls_looks_as_it_does_without_the_proxy() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    let done = desktop.folder.join("done");
    let script = format!(
        "seq 1 400; for i in $(seq 1 60); do echo \"line $i of a page that scrolls\"; sleep 0.02; done; touch {}; sleep 60",
        done.display()
    );
    let direct = desktop.picture_of(&desktop.socket(), &script);
    for layout in LAYOUTS {
        let (_inner, proxy) = proxy(&desktop, layout);
        let through = desktop.picture_of(&proxy.socket, &script);
        assert!(through == direct, "{layout:?}: the pictures differ");
        let (frames, damaged, copied) = proxy.counted(0);
        assert!(frames > 5, "{frames}");
        // Two pieces take turns, and each is filled whole once.
        let whole = 640 * 400 * 4;
        assert!(
            copied <= damaged + damaged / 20 + 2 * whole,
            "{copied} {damaged}"
        );
    }
}

/// Runs a program to its end through the proxy: the compositor hears what it says, in order, and all of it that had an answer.
fn is_heard(argv: &[&str]) {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    let (_inner, proxy) = proxy(&desktop, LAYOUTS[0]);
    let before = std::fs::read_to_string(desktop.folder.join("sway.log")).expect("log");
    let said = std::fs::File::create(desktop.folder.join("said")).expect("log");
    let mut command = run(&desktop.folder, argv[0]);
    command.args(&argv[1..]).env("WAYLAND_DEBUG", "client");
    let mut command = command.env("WAYLAND_DISPLAY", &proxy.socket).stderr(said);
    command = command.stdout(Stdio::null());
    command.status().expect("a program");
    let served = proxy.served().devices.len();
    wait_for("the end", || proxy.served().ended.len() == served);
    let log = std::fs::read_to_string(desktop.folder.join("said")).expect("log");
    let (said, answered) = (requests(&log, Side::Client), answered(&log));
    let heard = || {
        let log = std::fs::read_to_string(desktop.folder.join("sway.log")).expect("log");
        requests(&log[before.len()..], Side::Server)
    };
    // Beyond the answers of its start: pictures were asked for and shown.
    assert!(answered > 20, "{answered} answered of {said:?}");
    wait_for("the compositor to hear all", || heard().len() >= answered);
    let heard = heard();
    // What a program says while it is being ended may be lost, as it is without a proxy.
    for (said, heard) in said.iter().zip(&heard) {
        assert_eq!(said, heard);
    }
    eprintln!(
        "{argv:?}: {} said, {answered} answered, {} heard",
        said.len(),
        heard.len()
    );
    assert!((answered..=said.len()).contains(&heard.len()));
}

#[test]
fn the_compositor_hears_what_a_terminal_says() {
    let script = "seq 1 200; sleep 0.5; seq 1 20; sleep 0.3";
    is_heard(&["foot", "--config=/dev/null", "sh", "-c", script]);
}

#[test]
fn the_compositor_hears_what_a_program_says_that_draws_all_the_time() {
    if need::has(&["weston-simple-shm"]) {
        is_heard(&["timeout", "--signal=INT", "2", "weston-simple-shm"]);
    }
}

#[test]
fn the_compositor_hears_what_a_program_says_that_draws_a_part() {
    if need::has(&["weston-simple-damage"]) {
        is_heard(&["timeout", "--signal=INT", "2", "weston-simple-damage"]);
    }
}

#[test]
fn a_program_sees_the_same_globals_but_for_dmabufs() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    let (_inner, proxy) = proxy(&desktop, LAYOUTS[0]);
    let names = |socket| {
        let text = desktop.output("wayland-info", socket, &[]);
        let names = text.lines().filter_map(|line| {
            Some(
                line.strip_prefix("interface: '")?
                    .split('\'')
                    .next()?
                    .to_owned(),
            )
        });
        names.collect::<Vec<_>>()
    };
    let (all, seen) = (names(&desktop.socket()), names(&proxy.socket));
    assert!(seen.len() > 8 && seen.iter().all(|name| all.contains(name)));
    assert!(!seen.contains(&"zwp_linux_dmabuf_v1".to_owned()));
    assert!(seen.contains(&"wl_shm".to_owned()));
}
