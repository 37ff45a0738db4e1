//! Programs that a test needs: without one it is skipped, and says so where the runner counts it.

use std::{env, io::Write, thread};

/// Whether all programs are there. What is missing is told to the runner, or fails the test where CLOCHE_REQUIRE names one of them.
pub fn has(programs: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| env::split_paths(&path).any(|it| it.join(program).exists());
    let required = env::var("CLOCHE_REQUIRE").unwrap_or_default();
    let Some(missing) = Missing::find(programs, is_there, &required) else {
        return true;
    };
    let (test, reason) = (thread::current(), missing.reason);
    assert!(!missing.is_required, "{reason}; CLOCHE_REQUIRE={required}");
    // In one write past libtest, which keeps what a test that passes prints. test/outcome.ts reads the line.
    let line = format!("# SKIP {}: {reason}\n", test.name().unwrap_or("a test"));
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr");
    false
}

#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    pub reason: String,
    pub is_required: bool,
}

impl Missing {
    pub fn find(
        programs: &[&str],
        is_there: impl Fn(&str) -> bool,
        required: &str,
    ) -> Option<Self> {
        let program = programs.iter().find(|program| !is_there(program))?;
        Some(Self {
            reason: format!("{program} is not installed"),
            is_required: required.split(',').any(|name| programs.contains(&name)),
        })
    }
}
