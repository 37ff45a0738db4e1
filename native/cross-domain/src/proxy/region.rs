//! Sets of pixels, as rectangles that do not overlap.

use cloche_wayland::geometry::Shape;

/// Beyond so many rectangles a region is the one round all of them.
const MOST_RECTANGLES: usize = 256;

/// Not empty. Ends are behind the last pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Rectangle {
    pub fn new(x: i32, y: i32, width: i32, height: i32) -> Option<Self> {
        Self {
            left: x,
            top: y,
            right: x.saturating_add(width),
            bottom: y.saturating_add(height),
        }
        .unless_empty()
    }

    fn unless_empty(self) -> Option<Self> {
        (self.left < self.right && self.top < self.bottom).then_some(self)
    }

    /// With every pixel made a square of `factor` pixels.
    pub fn scale(self, factor: i32) -> Self {
        let [left, top, right, bottom] = [self.left, self.top, self.right, self.bottom]
            .map(|edge| edge.saturating_mul(factor.max(1)));
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    pub fn intersect(self, other: Self) -> Option<Self> {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
        .unless_empty()
    }

    fn round(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// What is left of this one: above, below, left and right of the other.
    fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let middle = self.intersect(other);
        let parts = middle.map_or([Some(self), None, None, None], |middle| {
            let above = Self {
                bottom: middle.top,
                ..self
            };
            let below = Self {
                top: middle.bottom,
                ..self
            };
            let beside = Self {
                top: middle.top,
                bottom: middle.bottom,
                ..self
            };
            let left = Self {
                right: middle.left,
                ..beside
            };
            let right = Self {
                left: middle.right,
                ..beside
            };
            [above, below, left, right].map(Self::unless_empty)
        });
        parts.into_iter().flatten()
    }

    fn area(self) -> u64 {
        let length = |from: i32, to: i32| u64::from(to.abs_diff(from));
        length(self.left, self.right) * length(self.top, self.bottom)
    }
}

/// All of a picture.
pub fn bounds(shape: &Shape) -> Rectangle {
    Rectangle {
        left: 0,
        top: 0,
        right: shape.width,
        bottom: shape.height,
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Region {
    rectangles: Vec<Rectangle>,
}

impl Region {
    pub fn rectangles(&self) -> &[Rectangle] {
        &self.rectangles
    }

    pub fn is_empty(&self) -> bool {
        self.rectangles.is_empty()
    }

    /// In pixels.
    pub fn area(&self) -> u64 {
        self.rectangles.iter().map(|one| one.area()).sum()
    }

    pub fn add(&mut self, rectangle: Rectangle) {
        let mut new = vec![rectangle];
        for known in &self.rectangles {
            new = new
                .into_iter()
                .flat_map(|part| part.without(*known))
                .collect();
        }
        for part in new {
            self.append(part);
        }
        if self.rectangles.len() > MOST_RECTANGLES {
            let all = self.rectangles.drain(..).reduce(Rectangle::round);
            self.rectangles.extend(all);
        }
    }

    /// Rows that follow one another become one rectangle: programs tell their damage line by line.
    fn append(&mut self, part: Rectangle) {
        match self.rectangles.last_mut() {
            Some(last)
                if (last.left, last.right) == (part.left, part.right)
                    && last.bottom == part.top =>
            {
                last.bottom = part.bottom;
            }
            _ => self.rectangles.push(part),
        }
    }

    pub fn add_all(&mut self, other: &Self) {
        for rectangle in &other.rectangles {
            self.add(*rectangle);
        }
    }

    /// The part of it that lies inside.
    pub fn clip(&self, bounds: Rectangle) -> Self {
        let inside = self.rectangles.iter();
        Self {
            rectangles: inside
                .filter_map(|rectangle| rectangle.intersect(bounds))
                .collect(),
        }
    }
}

impl From<Rectangle> for Region {
    fn from(rectangle: Rectangle) -> Self {
        Self {
            rectangles: vec![rectangle],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(region: &[Rectangle], x: i32, y: i32) -> usize {
        let inside =
            |it: &&Rectangle| (it.left..it.right).contains(&x) && (it.top..it.bottom).contains(&y);
        region.iter().filter(inside).count()
    }

    #[test]
    fn empty_rectangles_are_none_and_huge_ones_end_somewhere() {
        assert_eq!(Rectangle::new(0, 0, 0, 5), None);
        assert_eq!(Rectangle::new(0, 0, 5, -1), None);
        let all = Rectangle::new(-5, -5, i32::MAX, i32::MAX).expect("not empty");
        let screen = Rectangle::new(0, 0, 10, 10).expect("not empty");
        assert_eq!(all.scale(3).intersect(screen), Some(screen));
        assert_eq!(Region::from(all).clip(screen).area(), 100);
    }

    #[test]
    fn rows_become_one_rectangle() {
        let mut region = Region::default();
        for row in 0..1000 {
            region.add(Rectangle::new(0, row, 80, 1).expect("not empty"));
        }
        assert_eq!(region.rectangles().len(), 1);
    }

    #[test]
    fn very_many_rectangles_become_the_one_round_them() {
        let mut region = Region::default();
        for at in 0..300 {
            region.add(Rectangle::new(at * 2, at * 2, 1, 1).expect("not empty"));
        }
        assert!(region.rectangles().len() <= MOST_RECTANGLES);
        assert!((0..300).all(|at| has(region.rectangles(), at * 2, at * 2) == 1));
    }

    proptest! {
        #[test]
        fn a_region_is_exactly_the_pixels_that_were_added(
            added in prop::collection::vec((-3i32..20, -3i32..20, -1i32..12, -1i32..12), 0..12),
        ) {
            let rectangles: Vec<_> = added.iter().filter_map(|it| Rectangle::new(it.0, it.1, it.2, it.3)).collect();
            let mut region = Region::default();
            rectangles.iter().for_each(|it| region.add(*it));
            let bounds = Rectangle::new(0, 0, 16, 16).expect("not empty");
            let clipped = region.clip(bounds);
            for (x, y) in (-4..33).flat_map(|x| (-4..33).map(move |y| (x, y))) {
                let wanted = has(&rectangles, x, y) > 0;
                prop_assert_eq!(has(region.rectangles(), x, y), usize::from(wanted));
                let is_inside = (0..16).contains(&x) && (0..16).contains(&y);
                prop_assert_eq!(has(clipped.rectangles(), x, y), usize::from(wanted && is_inside));
            }
        }
    }
}
