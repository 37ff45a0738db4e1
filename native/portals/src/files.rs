//! What the descriptors of a program are to the host: places in a share, or nothing it can reach.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use cloche_protocol::portals::GuestFile;
use rustix::fs::{OFlags, fcntl_getfl};

/// A virtiofs mount.
#[derive(Debug, Eq, PartialEq)]
struct Share {
    tag: String,
    path: PathBuf,
}

pub fn describe(descriptor: impl AsFd) -> GuestFile {
    let descriptor = descriptor.as_fd();
    let link = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let writable =
        fcntl_getfl(descriptor).is_ok_and(|flags| flags.intersects(OFlags::WRONLY | OFlags::RDWR));
    fs::read_link(link)
        .ok()
        .and_then(|path| locate(&path, &shares(&mounts), writable))
        .unwrap_or(GuestFile::Local {})
}

fn locate(path: &Path, shares: &[Share], writable: bool) -> Option<GuestFile> {
    let inside = |share: &&Share| path.starts_with(&share.path);
    let share = shares
        .iter()
        .filter(inside)
        .max_by_key(|share| share.path.as_os_str().len())?;
    let path = path.strip_prefix(&share.path).ok()?.to_str()?.to_owned();
    let tag = share.tag.clone();
    Some(GuestFile::Shared {
        tag,
        path,
        writable,
    })
}

/// From the lines of proc_pid_mountinfo(5).
fn shares(mounts: &str) -> Vec<Share> {
    let shares = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let (file_system, tag) = (kind.next()?, kind.next()?);
        let path = place.split(' ').nth(4)?;
        (file_system == "virtiofs").then(|| Share {
            tag: tag.to_owned(),
            path: PathBuf::from(unescape(path)),
        })
    });
    shares.collect()
}

/// Undoes the kernel's octal escapes.
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

    const MOUNTS: &str = "22 1 254:0 / / ro - erofs /dev/vda ro\n\
        30 22 0:30 / /home/user rw,nosuid - virtiofs home rw\n\
        31 22 0:31 / /mnt/my\\040files rw - virtiofs share0 rw\n\
        32 30 0:32 / /home/user/doc rw - virtiofs documents rw\n\
        33 22 0:33 / /tmp rw - tmpfs tmpfs rw\n";

    fn place(path: &str) -> Option<(String, String)> {
        match locate(Path::new(path), &shares(MOUNTS), true)? {
            GuestFile::Shared { tag, path, .. } => Some((tag, path)),
            GuestFile::Local {} => None,
        }
    }

    #[test]
    fn a_file_lies_in_the_innermost_share() {
        let at = |tag: &str, path: &str| Some((tag.to_owned(), path.to_owned()));
        assert_eq!(place("/home/user/a/b.txt"), at("home", "a/b.txt"));
        assert_eq!(place("/home/user/doc/1/b.txt"), at("documents", "1/b.txt"));
        assert_eq!(place("/mnt/my files/x"), at("share0", "x"));
        assert_eq!(place("/home/user"), at("home", ""));
    }

    #[test]
    fn what_is_in_no_share_has_no_place() {
        for path in ["/tmp/x", "/etc/passwd", "/home/username/x", "pipe:[123]"] {
            assert_eq!(place(path), None, "{path}");
        }
    }
}
