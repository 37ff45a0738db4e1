//! A proxy's log on stderr: warnings, one line a second at most, free of what a guest could put in them to deceive a terminal.

use std::{
    error::Error,
    panic,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use log::{Level, LevelFilter, Log, Metadata, Record};

const PAUSE: Duration = Duration::from_secs(1);
const LINE_CHARACTERS: usize = 400;

/// The target of panics, which other lines don't hold back.
const PANIC: &str = "panic";

static LOGGER: Logger = Logger {
    name: OnceLock::new(),
    usual: Mutex::new(None),
    panics: Mutex::new(None),
};

/// When the last line was written, and how many were held back since.
type Last = Mutex<Option<(Instant, u32)>>;

struct Logger {
    name: OnceLock<&'static str>,
    usual: Last,
    panics: Last,
}

/// Lines begin with the program's name from here on.
pub fn install(name: &'static str) {
    // Fails only when a logger is already set.
    if LOGGER.name.set(name).is_ok() && log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
        // A client that makes its thread panic gets no more lines than any other.
        panic::set_hook(Box::new(|panic| log::error!(target: PANIC, "{panic}")));
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LINE_CHARACTERS)
        .collect()
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let last = if record.target() == PANIC {
            &self.panics
        } else {
            &self.usual
        };
        let Ok(mut last) = last.lock() else {
            return;
        };
        let held_back = match &mut *last {
            Some((then, count)) if then.elapsed() < PAUSE => {
                *count += 1;
                return;
            }
            Some((_, count)) => *count,
            None => 0,
        };
        *last = Some((Instant::now(), 0));
        let more = if held_back > 0 {
            format!(" ({held_back} lines held back before)")
        } else {
            String::new()
        };
        let name = self.name.get().copied().unwrap_or_default();
        eprintln!("{name}: {}{more}", clean(&record.args().to_string()));
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_plain() {
        assert_eq!(clean("a\n\u{1b}[2Jb"), "a  [2Jb");
        assert_eq!(clean(&"x".repeat(1000)).len(), LINE_CHARACTERS);
    }

    #[test]
    fn an_error_is_told_with_its_causes_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("can't connect")]
        struct Outer(#[source] std::io::Error);
        let outer = Outer(std::io::Error::other("refused"));
        assert_eq!(chain(&outer), "can't connect: refused");
    }
}
