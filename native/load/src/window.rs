//! A toplevel with two buffers, and what the compositor says of them.

use std::os::fd::AsFd;

use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer, wl_callback, wl_compositor, wl_registry, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use crate::canvas::{BUFFERS, Canvas};
use crate::failure::Failure;
use crate::rectangle::{Rectangle, Size};

/// What has been heard.
#[derive(Default)]
struct Heard {
    is_configured: bool,
    is_shown: bool,
    is_closed: bool,
    is_busy: [bool; BUFFERS],
}

pub struct Window {
    queue: EventQueue<Heard>,
    heard: Heard,
    surface: wl_surface::WlSurface,
    buffers: [wl_buffer::WlBuffer; BUFFERS],
}

impl Window {
    /// Ready for its first buffer. The size is the canvas's, whatever the compositor proposes.
    pub fn open(canvas: &Canvas, size: Size) -> Result<Self, Failure> {
        let connection = Connection::connect_to_env()?;
        let (globals, queue) = registry_queue_init::<Heard>(&connection)?;
        let handle = queue.handle();
        let compositor: wl_compositor::WlCompositor = globals.bind(&handle, 4..=4, ())?;
        let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ())?;
        let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ())?;

        let pool = shm.create_pool(canvas.as_fd(), canvas.bytes() as i32, &handle, ());
        let buffers = std::array::from_fn(|index| {
            let (width, height) = (size.width as i32, size.height as i32);
            let (offset, stride) = (canvas.offset(index) as i32, canvas.stride() as i32);
            let format = wl_shm::Format::Xrgb8888;
            pool.create_buffer(offset, width, height, stride, format, &handle, index)
        });
        let surface = compositor.create_surface(&handle, ());
        let toplevel = shell
            .get_xdg_surface(&surface, &handle, ())
            .get_toplevel(&handle, ());
        toplevel.set_app_id("load".into());
        toplevel.set_title("load".into());
        surface.commit();
        let heard = Heard::default();
        let mut window = Self {
            queue,
            heard,
            surface,
            buffers,
        };
        window.wait_until(|heard| heard.is_configured)?;
        Ok(window)
    }

    /// A buffer that the compositor does not read.
    pub fn free_buffer(&mut self) -> Result<usize, Failure> {
        let find = |heard: &Heard| heard.is_busy.iter().position(|is_busy| !is_busy);
        self.wait_until(|heard| find(heard).is_some())?;
        Ok(find(&self.heard).unwrap_or_default())
    }

    /// Returns when it is time for the next frame.
    pub fn show(&mut self, buffer: usize, damage: Rectangle) -> Result<(), Failure> {
        let (x, y) = (damage.x as i32, damage.y as i32);
        let (width, height) = (damage.size.width as i32, damage.size.height as i32);
        self.heard.is_busy[buffer] = true;
        self.heard.is_shown = false;
        self.surface.attach(Some(&self.buffers[buffer]), 0, 0);
        self.surface.damage_buffer(x, y, width, height);
        self.surface.frame(&self.queue.handle(), ());
        self.surface.commit();
        self.wait_until(|heard| heard.is_shown)
    }

    fn wait_until(&mut self, is_met: impl Fn(&Heard) -> bool) -> Result<(), Failure> {
        while !is_met(&self.heard) {
            self.queue.blocking_dispatch(&mut self.heard)?;
            if self.heard.is_closed {
                return Err(Failure::Closed);
            }
        }
        Ok(())
    }
}

type Handle = QueueHandle<Heard>;

impl Dispatch<wl_buffer::WlBuffer, usize> for Heard {
    fn event(
        heard: &mut Self,
        _: &wl_buffer::WlBuffer,
        event: wl_buffer::Event,
        index: &usize,
        _: &Connection,
        _: &Handle,
    ) {
        if let wl_buffer::Event::Release = event {
            heard.is_busy[*index] = false;
        }
    }
}

impl Dispatch<wl_callback::WlCallback, ()> for Heard {
    fn event(
        heard: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        _: &(),
        _: &Connection,
        _: &Handle,
    ) {
        heard.is_shown = true;
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Heard {
    fn event(
        _: &mut Self,
        shell: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        _: &(),
        _: &Connection,
        _: &Handle,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            shell.pong(serial);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Heard {
    fn event(
        heard: &mut Self,
        surface: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        _: &(),
        _: &Connection,
        _: &Handle,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            surface.ack_configure(serial);
            heard.is_configured = true;
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for Heard {
    fn event(
        heard: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        _: &(),
        _: &Connection,
        _: &Handle,
    ) {
        heard.is_closed |= matches!(event, xdg_toplevel::Event::Close);
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Heard {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &Handle,
    ) {
    }
}

delegate_noop!(Heard: wl_compositor::WlCompositor);
delegate_noop!(Heard: wl_shm_pool::WlShmPool);
delegate_noop!(Heard: ignore wl_shm::WlShm);
delegate_noop!(Heard: ignore wl_surface::WlSurface);
