//! Locks on files, held by a descriptor (flock): closing it, or the end of every process that has it, releases them.

use napi::bindgen_prelude::Object;
use napi::{Env, Error};
use napi_derive::napi;
use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

use crate::system_error::{Result, describe, system_error};

/// The descriptor that holds the lock, or null where another holds it.
#[napi]
pub fn try_lock_file(path: String) -> Result<Option<i32>> {
    let file = open_lock(&path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file.into_raw_fd())),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(system_error(&format!("flock {path}"), errno)),
    }
}

/// The descriptor that holds the lock, once it is free.
#[napi(ts_return_type = "Promise<number>")]
pub fn wait_lock_file(env: &Env, path: String) -> napi::Result<Object<'_>> {
    let file = open_lock(&path).map_err(|error| Error::from_reason(error.reason.clone()))?;
    crate::background::in_background(env, move || {
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(file.into_raw_fd()),
                Err(Errno::INTR) => {}
                Err(errno) => {
                    return Err(Error::from_reason(format!(
                        "flock {path}: {}",
                        describe(errno)
                    )));
                }
            }
        }
    })
}

fn open_lock(path: &str) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    open(path, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| system_error(&format!("open {path}"), errno))
}
