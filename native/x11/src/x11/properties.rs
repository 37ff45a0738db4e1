//! Reads what a window says of itself. A window that is gone, or says nothing, has the defaults.

use x11rb::{
    properties::{WmClass, WmHints, WmSizeHints},
    protocol::xproto::{AtomEnum, ConnectionExt as _, GetPropertyReply},
};

use super::{X11, takes_input};
use crate::window::{Properties, State};

/// In units of four bytes: a title is cut there.
const LONGEST: u32 = 1024;
/// Fields of _MOTIF_WM_HINTS: flags, functions, decorations.
const MOTIF_SAYS_DECORATIONS: u32 = 2;

impl X11 {
    pub fn properties(&self, window: u32) -> Properties {
        let atoms = &self.atoms;
        let protocols = self.longs(window, atoms.WM_PROTOCOLS);
        let sizes = WmSizeHints::get_normal_hints(&self.connection, window)
            .ok()
            .and_then(|cookie| cookie.reply().ok().flatten());
        let hints = WmHints::get(&self.connection, window)
            .ok()
            .and_then(|cookie| cookie.reply().ok().flatten());
        let class = WmClass::get(&self.connection, window)
            .ok()
            .and_then(|cookie| cookie.reply().ok().flatten());
        let motif = self.longs(window, atoms._MOTIF_WM_HINTS);
        Properties {
            title: self.title(window),
            class: class
                .map(|class| String::from_utf8_lossy(class.class()).into_owned())
                .unwrap_or_default(),
            transient_for: self
                .longs(window, AtomEnum::WM_TRANSIENT_FOR.into())
                .first()
                .copied()
                .filter(|&leader| leader != 0 && leader != self.root),
            min_size: sizes.and_then(|sizes| sizes.min_size),
            max_size: sizes.and_then(|sizes| sizes.max_size),
            takes_focus: takes_input(hints),
            wants_focus_message: protocols.contains(&atoms.WM_TAKE_FOCUS),
            can_delete: protocols.contains(&atoms.WM_DELETE_WINDOW),
            decorates_itself: matches!(motif[..], [flags, _, 0, ..] if flags & MOTIF_SAYS_DECORATIONS != 0),
        }
    }

    pub fn net_state(&self, window: u32) -> State {
        let atoms = self.longs(window, self.atoms._NET_WM_STATE);
        State {
            fullscreen: atoms.contains(&self.atoms._NET_WM_STATE_FULLSCREEN),
            maximized: atoms.contains(&self.atoms._NET_WM_STATE_MAXIMIZED_VERT)
                && atoms.contains(&self.atoms._NET_WM_STATE_MAXIMIZED_HORZ),
        }
    }

    fn title(&self, window: u32) -> String {
        let modern = self.property(window, self.atoms._NET_WM_NAME);
        let found = modern
            .filter(|reply| !reply.value.is_empty())
            .or_else(|| self.property(window, AtomEnum::WM_NAME.into()));
        found.map_or_else(String::new, |GetPropertyReply { type_, value, .. }| {
            // STRING is Latin-1; whatever else there is has ASCII in common with UTF-8.
            if type_ == u32::from(AtomEnum::STRING) {
                value.into_iter().map(char::from).collect()
            } else {
                String::from_utf8_lossy(&value).into_owned()
            }
        })
    }

    fn longs(&self, window: u32, property: u32) -> Vec<u32> {
        self.property(window, property)
            .and_then(|reply| Some(reply.value32()?.collect()))
            .unwrap_or_default()
    }

    fn property(&self, window: u32, property: u32) -> Option<GetPropertyReply> {
        let cookie =
            self.connection
                .get_property(false, window, property, AtomEnum::ANY, 0, LONGEST);
        cookie.ok()?.reply().ok()
    }
}
