//! Whether the user is using a client right now: whether it may read the host's selection depends on that.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

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

use crate::session::Session;

/// How long after a key, a button, a touch or a drop a client may still read the host's selection.
const GESTURE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct Focus {
    focused: Cell<bool>,
    gesture: Cell<Option<Instant>>,
}

impl Focus {
    pub fn gesture(&self) {
        self.gesture.set(Some(Instant::now()));
    }

    fn set(&self, focused: bool) {
        self.focused.set(focused);
    }

    /// Whether a selection may be read: keyboard focus, and something done by the user just now.
    pub fn may_paste(&self) -> bool {
        self.focused.get() && self.has_recent_gesture()
    }

    fn has_recent_gesture(&self) -> bool {
        self.gesture
            .get()
            .is_some_and(|then| then.elapsed() < GESTURE)
    }
}

pub struct Seat {
    pub session: Rc<Session>,
}

impl WlSeatHandler for Seat {
    fn handle_get_keyboard(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlKeyboard>) {
        id.set_handler(Watch {
            session: self.session.clone(),
        });
        slf.send_get_keyboard(id);
    }

    fn handle_get_pointer(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlPointer>) {
        id.set_handler(Watch {
            session: self.session.clone(),
        });
        slf.send_get_pointer(id);
    }

    fn handle_get_touch(&mut self, slf: &Rc<WlSeat>, id: &Rc<WlTouch>) {
        id.set_handler(Watch {
            session: self.session.clone(),
        });
        slf.send_get_touch(id);
    }
}

struct Watch {
    session: Rc<Session>,
}

impl WlKeyboardHandler for Watch {
    fn handle_enter(
        &mut self,
        slf: &Rc<WlKeyboard>,
        serial: u32,
        surface: &Rc<WlSurface>,
        keys: &[u8],
    ) {
        self.session.focus.set(true);
        slf.send_enter(serial, surface, keys);
    }

    fn handle_leave(&mut self, slf: &Rc<WlKeyboard>, serial: u32, surface: &Rc<WlSurface>) {
        self.session.focus.set(false);
        slf.send_leave(serial, surface);
    }

    fn handle_key(
        &mut self,
        slf: &Rc<WlKeyboard>,
        serial: u32,
        time: u32,
        key: u32,
        state: WlKeyboardKeyState,
    ) {
        self.session.focus.gesture();
        slf.send_key(serial, time, key, state);
    }
}

impl WlPointerHandler for Watch {
    fn handle_button(
        &mut self,
        slf: &Rc<WlPointer>,
        serial: u32,
        time: u32,
        button: u32,
        state: WlPointerButtonState,
    ) {
        self.session.focus.gesture();
        slf.send_button(serial, time, button, state);
    }
}

impl WlTouchHandler for Watch {
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
        self.session.focus.gesture();
        slf.send_down(serial, time, surface, id, x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasting_takes_focus_and_a_gesture() {
        let focus = Focus::default();
        assert!(!focus.may_paste());
        focus.set(true);
        assert!(!focus.may_paste());
        focus.gesture();
        assert!(focus.may_paste());
        focus.set(false);
        assert!(!focus.may_paste() && focus.has_recent_gesture());
    }
}
