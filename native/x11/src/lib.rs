//! X11 applications on a Wayland compositor: runs Xwayland without a root window, and gives each X11 window one of Wayland's.

mod bridge;
mod process;
mod role;
mod run;
mod seat;
mod selection;
mod server;
mod surface;
mod window;
mod x11;

pub use run::{Error, run};
