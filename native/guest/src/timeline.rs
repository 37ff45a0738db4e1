//! When each stage of the start ended, in milliseconds since the kernel started.

use cloche_protocol::control::StageTiming;
use nix::time::{ClockId, clock_gettime};

#[derive(Default)]
pub struct Timeline {
    stages: Vec<StageTiming>,
}

impl Timeline {
    pub fn mark(&mut self, stage: &str) {
        self.stages.push(StageTiming {
            stage: stage.to_owned(),
            ms: uptime_ms(),
        });
    }

    pub fn into_stages(self) -> Vec<StageTiming> {
        self.stages
    }
}

pub fn uptime_ms() -> u32 {
    let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME)
        .map_or(0, |time| time.tv_sec() * 1000 + time.tv_nsec() / 1_000_000);
    u32::try_from(since_boot).unwrap_or(u32::MAX)
}
