//! What is damaged: a rectangle in the middle, in the same proportions as the whole.

#[derive(Clone, Copy)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// In pixels of the buffer.
#[derive(Clone, Copy)]
pub struct Rectangle {
    pub x: u32,
    pub y: u32,
    pub size: Size,
}

impl Size {
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub fn whole(self) -> Rectangle {
        Rectangle {
            x: 0,
            y: 0,
            size: self,
        }
    }
}

impl Rectangle {
    /// Not as wide as the whole, so that whoever copies more of a row than is damaged shows.
    pub fn of_share(whole: Size, percent: u32) -> Self {
        let scale = (f64::from(percent.min(100)) / 100.0).sqrt();
        let part = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
        let size = Size {
            width: part(whole.width),
            height: part(whole.height),
        };
        Self {
            x: (whole.width - size.width) / 2,
            y: (whole.height - size.height) / 2,
            size,
        }
    }
}
