//! Whether KVM runs guest code here: proved by running some, in a child process, under a deadline.

mod child;
mod guest_code;
mod memory;
mod permission;
mod process;
mod verdict;

use std::ffi::CString;
use std::time::Duration;

use napi::bindgen_prelude::Object;
use napi::{Env, Error, Result};
use napi_derive::napi;

use crate::system_error::describe;
use memory::Memory;
use process::{Ended, run_under_deadline};
use verdict::{Unusable, read_report, thousands};

#[napi(object)]
pub struct KvmProbe {
    pub usable: bool,
    /// One clause for the user, without a full stop.
    pub reason: String,
}

/// Tries the device. Settles at the deadline (milliseconds) at the latest and never rejects for what the device does.
#[napi(ts_return_type = "Promise<KvmProbe>")]
pub fn probe_kvm(env: &Env, device: String, deadline_ms: u32) -> Result<Object<'_>> {
    let path = CString::new(device.as_str())
        .map_err(|_| Error::from_reason("the device's path contains a zero byte"))?;
    crate::background::in_background(env, move || {
        let deadline = Duration::from_millis(deadline_ms.into());
        Ok(match probe(&path, deadline) {
            Ok(microseconds) => KvmProbe {
                usable: true,
                reason: format!(
                    "{device} ran {} guest instructions in {} ms",
                    thousands(guest_code::INSTRUCTIONS),
                    microseconds.div_ceil(1000)
                ),
            },
            Err(unusable) => KvmProbe {
                usable: false,
                reason: unusable.in_words(&device),
            },
        })
    })
}

/// How long the guest code took, in microseconds.
fn probe(device: &CString, deadline: Duration) -> std::result::Result<u64, Unusable> {
    let cannot_try = |errno| Unusable::CannotTry(describe(errno));
    let memory = Memory::new().map_err(cannot_try)?;
    guest_code::load(&memory);
    // SAFETY: the child makes system calls only, on memory that exists before it does.
    let ended = unsafe { run_under_deadline(deadline, || child::try_device(device, &memory)) };
    read_report(
        &memory,
        ended.map_err(cannot_try)? == Ended::ByItself,
        deadline,
    )
}
