//! The end of the machine: processes, then shares, then power.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, sync};

use crate::reaper::Reaper;
use crate::session::Sessions;
use crate::shares;

/// Every process but this one, kill(2).
const EVERYONE: Pid = Pid::from_raw(-1);
/// How long killed processes, last words and the shares may take.
const LAST_DEADLINE: Duration = Duration::from_secs(2);

/// SIGTERM to everyone, SIGKILL after `grace`, then power off.
pub fn end_machine(reaper: &Reaper, sessions: Option<&Sessions>, grace: Duration) -> ! {
    if let Some(sessions) = sessions {
        sessions.close();
    }
    let _ = kill(EVERYONE, Signal::SIGTERM);
    let _ = kill(EVERYONE, Signal::SIGCONT);
    if let Some(sessions) = sessions {
        // Interactive shells ignore SIGTERM.
        sessions.hang_up_terminals();
    }
    if !reaper.wait_for_none(grace) {
        let _ = kill(EVERYONE, Signal::SIGKILL);
        reaper.wait_for_none(LAST_DEADLINE);
    }
    if let Some(sessions) = sessions {
        sessions.wait_for_last_words(LAST_DEADLINE);
    }
    let (done, is_done) = mpsc::channel();
    // In a thread: a share whose server is gone would hold it for ever.
    let save = move || {
        sync();
        shares::unmount_all();
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(save).is_ok() {
        let _ = is_done.recv_timeout(LAST_DEADLINE);
    }
    power_off()
}

/// Powers off at once. Does not return, whatever happens: the end of process 1 is a kernel panic.
pub fn power_off() -> ! {
    for mode in [RebootMode::RB_POWER_OFF, RebootMode::RB_AUTOBOOT] {
        let _ = reboot(mode);
    }
    loop {
        thread::park();
    }
}
