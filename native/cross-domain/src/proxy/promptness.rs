//! Whether a program answers what it is told: then the next question to the host goes along with its answer.

use std::time::{Duration, Instant};

/// How long an answer is waited for. What the host says meanwhile comes later by that at most.
pub const PROMPT: Duration = Duration::from_millis(1);

#[derive(Default)]
pub struct Promptness {
    told_at: Option<Instant>,
    is_prompt: bool,
}

impl Promptness {
    pub fn tell(&mut self) {
        self.is_prompt &= self.told_at.is_none();
        self.told_at = Some(Instant::now());
    }

    pub fn answer(&mut self) {
        if let Some(told_at) = self.told_at.take() {
            self.is_prompt = told_at.elapsed() < PROMPT;
        }
    }

    /// How much longer the question may wait: not at all for a program that left the last one unanswered.
    pub fn patience(&self) -> Duration {
        match self.told_at {
            Some(told_at) if self.is_prompt => PROMPT.saturating_sub(told_at.elapsed()),
            _ => Duration::ZERO,
        }
    }
}
