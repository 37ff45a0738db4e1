//! Host directories in the guest: virtiofs by tag. What is read-only is so on the host; the flag here only makes it visible.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use cloche_protocol::control::Mount;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    #[error("{0:?} is not an absolute, normalised path below the root")]
    Path(String),
    #[error("cannot make {}: {error}", path.display())]
    Make { path: PathBuf, error: io::Error },
    #[error("cannot mount the share {tag} at {}: {errno}", path.display())]
    Mount {
        tag: String,
        path: PathBuf,
        errno: Errno,
    },
}

pub fn mount_all(mounts: &[Mount]) -> Result<(), ShareError> {
    mounts.iter().try_for_each(mount_share)
}

fn mount_share(share: &Mount) -> Result<(), ShareError> {
    let path = check_path(&share.path)?;
    fs::create_dir_all(path).map_err(|error| ShareError::Make {
        path: path.to_owned(),
        error,
    })?;
    let mut flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    flags.set(MsFlags::MS_RDONLY, share.read_only);
    mount(
        Some(share.tag.as_str()),
        path,
        Some("virtiofs"),
        flags,
        None::<&str>,
    )
    .map_err(|errno| ShareError::Mount {
        tag: share.tag.clone(),
        path: path.to_owned(),
        errno,
    })
}

fn check_path(text: &str) -> Result<&Path, ShareError> {
    let path = Path::new(text);
    let mut components = path.components();
    let is_normal = components.next() == Some(Component::RootDir)
        && components.clone().next().is_some()
        && components.all(|component| matches!(component, Component::Normal(_)))
        && !text.contains('\0')
        // Path::components hides these.
        && !text.contains("//") && !text.ends_with('/') && !text.split('/').any(|part| part == ".");
    is_normal
        .then_some(path)
        .ok_or_else(|| ShareError::Path(text.to_owned()))
}

/// Unmounts every share, the last one first.
pub fn unmount_all() {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    for path in virtiofs_paths(&mounts).iter().rev() {
        if umount2(path, MntFlags::empty()).is_err() {
            let _ = umount2(path, MntFlags::MNT_DETACH);
        }
    }
}

fn virtiofs_paths(mounts: &str) -> Vec<PathBuf> {
    let paths = mounts
        .lines()
        .filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [_, path, "virtiofs", ..] => Some(PathBuf::from(unescape(path))),
            _ => None,
        });
    paths.collect()
}

/// Undoes the kernel's octal escapes, proc_pid_mounts(5).
fn unescape(text: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escape, character)| {
        text.replace(escape, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_normalised_paths_are_mounted_at() {
        for path in [
            "", "/", "mnt", "//mnt", "/mnt/", "/mnt//a", "/mnt/.", "/mnt/./a", "/mnt/..",
            "/a/../b", "/a\0b",
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        for path in ["/home/user", "/mnt/a b", "/mnt/..a", "/mnt/é"] {
            assert!(check_path(path).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn shares_are_found_in_the_list_of_mounts() {
        let mounts = "proc /proc proc rw 0 0\nhome /home/user virtiofs rw 0 0\na /mnt/my\\040files virtiofs ro 0 0\n";
        assert_eq!(
            virtiofs_paths(mounts),
            [PathBuf::from("/home/user"), PathBuf::from("/mnt/my files")]
        );
    }
}
