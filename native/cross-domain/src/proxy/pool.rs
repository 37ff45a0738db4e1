//! A program's pool: read where its buffers lie, whatever becomes of its file meanwhile.

use std::{
    cell::RefCell,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    rc::Rc,
};

use cloche_wayland::{
    file,
    geometry::{Geometry, Shape},
};
use thiserror::Error;

use super::region::{Rectangle, bounds};
use crate::gpu::{Access, Mapping};

#[derive(Debug, Error)]
pub enum PoolError {
    #[error("a pool of {0} bytes")]
    Size(i32),
    #[error("the pool's descriptor is not a file of at least {0} bytes")]
    TooSmall(usize),
    #[error("the pool's file can't be mapped")]
    Map(#[source] io::Error),
    #[error("the pool's file can't be read where a buffer lies")]
    Read(#[source] io::Error),
}

enum Content {
    /// Sealed against shrinking, so that reading the mapping can't fault.
    Mapped(Mapping),
    /// Any other file may shrink at any moment: it is read, and an end is an error.
    Read,
}

pub struct Pool {
    file: File,
    state: RefCell<(usize, Content)>,
}

impl Pool {
    pub fn new(fd: &Rc<OwnedFd>, size: i32) -> Result<Self, PoolError> {
        let bytes = usize::try_from(size).ok().filter(|bytes| *bytes > 0);
        let bytes = bytes.ok_or(PoolError::Size(size))?;
        let file = File::from(fd.try_clone().map_err(PoolError::Map)?);
        // The seal comes before the look at the size: afterwards the size can only grow.
        let content = if file::seal(fd) {
            check_size(&file, bytes)?;
            Content::Mapped(map(&file, bytes)?)
        } else {
            check_size(&file, bytes)?;
            Content::Read
        };
        let state = RefCell::new((bytes, content));
        Ok(Self { file, state })
    }

    pub fn bytes(&self) -> usize {
        self.state.borrow().0
    }

    pub fn grow(&self, size: i32) -> Result<(), PoolError> {
        let bytes = usize::try_from(size).ok();
        let bytes = bytes.filter(|bytes| *bytes >= self.bytes());
        let bytes = bytes.ok_or(PoolError::Size(size))?;
        check_size(&self.file, bytes)?;
        let mut state = self.state.borrow_mut();
        if let Content::Mapped(mapping) = &mut state.1 {
            *mapping = map(&self.file, bytes)?;
        }
        state.0 = bytes;
        Ok(())
    }

    /// Copies pixels of one of its buffers to a picture of the same shape in other memory. The answer is the bytes copied.
    pub fn copy(
        &self,
        from: &Geometry,
        rectangle: Rectangle,
        to: &Mapping,
    ) -> Result<u64, PoolError> {
        let Some(rectangle) = rectangle.intersect(bounds(&from.shape)) else {
            return Ok(0);
        };
        let lines = Lines::new(from, rectangle);
        for line in 0..lines.count {
            let (source, target) = (
                lines.from + line * lines.from_stride,
                lines.to + line * lines.to_stride,
            );
            self.copy_line(source, lines.bytes, to, target)?;
        }
        Ok((lines.count * lines.bytes) as u64)
    }

    fn copy_line(
        &self,
        from: usize,
        bytes: usize,
        to: &Mapping,
        at: usize,
    ) -> Result<(), PoolError> {
        let outside = || PoolError::Read(io::ErrorKind::UnexpectedEof.into());
        match &self.state.borrow().1 {
            Content::Mapped(mapping) => to.copy_from(at, mapping, from, bytes).ok_or_else(outside),
            Content::Read => to
                .fill_with(at, bytes, |target| {
                    self.file.read_exact_at(target, from as u64)
                })
                .ok_or_else(outside)?
                .map_err(PoolError::Read),
        }
    }
}

/// The pieces to copy: rows, or one piece where the rows follow each other on both sides.
struct Lines {
    count: usize,
    bytes: usize,
    from: usize,
    from_stride: usize,
    to: usize,
    to_stride: usize,
}

impl Lines {
    fn new(geometry: &Geometry, rectangle: Rectangle) -> Self {
        let Shape { pixel_bytes, .. } = geometry.shape;
        let pixel = usize::from(pixel_bytes);
        let to_stride = geometry.shape.stride();
        // Inside the bounds, so not negative.
        let [left, top, right, bottom] = [
            rectangle.left,
            rectangle.top,
            rectangle.right,
            rectangle.bottom,
        ]
        .map(|edge| edge as usize);
        let (count, bytes) = (bottom - top, (right - left) * pixel);
        let is_whole = bytes == to_stride && geometry.stride == to_stride;
        Self {
            count: if is_whole { 1 } else { count },
            bytes: if is_whole { count * bytes } else { bytes },
            from: geometry.offset + top * geometry.stride + left * pixel,
            from_stride: geometry.stride,
            to: top * to_stride + left * pixel,
            to_stride,
        }
    }
}

fn map(file: &File, bytes: usize) -> Result<Mapping, PoolError> {
    Mapping::new(file, 0, bytes, Access::Read).map_err(PoolError::Map)
}

fn check_size(file: &File, bytes: usize) -> Result<(), PoolError> {
    if file::holds(file, bytes as u64) {
        return Ok(());
    }
    Err(PoolError::TooSmall(bytes))
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
