//! Exec sessions: one connection from the host, one command, one thread.

mod channel;
mod command;
mod output;
mod pump;
mod queue;
mod serve;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cloche_protocol::EXEC_PORT;
use cloche_protocol::exec::UserName;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::account::Account;
use crate::environment::{self, Environment};
use crate::link::Log;
use crate::reaper::Reaper;
use crate::vsock::Listener;

/// Sessions at once; a host that asks for more is told so.
const MAX_SESSIONS: usize = 64;

/// Whom a session can run as, and the environment that each begins with.
pub struct Users {
    pub user: Account,
    pub user_environment: Environment,
    root: Account,
    root_environment: Environment,
}

impl Users {
    /// `configured` wins over what the accounts have by themselves.
    pub fn new(
        user: Account,
        root: Account,
        has_x11: bool,
        configured: &BTreeMap<String, String>,
    ) -> Self {
        let with_configured = |mut environment: Environment| {
            environment.extend(configured.clone());
            environment
        };
        let user_environment = with_configured(environment::session(&user, has_x11));
        let root_environment = with_configured(environment::base(&root));
        Self {
            user,
            user_environment,
            root,
            root_environment,
        }
    }

    fn find(&self, name: UserName) -> (&Account, &Environment) {
        match name {
            UserName::User => (&self.user, &self.user_environment),
            UserName::Root => (&self.root, &self.root_environment),
        }
    }
}

pub struct Sessions {
    reaper: Reaper,
    users: Users,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    count: usize,
    is_closed: bool,
    /// Process groups that have a terminal.
    terminals: Vec<Pid>,
}

impl Sessions {
    pub fn new(reaper: Reaper, users: Users) -> Arc<Self> {
        Arc::new(Self {
            reaper,
            users,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// No session begins from here on.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    pub fn hang_up_terminals(&self) {
        for group in &self.lock().terminals {
            let _ = killpg(*group, Signal::SIGHUP);
        }
    }

    /// Waits until every session has told the host how it ended.
    pub fn wait_for_last_words(&self, deadline: Duration) {
        drop(
            self.changed
                .wait_timeout_while(self.lock(), deadline, |state| state.count > 0),
        );
    }

    /// Serves one connection to its end.
    pub fn run<S: Read + Write + AsFd>(self: &Arc<Self>, stream: S) {
        let place = self.enter();
        serve::run(stream, self, place.is_some());
    }

    fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.lock();
        let has_room = !state.is_closed && state.count < MAX_SESSIONS;
        has_room.then(|| {
            state.count += 1;
            Place(self.clone())
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the places for sessions, given back when dropped.
struct Place(Arc<Sessions>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().count -= 1;
        self.0.changed.notify_all();
    }
}

/// Takes exec connections from the host from here on.
pub fn listen(reaper: Reaper, users: Users, log: Log) -> Result<Arc<Sessions>, std::io::Error> {
    let sessions = Sessions::new(reaper, users);
    let listener = Listener::bind(EXEC_PORT)?;
    let serving = sessions.clone();
    let serve = move || {
        let error = loop {
            match listener.accept_host() {
                Ok(stream) => serve_in_thread(&serving, stream, &log),
                Err(Errno::EINTR | Errno::ECONNABORTED | Errno::ECONNRESET) => {}
                Err(errno) => break errno,
            }
        };
        log.warn(&format!("exec connections are not taken any more: {error}"));
    };
    thread::Builder::new().name("exec".into()).spawn(serve)?;
    Ok(sessions)
}

fn serve_in_thread(sessions: &Arc<Sessions>, stream: File, log: &Log) {
    let sessions = sessions.clone();
    if let Err(error) = thread::Builder::new()
        .name("session".into())
        .spawn(move || sessions.run(stream))
    {
        log.warn(&format!("an exec connection could not be served: {error}"));
    }
}

#[cfg(test)]
mod tests;
