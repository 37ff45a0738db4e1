//! Short lines on the machine's console: `cloche-guest: <stage>: <message>`.

use std::fs::File;
use std::io::{self, Write};

/// Opens the console as standard output and error, and nothing as standard input.
pub fn attach() -> io::Result<()> {
    let console = File::options().write(true).open("/dev/console")?;
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    nix::unistd::dup2_stdout(&console)?;
    nix::unistd::dup2_stderr(&console)?;
    Ok(())
}

pub fn say(stage: &str, message: &str) {
    // One write, so that lines of other processes do not mix in; a console that is gone is no failure.
    let _ = io::stderr().write_all(format!("cloche-guest: {stage}: {message}\n").as_bytes());
}
