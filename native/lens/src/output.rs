//! Outputs without what identifies the user's machine.

use std::rc::Rc;

use wl_proxy::protocols::wayland::wl_output::{
    WlOutput, WlOutputHandler, WlOutputSubpixel, WlOutputTransform,
};

pub struct Output;

impl WlOutputHandler for Output {
    fn handle_geometry(
        &mut self,
        slf: &Rc<WlOutput>,
        x: i32,
        y: i32,
        physical_width: i32,
        physical_height: i32,
        subpixel: WlOutputSubpixel,
        _make: &str,
        _model: &str,
        transform: WlOutputTransform,
    ) {
        slf.send_geometry(
            x,
            y,
            physical_width,
            physical_height,
            subpixel,
            "cloche",
            "display",
            transform,
        );
    }
}
