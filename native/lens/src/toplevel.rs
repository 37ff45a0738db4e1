//! Windows that say whose they are, from before the guest says anything.

use std::rc::Rc;

use wl_proxy::protocols::{
    wayland::wl_surface::WlSurface,
    xdg_shell::{
        xdg_surface::{XdgSurface, XdgSurfaceHandler},
        xdg_toplevel::{XdgToplevel, XdgToplevelHandler},
        xdg_wm_base::{XdgWmBase, XdgWmBaseHandler},
    },
};

use crate::session::Session;

pub struct WmBase {
    pub session: Rc<Session>,
}

impl XdgWmBaseHandler for WmBase {
    fn handle_get_xdg_surface(
        &mut self,
        slf: &Rc<XdgWmBase>,
        id: &Rc<XdgSurface>,
        surface: &Rc<WlSurface>,
    ) {
        id.set_handler(Shell {
            session: self.session.clone(),
        });
        slf.send_get_xdg_surface(id, surface);
    }
}

struct Shell {
    session: Rc<Session>,
}

impl XdgSurfaceHandler for Shell {
    fn handle_get_toplevel(&mut self, slf: &Rc<XdgSurface>, id: &Rc<XdgToplevel>) {
        let name = &self.session.policy.name;
        id.set_handler(Toplevel {
            session: self.session.clone(),
        });
        slf.send_get_toplevel(id);
        id.send_set_title(&name.title(""));
        id.send_set_app_id(&name.window_app_id());
    }
}

struct Toplevel {
    session: Rc<Session>,
}

impl XdgToplevelHandler for Toplevel {
    fn handle_set_title(&mut self, slf: &Rc<XdgToplevel>, title: &str) {
        slf.send_set_title(&self.session.policy.name.title(title));
    }

    // The desktop entry, and with it icon and grouping, is the instance's; the guest has no say in it.
    fn handle_set_app_id(&mut self, _slf: &Rc<XdgToplevel>, _app_id: &str) {}
}
