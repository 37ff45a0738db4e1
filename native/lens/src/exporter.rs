//! Windows that a guest names to the portals: what the compositor calls them is said on standard output, where the broker learns
//! which names are this instance's. `exported NAME` when one begins, `withdrawn NAME` when it ends.

use std::{
    io::{self, Write},
    rc::Rc,
};

use wl_proxy::protocols::{
    wayland::wl_surface::WlSurface,
    xdg_foreign_unstable_v2::{
        zxdg_exported_v2::{ZxdgExportedV2, ZxdgExportedV2Handler},
        zxdg_exporter_v2::{ZxdgExporterV2, ZxdgExporterV2Handler},
    },
};

pub struct Exporter;

impl ZxdgExporterV2Handler for Exporter {
    fn handle_export_toplevel(
        &mut self,
        slf: &Rc<ZxdgExporterV2>,
        id: &Rc<ZxdgExportedV2>,
        surface: &Rc<WlSurface>,
    ) {
        id.set_handler(Exported::default());
        slf.send_export_toplevel(id, surface);
    }
}

#[derive(Default)]
struct Exported {
    name: Option<String>,
}

impl ZxdgExportedV2Handler for Exported {
    fn handle_handle(&mut self, slf: &Rc<ZxdgExportedV2>, handle: &str) {
        // Said before the guest knows it: the broker has heard of it when it is used.
        say("exported", handle);
        self.name = Some(handle.to_owned());
        slf.send_handle(handle);
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            say("withdrawn", name);
        }
    }
}

/// A supervisor that does not listen any more has no use for it.
fn say(what: &str, name: &str) {
    let _ = writeln!(io::stdout(), "{what} {name}");
}
