//! The globals that a client sees and may bind; everything it makes starts here.

use std::rc::Rc;

use cloche_wayland::farewell::INVALID_OBJECT;
use wl_proxy::{
    object::{ConcreteObject, Object, ObjectCoreApi, ObjectRcUtils},
    protocols::{
        ObjectInterface,
        wayland::{
            wl_compositor::WlCompositor,
            wl_data_device_manager::WlDataDeviceManager,
            wl_display::{WlDisplay, WlDisplayHandler},
            wl_output::WlOutput,
            wl_registry::{WlRegistry, WlRegistryHandler},
            wl_seat::WlSeat,
            wl_shm::WlShm,
            wl_subcompositor::WlSubcompositor,
        },
        wp_primary_selection_unstable_v1::zwp_primary_selection_device_manager_v1::ZwpPrimarySelectionDeviceManagerV1,
        xdg_activation_v1::xdg_activation_v1::XdgActivationV1,
        xdg_foreign_unstable_v2::zxdg_exporter_v2::ZxdgExporterV2,
        xdg_shell::xdg_wm_base::XdgWmBase,
    },
};

use crate::{
    activation::Activation,
    data_device::DataDeviceManager,
    exporter::Exporter,
    input::Seat,
    output::Output,
    primary_selection::PrimaryManager,
    session::Session,
    shm::Shm,
    surface::{Compositor, Subcompositor},
    toplevel::WmBase,
};

pub struct Display {
    session: Rc<Session>,
}

impl Display {
    pub fn new(session: &Rc<Session>) -> Self {
        Self {
            session: session.clone(),
        }
    }
}

impl WlDisplayHandler for Display {
    fn handle_get_registry(&mut self, slf: &Rc<WlDisplay>, registry: &Rc<WlRegistry>) {
        registry.set_handler(Registry {
            session: self.session.clone(),
            offered: Vec::new(),
        });
        slf.send_get_registry(registry);
    }
}

struct Offered {
    compositor_name: u32,
    interface: ObjectInterface,
    version: u32,
    withdrawn: bool,
}

struct Registry {
    session: Rc<Session>,
    /// A client's name for a global is its place here, from 1: the compositor's own names would tell what was left out.
    offered: Vec<Offered>,
}

fn client_name(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

impl WlRegistryHandler for Registry {
    fn handle_global(
        &mut self,
        slf: &Rc<WlRegistry>,
        name: u32,
        interface: ObjectInterface,
        version: u32,
    ) {
        let Some(version) = self.session.policy.globals.offer(interface, version) else {
            return;
        };
        self.offered.push(Offered {
            compositor_name: name,
            interface,
            version,
            withdrawn: false,
        });
        slf.send_global(client_name(self.offered.len() - 1), interface, version);
    }

    fn handle_global_remove(&mut self, slf: &Rc<WlRegistry>, name: u32) {
        let known = |global: &Offered| global.compositor_name == name && !global.withdrawn;
        if let Some(index) = self.offered.iter().position(known) {
            self.offered[index].withdrawn = true;
            slf.send_global_remove(client_name(index));
        }
    }

    fn handle_bind(&mut self, slf: &Rc<WlRegistry>, name: u32, id: Rc<dyn Object>) {
        let index = usize::try_from(name)
            .ok()
            .and_then(|name| name.checked_sub(1));
        let global = index.and_then(|index| self.offered.get(index));
        let allowed = global.filter(|global| {
            global.interface == id.interface() && (1..=global.version).contains(&id.version())
        });
        let Some(global) = allowed else {
            let reason = format!(
                "{} version {} is not offered as global {name}",
                id.interface().name(),
                id.version()
            );
            self.session.reject(slf.clone(), INVALID_OBJECT, &reason);
            return;
        };
        watch(&self.session, &id);
        slf.send_bind(global.compositor_name, id);
    }
}

/// Sets the handlers of the globals whose requests the lens looks at; the others pass as they are.
fn watch(session: &Rc<Session>, id: &Rc<dyn Object>) {
    let session = || session.clone();
    with(id, |it: Rc<WlShm>| {
        it.set_handler(Shm { session: session() })
    });
    with(id, |it: Rc<WlCompositor>| {
        it.set_handler(Compositor { session: session() })
    });
    with(id, |it: Rc<WlSubcompositor>| it.set_handler(Subcompositor));
    with(id, |it: Rc<XdgWmBase>| {
        it.set_handler(WmBase { session: session() })
    });
    with(id, |it: Rc<WlSeat>| {
        it.set_handler(Seat { session: session() })
    });
    with(id, |it: Rc<WlOutput>| it.set_handler(Output));
    with(id, |it: Rc<ZxdgExporterV2>| it.set_handler(Exporter));
    with(id, |it: Rc<XdgActivationV1>| {
        it.set_handler(Activation { session: session() })
    });
    with(id, |it: Rc<WlDataDeviceManager>| {
        it.set_handler(DataDeviceManager { session: session() })
    });
    with(id, |it: Rc<ZwpPrimarySelectionDeviceManagerV1>| {
        it.set_handler(PrimaryManager { session: session() })
    });
}

fn with<T: ConcreteObject>(id: &Rc<dyn Object>, set: impl FnOnce(Rc<T>)) {
    if let Some(object) = id.try_downcast::<T>() {
        set(object);
    }
}
