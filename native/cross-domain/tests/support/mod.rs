//! A proxy between raw clients and a scripted compositor, with a scripted device in the middle.
#![allow(dead_code, reason = "each test file uses a part")]

#[path = "../../../lens/tests/support/compositor.rs"]
pub mod compositor;
pub mod device;
#[path = "../../../lens/tests/support/need.rs"]
pub mod need;
pub mod screen;
pub mod traffic;
#[path = "../../../lens/tests/support/wire.rs"]
pub mod wire;

use std::{
    fs,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use cloche_cross_domain::proxy::{self, counters::Counters};
use compositor::Compositor;
use device::{Device, Layout, Shared};
use wire::Peer;

pub const DEADLINE: Duration = Duration::from_secs(10);
pub const LAYOUTS: [Layout; 2] = [Layout::Window, Layout::Files];

pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "proxy-test-{}-{}",
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

/// What the proxy did for its clients, in the order in which they came.
#[derive(Default)]
pub struct Served {
    pub counters: Vec<Arc<Counters>>,
    pub devices: Vec<Arc<Shared>>,
    /// How each ended that has.
    pub ended: Vec<String>,
}

pub struct Proxy {
    pub socket: PathBuf,
    served: Arc<Mutex<Served>>,
}

impl Proxy {
    /// Serves clients from here on, each over a device file of its own that leads to `wayland`.
    pub fn start(folder: &Folder, layout: Layout, wayland: &Path) -> Self {
        let socket = folder.join("proxy");
        let listener = UnixListener::bind(&socket).expect("proxy");
        let served = Arc::<Mutex<Served>>::default();
        let (wayland, serving) = (wayland.to_owned(), served.clone());
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (wayland, serving) = (wayland.clone(), serving.clone());
                thread::spawn(move || {
                    let counters = Arc::<Counters>::default();
                    let device = Device::open(layout, &wayland);
                    {
                        let mut served = serving.lock().expect("served");
                        served.counters.push(counters.clone());
                        served.devices.push(device.shared.clone());
                    }
                    let outcome = proxy::serve(stream.into(), Rc::new(device), &counters);
                    let how = outcome.map_or_else(|error| error.to_string(), |()| "well".into());
                    serving.lock().expect("served").ended.push(how);
                });
            }
        });
        Self { socket, served }
    }

    pub fn connect(&self) -> Peer {
        Peer::new(UnixStream::connect(&self.socket).expect("connect to the proxy"))
    }

    pub fn served(&self) -> std::sync::MutexGuard<'_, Served> {
        self.served.lock().expect("served")
    }

    /// Frames, bytes damaged, bytes copied of the nth client.
    pub fn counted(&self, client: usize) -> (u64, u64, u64) {
        self.served().counters[client].read()
    }
}

/// A compositor with these globals, and a proxy that leads to it.
pub fn desktop(layout: Layout, globals: &[(&str, u32)]) -> (Folder, Compositor, Proxy) {
    let folder = Folder::new();
    let compositor = Compositor::start(&folder.join("compositor"), globals);
    let proxy = Proxy::start(&folder, layout, &folder.join("compositor"));
    (folder, compositor, proxy)
}

pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
