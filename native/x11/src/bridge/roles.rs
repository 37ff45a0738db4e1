//! Which role a window has: given when all for it is there, taken when the window or its surface goes.

use std::rc::Rc;

use super::Bridge;
use crate::{
    role::Role,
    window::{State, Window},
};

impl Bridge {
    /// Gives a window its role, once all that this needs is there.
    pub(super) fn show(self: &Rc<Self>, window: u32) {
        let base = self.globals.wm_base.borrow().clone();
        let ready = self.with(window, |known| {
            let is_due = known.is_mapped && known.role.is_none() && known.geometry.height > 0;
            let surface = known.surface.clone().filter(|_| is_due)?;
            Some((surface, known.is_override, known.geometry))
        });
        let (Some(base), Some(Some((surface, is_override, geometry)))) = (base, ready) else {
            return;
        };
        let parent = if is_override {
            self.parent(window)
        } else {
            None
        };
        let wayland = &surface.wayland;
        let role = match parent {
            None => {
                let decorations = self.globals.decorations.borrow();
                let decorations = decorations.as_ref().filter(|_| !is_override);
                Role::toplevel(self, &base, decorations, window, wayland)
            }
            Some(parent) => {
                let windows = self.windows.borrow();
                let Some(Window {
                    role: Some(role),
                    geometry: outer,
                    ..
                }) = windows.get(&parent)
                else {
                    return;
                };
                if !role.is_configured {
                    return;
                }
                let place = geometry.relative_to(*outer);
                Role::popup(self, &base, window, wayland, (parent, role, *outer), place)
            }
        };
        let state = self.with(window, |known| {
            known.role = Some(role);
            std::mem::take(&mut known.state)
        });
        self.describe(window);
        if let Some(state) = state.filter(|state| *state != State::default()) {
            self.with(window, |known| {
                known.role.as_ref().map(|role| role.set_state(state))
            });
        }
        wayland.send_commit();
    }

    pub(super) fn show_popups(self: &Rc<Self>) {
        let windows = self.windows.borrow();
        let waiting: Vec<u32> = windows
            .iter()
            .filter(|(_, known)| known.is_mapped && known.role.is_none())
            .map(|(&window, _)| window)
            .collect();
        drop(windows);
        for window in waiting {
            self.show(window);
        }
    }

    /// Takes a window's role, and first those of its popups.
    pub(super) fn hide(&self, window: u32) {
        let popups: Vec<u32> = self
            .windows
            .borrow()
            .iter()
            .filter(|(_, known)| known.role.as_ref().and_then(Role::parent) == Some(window))
            .map(|(&popup, _)| popup)
            .collect();
        for popup in popups {
            self.hide(popup);
        }
        let gone = self.with(window, |known| {
            if let Some(surface) = &known.surface {
                surface.close();
            }
            known.role.take()
        });
        if let Some(role) = gone.flatten() {
            role.destroy();
        }
        for place in [&self.input.focused, &self.input.pointed] {
            if place.get() == Some(window) {
                place.set(None);
            }
        }
    }

    pub(super) fn describe(&self, window: u32) {
        let leader = self.with(window, |known| known.properties.transient_for);
        let leader = leader.flatten().and_then(|leader| self.toplevel(leader));
        self.with(window, |known| {
            if let Some(role) = &known.role {
                role.describe(&known.properties, leader.as_ref());
            }
        });
    }

    pub(super) fn reposition(&self, window: u32) {
        let Some(base) = self.globals.wm_base.borrow().clone() else {
            return;
        };
        let parent = self.with(window, |known| known.role.as_ref()?.parent());
        let Some(outer) = parent
            .flatten()
            .and_then(|parent| self.with(parent, |known| known.geometry))
        else {
            return;
        };
        self.with(window, |known| {
            let place = known.geometry.relative_to(outer);
            if let Some(role) = &mut known.role {
                role.reposition(&base, outer, place);
            }
        });
    }

    /// The toplevel that a menu or the like belongs to: what it names, else one of the same client, the one in use first.
    fn parent(&self, window: u32) -> Option<u32> {
        let windows = self.windows.borrow();
        let is_toplevel = |candidate: u32| {
            candidate != window
                && windows
                    .get(&candidate)
                    .and_then(|known| known.role.as_ref())
                    .is_some_and(|role| role.as_toplevel().is_some())
        };
        let is_same = |candidate: u32| {
            self.x
                .get()
                .is_some_and(|x| x.is_same_client(candidate, window))
        };
        let named = windows.get(&window)?.properties.transient_for;
        // A popup's own toplevel stands for the popup.
        let above = |candidate: u32| {
            let role = windows.get(&candidate)?.role.as_ref()?;
            Some(role.parent().unwrap_or(candidate))
        };
        let in_use = [self.input.pointed.get(), self.input.focused.get()];
        let likely = in_use.into_iter().flatten().filter_map(above);
        let all = windows.keys().rev().copied();
        named
            .and_then(above)
            .into_iter()
            .chain(likely.chain(all).filter(|&candidate| is_same(candidate)))
            .find(|&candidate| is_toplevel(candidate))
    }
}
