//! Input on its way to Xwayland: which window has the focus, and the serials that move, resize and copy need.

use std::{cell::Cell, rc::Rc};

use wl_proxy::{
    fixed::Fixed,
    protocols::wayland::{
        wl_keyboard::{WlKeyboard, WlKeyboardHandler, WlKeyboardKeyState},
        wl_pointer::{WlPointer, WlPointerButtonState, WlPointerHandler},
        wl_seat::{WlSeat, WlSeatHandler},
        wl_surface::WlSurface,
        wl_touch::{WlTouch, WlTouchHandler},
    },
};

use crate::{bridge::Bridge, surface::Surface};

#[derive(Default)]
pub struct Input {
    /// Of the last key or button that went down.
    pub serial: Cell<u32>,
    pub pointed: Cell<Option<u32>>,
    pub focused: Cell<Option<u32>>,
}

pub struct SeatHandler(pub Rc<Bridge>);

impl WlSeatHandler for SeatHandler {
    fn handle_get_keyboard(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlKeyboard>) {
        id.set_handler(Keyboard(self.0.clone()));
        slf.send_get_keyboard(id);
    }

    fn handle_get_pointer(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlPointer>) {
        id.set_handler(Pointer(self.0.clone()));
        slf.send_get_pointer(id);
    }

    fn handle_get_touch(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlTouch>) {
        id.set_handler(Touch(self.0.clone()));
        slf.send_get_touch(id);
    }
}

struct Keyboard(Rc<Bridge>);

impl WlKeyboardHandler for Keyboard {
    fn handle_enter(
        &mut self,
        slf: &Rc<WlKeyboard>,
        serial: u32,
        surface: &Rc<WlSurface>,
        keys: &[u8],
    ) {
        slf.send_enter(serial, surface, keys);
        let window = Surface::of(surface).and_then(|surface| surface.window.get());
        self.0.focus(window);
    }

    fn handle_leave(&mut self, slf: &Rc<WlKeyboard>, serial: u32, surface: &Rc<WlSurface>) {
        slf.send_leave(serial, surface);
        self.0.focus(None);
    }

    fn handle_key(
        &mut self,
        slf: &Rc<WlKeyboard>,
        serial: u32,
        time: u32,
        key: u32,
        state: WlKeyboardKeyState,
    ) {
        if state == WlKeyboardKeyState::PRESSED {
            self.0.input.serial.set(serial);
        }
        slf.send_key(serial, time, key, state);
    }
}

struct Pointer(Rc<Bridge>);

impl WlPointerHandler for Pointer {
    fn handle_set_cursor(
        &mut self,
        slf: &Rc<WlPointer>,
        serial: u32,
        surface: Option<&Rc<WlSurface>>,
        hotspot_x: i32,
        hotspot_y: i32,
    ) {
        slf.send_set_cursor(serial, surface, hotspot_x, hotspot_y);
        if let Some(surface) = surface.and_then(Surface::of) {
            surface.open();
        }
    }

    fn handle_enter(
        &mut self,
        slf: &Rc<WlPointer>,
        serial: u32,
        surface: &Rc<WlSurface>,
        surface_x: Fixed,
        surface_y: Fixed,
    ) {
        let window = Surface::of(surface).and_then(|surface| surface.window.get());
        self.0.input.pointed.set(window);
        slf.send_enter(serial, surface, surface_x, surface_y);
    }

    fn handle_button(
        &mut self,
        slf: &Rc<WlPointer>,
        serial: u32,
        time: u32,
        button: u32,
        state: WlPointerButtonState,
    ) {
        if state == WlPointerButtonState::PRESSED {
            self.0.input.serial.set(serial);
        }
        slf.send_button(serial, time, button, state);
    }
}

struct Touch(Rc<Bridge>);

impl WlTouchHandler for Touch {
    fn handle_down(
        &mut self,
        slf: &Rc<WlTouch>,
        serial: u32,
        time: u32,
        surface: &Rc<WlSurface>,
        id: i32,
        x: Fixed,
        y: Fixed,
    ) {
        self.0.input.serial.set(serial);
        slf.send_down(serial, time, surface, id, x, y);
    }
}
