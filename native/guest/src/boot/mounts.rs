//! The kernel's file systems and the machine's temporary ones.

use std::os::unix::fs::symlink;
use std::{fs, io};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

#[derive(Debug, thiserror::Error)]
pub enum MountError {
    #[error("cannot mount {kind} at {target}: {errno}")]
    Mount {
        kind: &'static str,
        target: &'static str,
        errno: Errno,
    },
    #[error("cannot make {path}: {error}")]
    Make {
        path: &'static str,
        error: io::Error,
    },
}

const NOTHING: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC);
const NO_DEVICES: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// What finding the root disk needs.
pub fn mount_early() -> Result<(), MountError> {
    attach("proc", "/proc", NOTHING, "")?;
    attach("sysfs", "/sys", NOTHING, "")?;
    attach("devtmpfs", "/dev", MsFlags::MS_NOSUID, "mode=0755")
}

/// What programs expect, in the image's root.
pub fn mount_late() -> Result<(), MountError> {
    // Group 5 is tty in every Debian.
    attach(
        "devpts",
        "/dev/pts",
        MsFlags::MS_NOSUID.union(MsFlags::MS_NOEXEC),
        "gid=5,mode=0620,ptmxmode=0666",
    )?;
    attach("tmpfs", "/dev/shm", NO_DEVICES, "mode=1777")?;
    attach("cgroup2", "/sys/fs/cgroup", NOTHING, "")?;
    attach("tmpfs", "/run", NO_DEVICES, "mode=0755")?;
    attach("tmpfs", "/tmp", NO_DEVICES, "mode=1777")?;
    for (path, target) in [
        ("/dev/fd", "fd"),
        ("/dev/stdin", "fd/0"),
        ("/dev/stdout", "fd/1"),
        ("/dev/stderr", "fd/2"),
    ] {
        symlink(format!("/proc/self/{target}"), path)
            .map_err(|error| MountError::Make { path, error })?;
    }
    Ok(())
}

fn attach(
    kind: &'static str,
    target: &'static str,
    flags: MsFlags,
    data: &str,
) -> Result<(), MountError> {
    fs::create_dir_all(target).map_err(|error| MountError::Make {
        path: target,
        error,
    })?;
    mount(Some(kind), target, Some(kind), flags, Some(data)).map_err(|errno| MountError::Mount {
        kind,
        target,
        errno,
    })
}
