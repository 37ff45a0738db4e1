//! Where a buffer lies in its pool, checked so that no later arithmetic can leave the pool.

use std::ops::Range;

use thiserror::Error;
use wl_proxy::protocols::wayland::wl_shm::WlShmFormat;

use crate::damage::Damage;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum GeometryError {
    #[error("format {0:#x} is not offered")]
    Format(u32),
    #[error(
        "a buffer of {width}×{height} pixels, {stride} bytes a row, at {offset} is not inside its pool of {pool_bytes} bytes"
    )]
    Bounds {
        offset: i32,
        width: i32,
        height: i32,
        stride: i32,
        pool_bytes: u64,
    },
}

/// Bytes a pixel of the formats that are offered: packed, one plane.
pub fn pixel_bytes(format: WlShmFormat) -> Option<i64> {
    use WlShmFormat as F;
    Some(match format {
        F::RGB565 | F::BGR565 => 2,
        F::RGB888 | F::BGR888 => 3,
        F::ARGB8888
        | F::XRGB8888
        | F::ABGR8888
        | F::XBGR8888
        | F::RGBA8888
        | F::RGBX8888
        | F::BGRA8888
        | F::BGRX8888 => 4,
        F::ARGB2101010 | F::XRGB2101010 | F::ABGR2101010 | F::XBGR2101010 => 4,
        F::ABGR16161616F | F::XBGR16161616F | F::ABGR16161616 | F::XBGR16161616 => 8,
        _ => return None,
    })
}

/// In bytes and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    offset: u64,
    stride: u64,
    height: u32,
}

impl Geometry {
    pub fn check(
        pool_bytes: u64,
        (offset, width, height, stride): (i32, i32, i32, i32),
        format: WlShmFormat,
    ) -> Result<Self, GeometryError> {
        let pixel = pixel_bytes(format).ok_or(GeometryError::Format(format.0))?;
        let bounds = GeometryError::Bounds {
            offset,
            width,
            height,
            stride,
            pool_bytes,
        };
        let end = i64::from(offset) + i64::from(stride) * i64::from(height);
        let fits = offset >= 0
            && width > 0
            && height > 0
            && i64::from(stride) >= i64::from(width) * pixel
            && u64::try_from(end).is_ok_and(|end| end <= pool_bytes);
        match (
            u64::try_from(offset),
            u64::try_from(stride),
            u32::try_from(height),
        ) {
            (Ok(offset), Ok(stride), Ok(height)) if fits => Ok(Self {
                offset,
                stride,
                height,
            }),
            _ => Err(bounds),
        }
    }

    /// The pool's bytes that the damage covers.
    pub fn bytes(&self, damage: &Damage) -> Range<u64> {
        let rows = match damage {
            Damage::Nothing => 0..0,
            Damage::Rows(rows) => rows.start.min(self.height)..rows.end.min(self.height),
            Damage::Everything => 0..self.height,
        };
        let at = |row: u32| self.offset + u64::from(row) * self.stride;
        at(rows.start)..at(rows.end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ARGB: WlShmFormat = WlShmFormat::ARGB8888;

    #[test]
    fn a_buffer_that_fills_its_pool_is_taken() {
        let geometry = Geometry::check(4096, (96, 10, 10, 400), ARGB).expect("fits");
        assert_eq!(geometry.bytes(&Damage::Everything), 96..4096);
        assert_eq!(geometry.bytes(&Damage::Rows(1..2)), 496..896);
        assert_eq!(geometry.bytes(&Damage::Rows(20..30)), 4096..4096);
        assert!(geometry.bytes(&Damage::Nothing).is_empty());
    }

    #[test]
    fn a_buffer_outside_its_pool_is_refused() {
        let wrong = [
            (97, 10, 10, 400),
            (-1, 10, 10, 400),
            (0, 0, 10, 400),
            (0, 10, 0, 400),
            (0, -10, 10, 400),
            (0, 10, -10, 400),
            (0, 101, 10, 400),
            (0, 10, 10, -400),
            (0, 1, i32::MAX, i32::MAX),
            (i32::MAX, 1, i32::MAX, i32::MAX),
        ];
        for shape in wrong {
            assert!(Geometry::check(4096, shape, ARGB).is_err(), "{shape:?}");
        }
        assert_eq!(
            Geometry::check(4096, (0, 1, 1, 4), WlShmFormat(77)),
            Err(GeometryError::Format(77))
        );
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_inside_its_pool(
            pool in 0u64..=i32::MAX as u64,
            shape in (any::<i32>(), any::<i32>(), any::<i32>(), any::<i32>()),
            small in (0i32..4096, 1i32..64, 1i32..64, 1i32..512),
            rows in any::<(u32, u32)>(),
        ) {
            for shape in [shape, small] {
                if let Ok(geometry) = Geometry::check(pool, shape, ARGB) {
                    for damage in [Damage::Everything, Damage::Nothing, Damage::Rows(rows.0..rows.1.max(rows.0))] {
                        let bytes = geometry.bytes(&damage);
                        prop_assert!(bytes.start <= bytes.end && bytes.end <= pool);
                    }
                }
            }
        }
    }
}
