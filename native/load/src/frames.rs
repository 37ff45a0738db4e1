//! Frames with the same damage in each, one for each that the compositor shows: so every path has as many repaints.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::canvas::{BUFFERS, Canvas};
use crate::failure::Failure;
use crate::gate;
use crate::rectangle::{Rectangle, Size};
use crate::window::Window;

/// Frames after those in which the buffers are new.
const WARM_UP: u32 = 3;

pub fn run(count: u32, size: Size, damage: Rectangle) -> Result<(), Failure> {
    let mut canvas = Canvas::new(size)?;
    let mut window = Window::open(&canvas, size)?;
    let mut colour = 0;
    let mut drawn_pixels = 0;
    // Outside of the damage both buffers stay as they began: black.
    let mut draw = |declared: Rectangle, new: u64| {
        colour = (colour + 0x01_0203) & 0xff_ffff;
        drawn_pixels += new;
        let buffer = window.free_buffer()?;
        canvas.fill(buffer, damage, colour);
        window.show(buffer, declared)?;
        Ok::<_, Failure>(drawn_pixels)
    };
    // All of a buffer is new when it is first shown, though only the first frame changes all of the window.
    draw(size.whole(), size.area())?;
    for _ in 1..BUFFERS {
        draw(damage, size.area())?;
    }
    let frame_pixels = damage.size.area();
    for _ in 0..WARM_UP {
        draw(damage, frame_pixels)?;
    }
    gate::wait_for_start()?;
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    let mut all_pixels = 0;
    for _ in 0..count {
        all_pixels = draw(damage, frame_pixels)?;
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - start_cpu);
    gate::finish(&format!(
        r#"{{"frames":{count},"seconds":{seconds:.6},"cpuSeconds":{cpu:.6},"framePixels":{frame_pixels},"allPixels":{all_pixels}}}"#
    ))
}

/// Of this process, user and system.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
