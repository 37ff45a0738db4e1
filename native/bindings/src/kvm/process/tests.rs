use std::time::{Duration, Instant};

use super::{Ended, run_under_deadline};

#[test]
fn a_child_that_returns_has_ended_by_itself() {
    // SAFETY: the child does nothing.
    let ended = unsafe { run_under_deadline(Duration::from_secs(5), || {}) };
    assert_eq!(ended, Ok(Ended::ByItself));
}

#[test]
fn a_child_that_hangs_in_a_system_call_is_gone_at_the_deadline() {
    let started = Instant::now();
    // SAFETY: one system call, again and again.
    let ended = unsafe {
        run_under_deadline(Duration::from_millis(50), || {
            loop {
                libc::pause();
            }
        })
    };
    assert_eq!(ended, Ok(Ended::ByDeadline));
    assert!(started.elapsed() < Duration::from_secs(2));
}
