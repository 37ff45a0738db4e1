//! The globals that Xwayland sees, and those that the bridge binds for itself.

use std::rc::Rc;

use wl_proxy::{
    object::{ConcreteObject, Object, ObjectCoreApi, ObjectRcUtils},
    protocols::{
        ObjectInterface,
        wayland::{
            wl_compositor::WlCompositor,
            wl_data_device_manager::WlDataDeviceManager,
            wl_display::{WlDisplay, WlDisplayHandler},
            wl_registry::{WlRegistry, WlRegistryHandler},
            wl_seat::WlSeat,
        },
        xdg_decoration_unstable_v1::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1,
        xdg_shell::xdg_wm_base::{XdgWmBase, XdgWmBaseHandler},
        xwayland_shell_v1::xwayland_shell_v1::XwaylandShellV1,
    },
};

use crate::{
    bridge::Bridge,
    seat::SeatHandler,
    surface::{CompositorHandler, ShellHandler},
};

/// Our own global's name; a compositor counts from small numbers.
const SHELL_NAME: u32 = 0xfeff_0001;

pub struct DisplayHandler(pub Rc<Bridge>);

impl WlDisplayHandler for DisplayHandler {
    fn handle_get_registry(&mut self, slf: &Rc<WlDisplay>, registry: &Rc<WlRegistry>) {
        registry.set_handler(RegistryHandler(self.0.clone()));
        slf.send_get_registry(registry);
        registry.send_global(SHELL_NAME, XwaylandShellV1::INTERFACE, 1);
    }
}

struct RegistryHandler(Rc<Bridge>);

impl RegistryHandler {
    fn bind_own<T: ConcreteObject>(registry: &Rc<WlRegistry>, name: u32, version: u32) -> Rc<T> {
        let object = registry.state().create_object::<T>(version);
        registry.send_bind(name, object.clone());
        object
    }
}

impl WlRegistryHandler for RegistryHandler {
    fn handle_global(
        &mut self,
        slf: &Rc<WlRegistry>,
        name: u32,
        interface: ObjectInterface,
        version: u32,
    ) {
        let globals = &self.0.globals;
        match interface {
            ObjectInterface::XdgWmBase => {
                let base = Self::bind_own::<XdgWmBase>(slf, name, version.min(5));
                base.set_handler(Pong);
                globals.wm_base.replace(Some(base));
            }
            ObjectInterface::ZxdgDecorationManagerV1 => {
                let manager = Self::bind_own::<ZxdgDecorationManagerV1>(slf, name, 1);
                globals.decorations.replace(Some(manager));
            }
            ObjectInterface::WlDataDeviceManager => {
                let manager = Self::bind_own::<WlDataDeviceManager>(slf, name, version.min(3));
                globals.data_devices.replace(Some(manager));
            }
            _ => slf.send_global(name, interface, version),
        }
    }

    fn handle_bind(&mut self, slf: &Rc<WlRegistry>, name: u32, id: Rc<dyn Object>) {
        match id.interface() {
            ObjectInterface::XwaylandShellV1 => {
                let shell = id.downcast::<XwaylandShellV1>();
                shell.set_handler(ShellHandler(self.0.clone()));
                return;
            }
            ObjectInterface::WlCompositor => {
                let compositor = id.downcast::<WlCompositor>();
                compositor.set_handler(CompositorHandler(self.0.clone()));
            }
            ObjectInterface::WlSeat => {
                let seat = id.downcast::<WlSeat>();
                seat.set_handler(SeatHandler(self.0.clone()));
                self.0.globals.seat.replace(Some(seat));
            }
            _ => {}
        }
        slf.send_bind(name, id);
        self.0.selection.start(&self.0);
    }
}

struct Pong;

impl XdgWmBaseHandler for Pong {
    fn handle_ping(&mut self, slf: &Rc<XdgWmBase>, serial: u32) {
        slf.send_pong(serial);
    }
}
