//! The shape of a buffer, and where it lies in its pool, checked so that no later arithmetic can leave the pool.

use thiserror::Error;
use wl_proxy::protocols::wayland::wl_shm::WlShmFormat;

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
pub fn pixel_bytes(format: WlShmFormat) -> Option<u8> {
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

/// A picture: in pixels, none of them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub width: i32,
    pub height: i32,
    pub format: WlShmFormat,
    pub pixel_bytes: u8,
}

impl Shape {
    /// Bytes a row where nothing else decides: whole pixels, and what every reader of pictures can take.
    pub fn stride(&self) -> usize {
        (self.width as usize).next_multiple_of(4) * usize::from(self.pixel_bytes)
    }

    pub fn bytes(&self) -> usize {
        self.stride() * self.height as usize
    }
}

/// A picture in a pool. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub shape: Shape,
    pub offset: usize,
    pub stride: usize,
}

impl Geometry {
    pub fn check(
        pool_bytes: u64,
        (offset, width, height, stride): (i32, i32, i32, i32),
        format: WlShmFormat,
    ) -> Result<Self, GeometryError> {
        let pixel_bytes = pixel_bytes(format).ok_or(GeometryError::Format(format.0))?;
        let end = i64::from(offset) + i64::from(stride) * i64::from(height);
        let fits = offset >= 0
            && width > 0
            && height > 0
            && i64::from(stride) >= i64::from(width) * i64::from(pixel_bytes)
            && u64::try_from(end).is_ok_and(|end: u64| end <= pool_bytes);
        match (usize::try_from(offset), usize::try_from(stride)) {
            (Ok(offset), Ok(stride)) if fits => Ok(Self {
                shape: Shape {
                    width,
                    height,
                    format,
                    pixel_bytes,
                },
                offset,
                stride,
            }),
            _ => Err(GeometryError::Bounds {
                offset,
                width,
                height,
                stride,
                pool_bytes,
            }),
        }
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
        assert_eq!((geometry.offset, geometry.stride), (96, 400));
        assert_eq!((geometry.shape.stride(), geometry.shape.bytes()), (48, 480));
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
        ) {
            for shape in [shape, small] {
                if let Ok(geometry) = Geometry::check(pool, shape, ARGB) {
                    let rows = geometry.shape.height as usize;
                    prop_assert!(geometry.offset + geometry.stride * rows <= pool as usize);
                    prop_assert!(geometry.shape.width as usize * 4 <= geometry.stride);
                }
            }
        }
    }
}
