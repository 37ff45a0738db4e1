//! The device to the host's windows: waits for it, and gives it to one account.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cloche_cross_domain::gpu::find::find_cross_domain;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::wait::wait_readable;

pub const DIRECTORY: &str = "/dev/dri";
const PARENT: &str = "/dev";
/// It may be plugged in while the machine starts.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("no virtio-gpu device that leads to the host's windows came in {DEADLINE:?}")]
    Deadline,
    #[error("cannot watch {PARENT}: {0}")]
    Watch(#[from] Errno),
    #[error("cannot wait for the virtio-gpu device: {0}")]
    Wait(io::Error),
    #[error("cannot give {path} to the Wayland process: {error}")]
    Give { path: String, error: io::Error },
}

/// The render node with a cross-domain context.
pub fn wait_for_device() -> Result<PathBuf, NodeError> {
    let created = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    created.add_watch(PARENT, AddWatchFlags::IN_CREATE)?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        // Watched before it is looked into, so that nothing comes unseen; there is none before the first device.
        let _ = created.add_watch(DIRECTORY, AddWatchFlags::IN_CREATE);
        if let Some(node) = find_cross_domain(Path::new(DIRECTORY)) {
            return Ok(node);
        }
        let left = deadline
            .checked_duration_since(Instant::now())
            .ok_or(NodeError::Deadline)?;
        if wait_readable(&created, left).map_err(NodeError::Wait)? {
            // What was made does not matter: the search begins anew.
            let _ = created.read_events();
        }
    }
}

/// Nobody else but root can open the device afterwards, by this node or the device's others.
pub fn give(node: &Path, owner: u32) -> Result<(), NodeError> {
    let failed = |path: &Path, error| NodeError::Give {
        path: path.display().to_string(),
        error,
    };
    let entries = fs::read_dir(DIRECTORY).map_err(|error| failed(Path::new(DIRECTORY), error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_device = path.is_file() || !path.is_dir();
        let has_name = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("card"));
        if is_device && (has_name || path == node) {
            let owner = if path == node { owner } else { 0 };
            chown(&path, Some(owner), Some(owner))
                .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
                .map_err(|error| failed(&path, error))?;
        }
    }
    Ok(())
}
