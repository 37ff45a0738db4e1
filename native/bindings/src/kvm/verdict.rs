//! What the probe found, in words.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use kvm_bindings::{KVM_EXIT_HLT, KVM_EXIT_INTERNAL_ERROR};
use rustix::io::Errno;

use super::memory::Memory;
use super::{guest_code, permission};
use crate::system_error::describe;

/// How far the child came; its number is what the report holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Step {
    Open = 1,
    Version,
    Machine,
    Processor,
    Registers,
    Run,
    Stopped,
}

#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unusable {
    #[error("does not open: {}", describe(*.0))]
    Open(Errno),
    #[error("opens, but is not KVM's device")]
    NotKvm,
    #[error("opens, but speaks version {0} of KVM's interface instead of 12")]
    Version(i32),
    #[error("opens, but makes no machine: {}", describe(*.0))]
    Machine(Errno),
    #[error("opens, but makes no processor: {}", describe(*.0))]
    Processor(Errno),
    #[error("opens, but takes no 64-bit registers: {}", describe(*.0))]
    Registers(Errno),
    #[error("opens, but does not run a guest: {}", describe(*.0))]
    Run(Errno),
    #[error(
        "opens, but interprets guest code instead of running it, and gave up after {} of {} instructions; \
         hardware virtualisation is not really there",
        thousands(*.0), thousands(guest_code::INSTRUCTIONS)
    )]
    Interpreted(u64),
    #[error("opens, but its guest stopped for an unexpected reason ({0})")]
    Exit(u32),
    #[error("opens, but its guest counted wrong")]
    Result,
    #[error(
        "opens, but ran {} of {} guest instructions in {milliseconds} ms; hardware virtualisation is not really there",
        thousands(*.instructions), thousands(guest_code::INSTRUCTIONS)
    )]
    Slow {
        instructions: u64,
        milliseconds: u128,
    },
    #[error("did not answer in {0} ms")]
    Silent(u128),
    #[error("could not be tried: the process that does it ended early")]
    Ended,
    #[error("could not be tried: {0}")]
    CannotTry(String),
}

impl Unusable {
    /// "/dev/kvm opens, but …"
    pub fn in_words(&self, device: &str) -> String {
        match self {
            Self::Open(Errno::NOENT) => format!(
                "there is no {device}: virtualisation is switched off in the firmware, or the kernel's module kvm is not loaded"
            ),
            Self::Open(Errno::ACCESS | Errno::PERM) => permission::in_words(device),
            other => format!("{device} {other}"),
        }
    }
}

/// How long the guest ran, in microseconds, or what was wrong.
pub fn read_report(memory: &Memory, ended: bool, deadline: Duration) -> Result<u64, Unusable> {
    let report = memory.report();
    let step = report.step.load(Relaxed);
    let errno = report.errno.load(Relaxed);
    let milliseconds = deadline.as_millis();
    if !ended {
        return Err(if step == Step::Run as u32 {
            Unusable::Slow {
                instructions: guest_code::instructions_run(memory),
                milliseconds,
            }
        } else {
            Unusable::Silent(milliseconds)
        });
    }
    if errno != 0 {
        return Err(failed_at(step, Errno::from_raw_os_error(errno)));
    }
    if step == Step::Version as u32 {
        return Err(Unusable::Version(report.version.load(Relaxed)));
    }
    if step != Step::Stopped as u32 {
        return Err(Unusable::Ended);
    }
    match report.exit.load(Relaxed) {
        KVM_EXIT_HLT if guest_code::result_is_right(memory) => {
            Ok(report.microseconds.load(Relaxed))
        }
        KVM_EXIT_HLT => Err(Unusable::Result),
        KVM_EXIT_INTERNAL_ERROR => Err(Unusable::Interpreted(guest_code::instructions_run(memory))),
        other => Err(Unusable::Exit(other)),
    }
}

fn failed_at(step: u32, errno: Errno) -> Unusable {
    const OPEN: u32 = Step::Open as u32;
    const VERSION: u32 = Step::Version as u32;
    const MACHINE: u32 = Step::Machine as u32;
    const PROCESSOR: u32 = Step::Processor as u32;
    const REGISTERS: u32 = Step::Registers as u32;
    match step {
        OPEN => Unusable::Open(errno),
        VERSION => Unusable::NotKvm,
        MACHINE => Unusable::Machine(errno),
        PROCESSOR => Unusable::Processor(errno),
        REGISTERS => Unusable::Registers(errno),
        _ => Unusable::Run(errno),
    }
}

/// "6,000,000"
pub fn thousands(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{},{:03}", thousands(number / 1000), number % 1000)
}
