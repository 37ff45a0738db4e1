//! The parts of a copied pool that live buffers use: what a buffer leaves behind is given back unless another lies over it.

use std::{cell::RefCell, ops::Range};

/// Bytes of the pool; overlaps are usual, a client scrolls by moving its buffer along the pool.
#[derive(Debug, Default)]
pub struct Extents {
    live: RefCell<Vec<Range<u64>>>,
}

impl Extents {
    pub fn add(&self, extent: Range<u64>) {
        self.live.borrow_mut().push(extent);
    }

    /// Forgets one extent; the answer is what of it no other covers.
    pub fn remove(&self, extent: &Range<u64>) -> Vec<Range<u64>> {
        let mut live = self.live.borrow_mut();
        if let Some(index) = live.iter().position(|known| known == extent) {
            live.swap_remove(index);
        }
        let mut free = vec![extent.clone()];
        for other in live.iter() {
            free = free
                .into_iter()
                .flat_map(|part| subtract(part, other))
                .collect();
        }
        free
    }
}

fn subtract(part: Range<u64>, other: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let before = part.start..part.end.min(other.start);
    let after = part.start.max(other.end)..part.end;
    let apart = other.end <= part.start || part.end <= other.start;
    let rest = if apart { [part, 0..0] } else { [before, after] };
    rest.into_iter().filter(|range| !range.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_no_other_buffer_covers_is_free() {
        let extents = Extents::default();
        for extent in [0..100, 40..60, 90..200] {
            extents.add(extent);
        }
        assert_eq!(extents.remove(&(0..100)), [0..40, 60..90]);
        assert_eq!(extents.remove(&(40..60)).first(), Some(&(40..60)));
        assert_eq!(extents.remove(&(90..200)).first(), Some(&(90..200)));
    }

    proptest! {
        #[test]
        fn a_byte_is_free_exactly_when_no_live_buffer_has_it(
            spans in prop::collection::vec((0u64..40, 1u64..20), 1..6),
        ) {
            let ranges: Vec<_> = spans.into_iter().map(|(start, length)| start..start + length).collect();
            let extents = Extents::default();
            ranges.iter().for_each(|range| extents.add(range.clone()));
            let free = extents.remove(&ranges[0]);
            for byte in 0..60 {
                let was_live = ranges[0].contains(&byte) && !ranges[1..].iter().any(|range| range.contains(&byte));
                prop_assert_eq!(free.iter().filter(|range| range.contains(&byte)).count(), usize::from(was_live));
            }
        }
    }
}
