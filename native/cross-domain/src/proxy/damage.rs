//! What a buffer lacks of a surface's content, from what the program said it changed.
//!
//! Damage tells how new content differs from the content before it. Memory that showed an earlier commit of the surface lacks
//! the damage of every commit since; whose buffer the program drew into does not matter, for each commit is copied.

use std::collections::VecDeque;

use super::region::Region;

/// Commits that a surface remembers; memory that was away for longer is filled whole.
const REMEMBERED_COMMITS: usize = 8;

/// Which content some memory has: of which surface, after which of its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    surface: u64,
    commit: u64,
}

#[derive(Debug)]
pub struct History {
    surface: u64,
    commits: u64,
    recent: VecDeque<Region>,
}

impl History {
    pub fn new(surface: u64) -> Self {
        Self {
            surface,
            commits: 0,
            recent: VecDeque::new(),
        }
    }

    /// The content that follows has nothing to do with what was before.
    pub fn forget(&mut self) {
        self.commits += 1;
        self.recent.clear();
    }

    /// Takes new content; the mark belongs to the memory that shows it.
    pub fn commit(&mut self, damage: Region) -> Shown {
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

    /// What changed after `shown`; nothing when all may have.
    pub fn since(&self, shown: Option<Shown>) -> Option<Region> {
        let shown = shown.filter(|shown| shown.surface == self.surface)?;
        let missed = usize::try_from(self.commits.checked_sub(shown.commit)?).ok()?;
        let known = self.recent.len().checked_sub(missed)?;
        let mut lacking = Region::default();
        for damage in self.recent.iter().skip(known) {
            lacking.add_all(damage);
        }
        Some(lacking)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::region::Rectangle, *};

    fn region(x: i32, y: i32) -> Region {
        Rectangle::new(x, y, 2, 2).expect("not empty").into()
    }

    #[test]
    fn memory_lacks_what_was_shown_elsewhere_meanwhile() {
        let mut history = History::new(7);
        let first = history.commit(region(0, 0));
        history.commit(region(4, 4));
        let last = history.commit(region(20, 0));
        assert_eq!(history.since(Some(first)).map(|it| it.area()), Some(8));
        assert_eq!(history.since(Some(last)), Some(Region::default()));
        assert_eq!(history.since(None), None);
        assert_eq!(History::new(8).since(Some(first)), None);
    }

    #[test]
    fn memory_that_was_away_too_long_or_shows_forgotten_content_is_filled_whole() {
        let mut history = History::new(7);
        let first = history.commit(Region::default());
        for _ in 0..REMEMBERED_COMMITS {
            history.commit(Region::default());
        }
        assert_eq!(history.since(Some(first)), Some(Region::default()));
        history.commit(Region::default());
        assert_eq!(history.since(Some(first)), None);
        let last = history.commit(Region::default());
        history.forget();
        assert_eq!(history.since(Some(last)), None);
        history.commit(Region::default());
        assert_eq!(history.since(Some(last)), None);
    }

    proptest! {
        #[test]
        fn no_more_is_lacking_than_was_damaged_and_no_less(
            damages in prop::collection::vec((0i32..30, 0i32..30, 1i32..9, 1i32..9), 1..=REMEMBERED_COMMITS),
        ) {
            let mut history = History::new(1);
            let shown = history.commit(Region::default());
            let mut all = Region::default();
            for (x, y, width, height) in damages.into_iter().skip(1) {
                let rectangle = Rectangle::new(x, y, width, height).expect("not empty");
                all.add(rectangle);
                history.commit(rectangle.into());
            }
            prop_assert_eq!(history.since(Some(shown)).map(|it| it.area()), Some(all.area()));
        }
    }
}
