//! The globals: all of the host's pass; shared memory, surfaces and their scaling are looked at.

use std::rc::Rc;

use wl_proxy::{
    object::{ConcreteObject, Object, ObjectCoreApi, ObjectRcUtils},
    protocols::{
        viewporter::wp_viewporter::WpViewporter,
        wayland::{
            wl_compositor::WlCompositor,
            wl_display::{WlDisplay, WlDisplayHandler},
            wl_registry::{WlRegistry, WlRegistryHandler},
            wl_shm::WlShm,
        },
    },
};

use super::{session::Session, shm::Shm, surface::Compositor, viewport::Viewporter};

pub struct Display {
    pub session: Rc<Session>,
}

impl WlDisplayHandler for Display {
    fn handle_get_registry(&mut self, slf: &Rc<WlDisplay>, registry: &Rc<WlRegistry>) {
        registry.set_handler(Registry {
            session: self.session.clone(),
        });
        slf.send_get_registry(registry);
    }
}

// A handler for zwp_linux_dmabuf_v1 belongs here, where the device gives out dmabufs: until then it is not known and so not offered.
struct Registry {
    session: Rc<Session>,
}

impl WlRegistryHandler for Registry {
    fn handle_bind(&mut self, slf: &Rc<WlRegistry>, name: u32, id: Rc<dyn Object>) {
        let session = || self.session.clone();
        with(&id, |it: Rc<WlCompositor>| {
            it.set_handler(Compositor { session: session() });
        });
        with(&id, |it: Rc<WpViewporter>| it.set_handler(Viewporter));
        with(&id, |it: Rc<WlShm>| {
            it.set_handler(Shm { session: session() });
            self.session.shm.borrow_mut().get_or_insert_with(|| {
                // Programs may give theirs back (wl_shm.release) and keep their pools.
                let own = slf.state().create_object::<WlShm>(1);
                own.set_forward_to_client(false);
                slf.send_bind(name, own.clone());
                own
            });
        });
        slf.send_bind(name, id);
    }
}

fn with<T: ConcreteObject>(id: &Rc<dyn Object>, set: impl FnOnce(Rc<T>)) {
    if let Some(object) = id.try_downcast::<T>() {
        set(object);
    }
}
