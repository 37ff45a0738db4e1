//! What a program cost: frames and bytes, for whoever measures.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

#[derive(Debug, Default)]
pub struct Counters {
    frames: AtomicU64,
    damaged: AtomicU64,
    copied: AtomicU64,
}

impl Counters {
    /// One commit with a new content: bytes of the pixels that were said to have changed, and bytes copied.
    pub fn add_frame(&self, damaged: u64, copied: u64) {
        self.frames.fetch_add(1, Relaxed);
        self.damaged.fetch_add(damaged, Relaxed);
        self.copied.fetch_add(copied, Relaxed);
    }

    /// Frames, bytes damaged, bytes copied.
    pub fn read(&self) -> (u64, u64, u64) {
        let [frames, damaged, copied] =
            [&self.frames, &self.damaged, &self.copied].map(|it| it.load(Relaxed));
        (frames, damaged, copied)
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frames, damaged, copied) = self.read();
        write!(
            f,
            "frames {frames}, bytes damaged {damaged}, bytes copied {copied}"
        )
    }
}
