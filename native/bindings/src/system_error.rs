//! Errors of system calls as JavaScript sees them: `code` is the errno's name, the message names the call.

use napi::Error;
use rustix::io::Errno;

/// A JavaScript error whose `code` is free text; napi's own has a fixed list.
pub type Result<T> = std::result::Result<T, Error<String>>;

pub fn system_error(call: &str, errno: Errno) -> Error<String> {
    Error::new(name(errno), format!("{call}: {}", describe(errno)))
}

/// "No such file or directory"
pub fn describe(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// "ENOENT": those that the calls of this crate give, the rest by number.
fn name(errno: Errno) -> String {
    let known = match errno {
        Errno::ACCESS => "EACCES",
        Errno::BADF => "EBADF",
        Errno::INVAL => "EINVAL",
        Errno::ISDIR => "EISDIR",
        Errno::LOOP => "ELOOP",
        Errno::MFILE => "EMFILE",
        Errno::NAMETOOLONG => "ENAMETOOLONG",
        Errno::NFILE => "ENFILE",
        Errno::NODEV => "ENODEV",
        Errno::NOENT => "ENOENT",
        Errno::NOLCK => "ENOLCK",
        Errno::NOMEM => "ENOMEM",
        Errno::NOSPC => "ENOSPC",
        Errno::NOSYS => "ENOSYS",
        Errno::NOTDIR => "ENOTDIR",
        Errno::PERM => "EPERM",
        Errno::ROFS => "EROFS",
        Errno::SRCH => "ESRCH",
        Errno::XDEV => "EXDEV",
        other => return format!("errno {}", other.raw_os_error()),
    };
    known.to_owned()
}
