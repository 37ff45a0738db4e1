//! When a process started: with its id, that names one process for good.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

/// Clock ticks since boot, or null where there is no such process.
#[napi]
pub fn process_start_time(pid: u32) -> Option<BigInt> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&stat).map(BigInt::from)
}

/// Field 22 of proc_pid_stat(5). Field 2, the program's name, may hold anything but stands in the last parentheses.
fn parse(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    // The first of the rest is field 3.
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_past_a_name_with_parentheses_and_bytes_that_are_not_text() {
        let stat = b"7 (a) R 9 (\xff) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        assert_eq!(parse(stat), Some(4242));
    }

    #[test]
    fn gives_nothing_for_a_line_that_ends_early() {
        assert_eq!(parse(b"7 (a) S 1 2 3"), None);
        assert_eq!(parse(b""), None);
    }
}
