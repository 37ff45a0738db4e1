//! The process of a session: started, signalled, resized, hung up.

use std::fs::{self, File};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cloche_protocol::exec::{Command, SignalName};
use cloche_protocol::frame::Kind;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::Sessions;
use super::channel::set_nonblocking;
use super::output::Output;
use crate::launch::Launch;
use crate::reaper::{Exit, into_file};
use crate::tty;
use crate::wait::wait_readable;

/// Between SIGHUP and SIGKILL for a session whose host is gone.
const HANG_UP_GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}")]
pub struct StartError {
    what: String,
    error: io::Error,
}

impl StartError {
    /// The name of the system's error, such as ENOENT.
    pub fn errno(&self) -> Option<String> {
        self.error
            .raw_os_error()
            .map(|code| format!("{:?}", Errno::from_raw(code)))
    }
}

pub struct Process<'a> {
    sessions: &'a Sessions,
    pub id: Pid,
    pub input: Option<File>,
    pub outputs: Vec<Output>,
    pub exit: Option<Exit>,
    terminal: Option<File>,
}

impl<'a> Process<'a> {
    pub fn start(sessions: &'a Sessions, command: &Command) -> Result<Self, StartError> {
        let program = command.argv.first().map_or("", String::as_str);
        let failed = |error| StartError {
            what: format!("cannot start {program}"),
            error,
        };
        if let Some(cwd) = &command.cwd {
            let error = fs::metadata(cwd).and_then(|data| {
                if data.is_dir() {
                    Ok(())
                } else {
                    Err(Errno::ENOTDIR.into())
                }
            });
            error.map_err(|error| StartError {
                what: format!("cannot enter {cwd}"),
                error,
            })?;
        }
        Self::spawn(sessions, command).map_err(failed)
    }

    fn spawn(sessions: &'a Sessions, command: &Command) -> io::Result<Self> {
        let (account, base) = sessions.users.find(command.user);
        let mut environment = base.clone();
        environment.extend(
            command
                .tty
                .iter()
                .map(|tty| ("TERM".to_owned(), tty.term.clone())),
        );
        environment.extend(command.environment.clone());
        let (argv, cwd) = (&command.argv, command.cwd.as_deref());
        let launch = Launch {
            argv,
            environment: &environment,
            cwd,
            account,
            has_terminal: command.tty.is_some(),
        };
        let mut prepared = launch.command()?;
        let terminal = match &command.tty {
            Some(size) => {
                let pair = tty::open(size.columns, size.rows, account.uid)?;
                prepared
                    .stdin(pair.slave.try_clone()?)
                    .stdout(pair.slave.try_clone()?)
                    .stderr(pair.slave);
                Some(pair.master)
            }
            None => {
                prepared
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                None
            }
        };
        let (mut child, exit) = sessions.reaper.spawn(&mut prepared)?;
        let id = Pid::from_raw(child.id() as i32);
        let mut process = Self {
            sessions,
            id,
            input: None,
            outputs: Vec::new(),
            exit: Some(exit),
            terminal,
        };
        process.input = child.stdin.take().map(into_file);
        process.outputs.extend(
            child
                .stdout
                .take()
                .map(|stream| Output::new(Kind::Stdout, into_file(stream))),
        );
        process.outputs.extend(
            child
                .stderr
                .take()
                .map(|stream| Output::new(Kind::Stderr, into_file(stream))),
        );
        process.connect_terminal()?;
        for file in process
            .input
            .iter()
            .chain(process.outputs.iter().map(|output| &output.file))
        {
            set_nonblocking(file)?;
        }
        Ok(process)
    }

    fn connect_terminal(&mut self) -> io::Result<()> {
        if let Some(master) = &self.terminal {
            self.input = Some(master.try_clone()?);
            self.outputs
                .push(Output::new(Kind::Stdout, master.try_clone()?));
            self.sessions.lock().terminals.push(self.id);
        }
        Ok(())
    }

    pub fn has_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// To the process group. One that has ended gets nothing.
    pub fn signal(&self, name: SignalName) {
        if self.exit.is_some() {
            let _ = killpg(self.id, signal_of(name));
        }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        if let Some(master) = &self.terminal {
            let _ = tty::resize(master, columns, rows);
        }
    }

    /// The status, once `exit` is readable.
    pub fn take_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.exit.take().map(Exit::take).transpose()
    }

    /// Ends the whole session: its host is gone.
    fn hang_up(&mut self, exit: Exit) {
        let started = Instant::now();
        self.input = None;
        self.outputs.clear();
        self.terminal = None;
        let _ = killpg(self.id, Signal::SIGHUP);
        let _ = killpg(self.id, Signal::SIGCONT);
        let _ = wait_readable(&exit, HANG_UP_GRACE);
        if !members(self.id).is_empty() {
            std::thread::sleep(HANG_UP_GRACE.saturating_sub(started.elapsed()));
        }
        for member in members(self.id) {
            let _ = kill(member, Signal::SIGKILL);
        }
        let _ = exit.take();
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        if let Some(exit) = self.exit.take() {
            self.hang_up(exit);
        }
        self.sessions
            .lock()
            .terminals
            .retain(|group| *group != self.id);
    }
}

/// The processes that are in a session, zombies left out.
pub fn members(session: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| is_member(&stat, session))
    })
    .map(Pid::from_raw)
    .collect()
}

/// By proc_pid_stat(5): behind the name in parentheses come state, parent, group and session.
fn is_member(stat: &str, session: Pid) -> bool {
    let rest: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .take(4)
        .collect();
    matches!(rest[..], [state, _, _, id] if state != "Z" && id.parse() == Ok(session.as_raw()))
}

fn signal_of(name: SignalName) -> Signal {
    match name {
        SignalName::Hup => Signal::SIGHUP,
        SignalName::Int => Signal::SIGINT,
        SignalName::Quit => Signal::SIGQUIT,
        SignalName::Kill => Signal::SIGKILL,
        SignalName::Usr1 => Signal::SIGUSR1,
        SignalName::Usr2 => Signal::SIGUSR2,
        SignalName::Pipe => Signal::SIGPIPE,
        SignalName::Alrm => Signal::SIGALRM,
        SignalName::Term => Signal::SIGTERM,
        SignalName::Cont => Signal::SIGCONT,
        SignalName::Stop => Signal::SIGSTOP,
        SignalName::Tstp => Signal::SIGTSTP,
        SignalName::Ttin => Signal::SIGTTIN,
        SignalName::Ttou => Signal::SIGTTOU,
        SignalName::Winch => Signal::SIGWINCH,
    }
}
