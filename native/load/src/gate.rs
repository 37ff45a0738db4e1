//! Where whoever measures and the client wait for one another.

use std::io::{BufRead, Write, stdin, stdout};

use crate::failure::Failure;

/// Says that everything is warm, and waits for the line that begins what is measured.
pub fn wait_for_start() -> Result<(), Failure> {
    say("ready")?;
    stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Gives the result, and leaves everything as it is until standard input ends.
pub fn finish(result: &str) -> Result<(), Failure> {
    say(result)?;
    std::io::copy(&mut stdin().lock(), &mut std::io::sink())?;
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut output = stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    Ok(())
}
