//! A lens between a scripted compositor and raw clients, all over Unix sockets in a folder of the test's own.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod compositor;
pub mod need;
pub mod wire;

use std::{
    fs,
    io::Read,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use compositor::Compositor;
use rustix::io::{FdFlags, fcntl_setfd};
use wire::Peer;

pub const DEADLINE: Duration = Duration::from_secs(10);

pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "lens-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("folder");
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Lens {
    child: Child,
    pub socket: PathBuf,
}

impl Lens {
    /// Starts a lens for foot@work and waits for it to listen.
    pub fn start(folder: &Folder, compositor: &Path, options: &[&str]) -> Self {
        let socket = folder.join("lens");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloche-lens"));
        command
            .arg("--listen")
            .arg(&socket)
            .arg("--compositor")
            .arg(compositor);
        command
            .args(["--instance", "foot@work"])
            .args(options)
            .env("TMPDIR", folder.join(""));
        let (mut ready, said) = std::io::pipe().expect("pipe");
        fcntl_setfd(&said, FdFlags::empty()).expect("inheritable");
        command.arg("--ready-fd").arg(said.as_raw_fd().to_string());
        let child = command.stderr(Stdio::piped()).spawn().expect("lens");
        drop(said);
        let lens = Self { child, socket };
        ready.read_exact(&mut [0]).expect("the lens to be ready");
        lens
    }

    pub fn connect(&self) -> Peer {
        Peer::new(UnixStream::connect(&self.socket).expect("connect to the lens"))
    }

    pub fn resident_kib(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("VmRSS");
        line.split_whitespace()
            .nth(1)
            .and_then(|size| size.parse().ok())
            .expect("size")
    }

    pub fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .expect("descriptors")
            .count()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("kill");
    }

    /// Waits for the end; the output is what it said on stderr.
    pub fn finish(mut self) -> Output {
        let mut stderr = Vec::new();
        let mut pipe = self.child.stderr.take().expect("stderr");
        pipe.read_to_end(&mut stderr).expect("read stderr");
        Output {
            status: self.child.wait().expect("wait"),
            stdout: Vec::new(),
            stderr,
        }
    }
}

impl Drop for Lens {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A compositor with these globals, and a lens in front of it.
pub fn desktop(globals: &[(&str, u32)], options: &[&str]) -> (Folder, Compositor, Lens) {
    let folder = Folder::new();
    let compositor = Compositor::start(&folder.join("compositor"), globals);
    let lens = Lens::start(&folder, &folder.join("compositor"), options);
    (folder, compositor, lens)
}

pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
