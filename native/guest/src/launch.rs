//! Prepares a process: its account, its session, its directory, its environment.

use std::ffi::CString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, chdir, geteuid, setgid, setgroups, setsid, setuid};

use crate::account::Account;
use crate::environment::Environment;

pub struct Launch<'a> {
    pub argv: &'a [String],
    pub environment: &'a Environment,
    /// The account's home when there is none, and / where that cannot be entered.
    pub cwd: Option<&'a str>,
    pub account: &'a Account,
    /// Whether standard input is a terminal that the process is to control.
    pub has_terminal: bool,
}

impl Launch<'_> {
    /// A command in a session of its own. Its standard streams are the caller's to set.
    pub fn command(&self) -> io::Result<Command> {
        let (program, arguments) = self.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.environment);
        let home = CString::new(self.account.home.as_str())?;
        let cwd = self.cwd.map(CString::new).transpose()?;
        let (uid, gid) = (
            Uid::from_raw(self.account.uid),
            Gid::from_raw(self.account.gid),
        );
        let groups: Vec<Gid> = self
            .account
            .groups
            .iter()
            .copied()
            .map(Gid::from_raw)
            .collect();
        let has_terminal = self.has_terminal;
        let prepare = move || {
            setsid()?;
            if has_terminal {
                crate::tty::control_stdin()?;
            }
            if geteuid().is_root() {
                setgroups(&groups)?;
                setgid(gid)?;
                setuid(uid)?;
            }
            umask(Mode::from_bits_truncate(0o022));
            match &cwd {
                Some(cwd) => chdir(cwd.as_c_str())?,
                None => chdir(home.as_c_str()).or_else(|_| chdir(c"/"))?,
            }
            Ok(())
        };
        // SAFETY: between fork and exec it makes system calls only, on values that were allocated before.
        unsafe { command.pre_exec(prepare) };
        Ok(command)
    }
}
