//! Opens what lies in a directory that somebody else fills: no link, `..` or mount leads out of it.

use napi_derive::napi;
use rustix::fd::IntoRawFd;
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

use crate::system_error::{Result, system_error};

/// Tries when the tree is renamed under the walk; openat2(2) gives EAGAIN then.
const TRIES: usize = 8;

/// How it is opened: `path` names the file only (O_PATH); the others open it, if it is a regular file.
#[napi(string_enum = "kebab-case")]
pub enum Access {
    Path,
    Read,
    Write,
}

/// A descriptor of `path`, relative to `directory`; empty for the directory itself.
#[napi]
pub fn open_beneath(directory: String, path: String, access: Access) -> Result<i32> {
    let fail = |errno| system_error(&format!("openat2 {path} in {directory}"), errno);
    let root = open(
        &directory,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let root = root.map_err(fail)?;
    let how = match access {
        Access::Path => OFlags::PATH,
        // A FIFO must not hold us up, nor a terminal become ours.
        Access::Read => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
        Access::Write => OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY,
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let name = if path.is_empty() { "." } else { path.as_str() };
    for _ in 0..TRIES {
        match openat2(&root, name, how | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Ok(file) => return Ok(file.into_raw_fd()),
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(fail(errno)),
        }
    }
    Err(fail(Errno::AGAIN))
}
