//! Which rows of a buffer have to be copied again, from what the client says it changed.
//!
//! `damage_buffer` is relative to the surface's last content, but a client alternates between buffers: a buffer that comes
//! back lacks what was drawn into the others meanwhile. So a surface remembers its last damages, and a buffer when it was last shown.

use std::{collections::VecDeque, ops::Range};

/// Commits that a surface remembers; a buffer that was away for longer is copied whole.
const REMEMBERED_COMMITS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Damage {
    #[default]
    Nothing,
    /// First row, and the row after the last.
    Rows(Range<u32>),
    Everything,
}

impl Damage {
    pub fn of_rectangle(y: i32, height: i32) -> Self {
        let end = i64::from(y) + i64::from(height);
        let row = |value: i64| u32::try_from(value.max(0)).unwrap_or(u32::MAX);
        match row(y.into())..row(end) {
            rows if rows.is_empty() => Self::Nothing,
            rows => Self::Rows(rows),
        }
    }

    pub fn add(&mut self, other: &Self) {
        let merged = match (&*self, other) {
            (_, Self::Nothing) => return,
            (Self::Nothing, _) => other.clone(),
            (Self::Rows(a), Self::Rows(b)) => Self::Rows(a.start.min(b.start)..a.end.max(b.end)),
            _ => Self::Everything,
        };
        *self = merged;
    }
}

/// When a buffer was last made equal to the client's: which surface showed it, at which of its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub surface: u64,
    pub commit: u64,
}

#[derive(Debug, Default)]
pub struct History {
    surface: u64,
    commits: u64,
    recent: VecDeque<Damage>,
}

impl History {
    pub fn new(surface: u64) -> Self {
        Self {
            surface,
            ..Self::default()
        }
    }

    /// Closes a commit with its damage; the returned mark belongs to the buffer shown.
    pub fn commit(&mut self, damage: Damage) -> Shown {
        self.commits += 1;
        self.recent.push_back(damage);
        if self.recent.len() > REMEMBERED_COMMITS {
            self.recent.pop_front();
        }
        Shown {
            surface: self.surface,
            commit: self.commits,
        }
    }

    /// What changed after the buffer was last shown, up to the last commit.
    pub fn since(&self, shown: Option<Shown>) -> Damage {
        let Some(shown) = shown.filter(|shown| shown.surface == self.surface) else {
            return Damage::Everything;
        };
        let missed = usize::try_from(self.commits - shown.commit).unwrap_or(usize::MAX);
        if missed > self.recent.len() {
            return Damage::Everything;
        }
        let mut damage = Damage::Nothing;
        for past in self.recent.iter().skip(self.recent.len() - missed) {
            damage.add(past);
        }
        damage
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_returning_buffer_lacks_what_was_drawn_meanwhile() {
        let mut history = History::new(7);
        let first = history.commit(Damage::Everything);
        history.commit(Damage::Rows(4..6));
        history.commit(Damage::Rows(1..2));
        assert_eq!(history.since(Some(first)), Damage::Rows(1..6));
        assert_eq!(history.since(None), Damage::Everything);
        assert_eq!(
            history.since(Some(Shown {
                surface: 8,
                commit: 1
            })),
            Damage::Everything
        );
    }

    #[test]
    fn a_buffer_that_was_away_too_long_is_copied_whole() {
        let mut history = History::new(7);
        let first = history.commit(Damage::Nothing);
        for _ in 0..=REMEMBERED_COMMITS {
            history.commit(Damage::Nothing);
        }
        assert_eq!(history.since(Some(first)), Damage::Everything);
    }

    #[test]
    fn an_empty_rectangle_is_no_damage() {
        assert_eq!(Damage::of_rectangle(5, 0), Damage::Nothing);
        assert_eq!(Damage::of_rectangle(-5, 3), Damage::Nothing);
        assert_eq!(Damage::of_rectangle(-1, 3), Damage::Rows(0..2));
        assert_eq!(
            Damage::of_rectangle(0, i32::MAX),
            Damage::Rows(0..i32::MAX as u32)
        );
    }

    proptest! {
        #[test]
        fn adding_never_loses_a_row(a in any::<(i32, i32)>(), b in any::<(i32, i32)>()) {
            let mut sum = Damage::of_rectangle(a.0, a.1);
            let other = Damage::of_rectangle(b.0, b.1);
            let first = sum.clone();
            sum.add(&other);
            for part in [first, other] {
                if let (Damage::Rows(part), Damage::Rows(sum)) = (part, &sum) {
                    prop_assert!(sum.start <= part.start && part.end <= sum.end);
                }
            }
        }
    }
}
