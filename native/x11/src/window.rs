//! What is known of one X11 window that is a child of the root.

use std::rc::Rc;

use crate::{role::Role, surface::Surface};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

impl Geometry {
    pub fn relative_to(self, outer: Self) -> Self {
        Self {
            x: self.x - outer.x,
            y: self.y - outer.y,
            ..self
        }
    }
}

#[derive(Default)]
pub struct Window {
    pub geometry: Geometry,
    /// A menu, a tooltip or the like, which the window manager leaves alone.
    pub is_override: bool,
    pub is_mapped: bool,
    pub surface: Option<Rc<Surface>>,
    pub role: Option<Role>,
    pub properties: Properties,
    /// The states in _NET_WM_STATE.
    pub state: State,
    /// The compositor has fixed its size.
    pub is_tiled: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub fullscreen: bool,
    pub maximized: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    pub title: String,
    pub class: String,
    pub transient_for: Option<u32>,
    pub min_size: Option<(i32, i32)>,
    pub max_size: Option<(i32, i32)>,
    pub takes_focus: bool,
    pub wants_focus_message: bool,
    pub can_delete: bool,
    pub decorates_itself: bool,
}
