//! The lens's front end: a listening Unix socket, inherited or made, and the word that it is ready.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::{
        fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
};

use rustix::{io::FdFlags, io::fcntl_setfd, net::sockopt::socket_acceptconn};
use thiserror::Error;

use crate::args::Listen;

#[derive(Debug, Error)]
pub enum FrontError {
    #[error("can't listen at {0}")]
    Bind(PathBuf, #[source] io::Error),
    #[error("descriptor {0} is not open")]
    Closed(RawFd, #[source] io::Error),
    #[error("descriptor {0} is not a listening socket")]
    NotListening(RawFd),
    #[error("can't say that the lens is ready")]
    Ready(#[source] io::Error),
}

/// A socket that was made here loses its name on drop.
pub struct Front {
    pub listener: UnixListener,
    path: Option<PathBuf>,
}

impl Front {
    pub fn open(listen: &Listen) -> Result<Self, FrontError> {
        match listen {
            Listen::Path(path) => Self::bind(path),
            Listen::Descriptor(number) => {
                let socket = inherit(*number)?;
                match socket_acceptconn(&socket) {
                    Ok(true) => Ok(Self {
                        listener: socket.into(),
                        path: None,
                    }),
                    _ => Err(FrontError::NotListening(*number)),
                }
            }
        }
    }

    fn bind(path: &Path) -> Result<Self, FrontError> {
        let listener =
            UnixListener::bind(path).map_err(|error| FrontError::Bind(path.to_owned(), error))?;
        Ok(Self {
            listener,
            path: Some(path.to_owned()),
        })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

pub fn say_ready(number: RawFd) -> Result<(), FrontError> {
    File::from(inherit(number)?)
        .write_all(b"\n")
        .map_err(FrontError::Ready)
}

/// Takes over a descriptor named on the command line.
fn inherit(number: RawFd) -> Result<OwnedFd, FrontError> {
    // SAFETY: borrowed for this one call, which fails on a number that is not open; the command line admits no -1.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_setfd(borrowed, FdFlags::CLOEXEC)
        .map_err(|error| FrontError::Closed(number, error.into()))?;
    // SAFETY: the descriptor is open, was handed over by whoever started the lens, and each option names its own.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
