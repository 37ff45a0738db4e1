//! Waits for the disk that holds the image's root: the virtio disk with the serial "root", or /dev/vda without any.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::wait::wait_readable;

const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("no disk with the serial \"root\" came in {DEADLINE:?}")]
    Deadline,
    #[error("cannot watch /dev: {0}")]
    Watch(#[from] Errno),
    #[error("cannot look for disks: {0}")]
    List(#[from] io::Error),
}

pub fn wait_for_root() -> Result<PathBuf, DiskError> {
    let created = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    created.add_watch("/dev", AddWatchFlags::IN_CREATE)?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(disk) = find_root(Path::new("/sys/block"), Path::new("/dev"))? {
            return Ok(disk);
        }
        let left = deadline
            .checked_duration_since(Instant::now())
            .ok_or(DiskError::Deadline)?;
        if wait_readable(&created, left)? {
            // What was made does not matter: the search begins anew.
            let _ = created.read_events();
        }
    }
}

fn find_root(sys_block: &Path, dev: &Path) -> io::Result<Option<PathBuf>> {
    let mut unnamed = None;
    for entry in fs::read_dir(sys_block)? {
        let entry = entry?;
        let name = entry.file_name();
        let node = dev.join(&name);
        if !name.to_string_lossy().starts_with("vd") || !node.exists() {
            continue;
        }
        match fs::read_to_string(entry.path().join("serial"))
            .unwrap_or_default()
            .trim()
        {
            "root" => return Ok(Some(node)),
            "" if name == "vda" => unnamed = Some(node),
            _ => {}
        }
    }
    Ok(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(disks: &[(&str, &str)]) -> Option<String> {
        let top = std::env::temp_dir().join(format!(
            "cloche-disk-{}-{}",
            std::process::id(),
            disks.len()
        ));
        for (name, serial) in disks {
            fs::create_dir_all(top.join("sys").join(name)).expect("writable");
            fs::create_dir_all(top.join("dev")).expect("writable");
            fs::write(top.join("sys").join(name).join("serial"), serial).expect("writable");
            fs::write(top.join("dev").join(name), "").expect("writable");
        }
        let disk = find_root(&top.join("sys"), &top.join("dev")).expect("readable");
        fs::remove_dir_all(&top).expect("removable");
        disk.and_then(|disk| {
            disk.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
    }

    #[test]
    fn the_serial_decides_and_vda_without_one_is_taken() {
        assert_eq!(
            found(&[("vda", "data\n"), ("vdb", "root")]),
            Some("vdb".into())
        );
        assert_eq!(
            found(&[("vda", "data"), ("sda", "root"), ("vdb", "")]),
            None
        );
        assert_eq!(found(&[("vda", "")]), Some("vda".into()));
    }
}
