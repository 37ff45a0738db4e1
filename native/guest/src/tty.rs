//! Pseudo-terminals.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, fchown, geteuid};

/// The character that ends the input of a terminal in its usual mode, control-D.
pub const END_OF_FILE: u8 = 4;
/// The group of terminals in every Debian.
const TTY_GROUP: u32 = 5;

pub struct Pair {
    pub master: File,
    pub slave: OwnedFd,
}

/// A terminal that belongs to `owner`.
pub fn open(columns: u16, rows: u16, owner: u32) -> io::Result<Pair> {
    let OpenptyResult { master, slave } = openpty(&window(columns, rows), None)?;
    for descriptor in [&master, &slave] {
        nix::fcntl::fcntl(
            descriptor,
            nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC),
        )?;
    }
    if geteuid().is_root() {
        fchown(
            &slave,
            Some(Uid::from_raw(owner)),
            Some(Gid::from_raw(TTY_GROUP)),
        )?;
        fchmod(&slave, Mode::from_bits_truncate(0o620))?;
    }
    Ok(Pair {
        master: File::from(master),
        slave,
    })
}

pub fn resize(master: &File, columns: u16, rows: u16) -> io::Result<()> {
    let size = window(columns, rows);
    // SAFETY: the descriptor is open, and TIOCSWINSZ reads one winsize.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Ok(Errno::result(result).map(drop)?)
}

/// Makes standard input the controlling terminal of this session. Safe between fork and exec.
pub fn control_stdin() -> io::Result<()> {
    // SAFETY: TIOCSCTTY takes an integer.
    let result = unsafe { libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0) };
    Ok(Errno::result(result).map(drop)?)
}

fn window(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
