//! From the initramfs to the image's own root: file systems, modules, disk, root.

mod disk;
mod modules;
mod mounts;
mod root;

use nix::sys::resource::{Resource, setrlimit};

use crate::console;
use crate::failure::{AtStage, Failure};
use crate::timeline::Timeline;

/// Descriptors a process may open: what it begins with, and what it may raise that to (systemd's figures).
const OPEN_FILES: (u64, u64) = (1024, 524_288);
/// Milliseconds. Rather than push out pages that were used so lately, the kernel kills what takes the memory: without swap the
/// machine would read its own programs from the disk again and again, and stand still.
const WORKING_SET: (&str, &str) = ("/sys/kernel/mm/lru_gen/min_ttl_ms", "1000");

/// Returns what went wrong on the way without stopping it.
pub fn run(timeline: &mut Timeline) -> Result<Vec<String>, Failure> {
    mounts::mount_early().at("boot")?;
    console::attach().at("boot")?;
    let warnings = modules::load_all("/modules").at("modules")?;
    for warning in &warnings {
        console::say("modules", warning);
    }
    timeline.mark("modules");
    let disk = disk::wait_for_root().at("root")?;
    root::switch_to(&disk).at("root")?;
    mounts::mount_late().at("root")?;
    // A kernel without the multi-generational LRU has no such file, and does without.
    let _ = std::fs::write(WORKING_SET.0, WORKING_SET.1);
    setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES.0, OPEN_FILES.1).at("root")?;
    timeline.mark("root");
    Ok(warnings)
}
