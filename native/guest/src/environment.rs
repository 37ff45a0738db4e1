//! The environment that processes in the guest begin with.

use std::collections::BTreeMap;

use crate::account::Account;

pub type Environment = BTreeMap<String, String>;

pub const RUNTIME_PARENT: &str = "/run/user";
/// Where the user's session keeps its sockets.
pub const RUNTIME_DIRECTORY: &str = "/run/user/1000";
/// The session bus's socket.
pub const BUS_SOCKET: &str = "/run/user/1000/bus";
/// The name of the Wayland socket in the runtime directory.
pub const WAYLAND_SOCKET: &str = "wayland-0";

/// The X server that is started when the first program asks for it.
pub const X11_DISPLAY: &str = ":0";

/// What every process of an account has; what the host sets comes after and wins.
pub fn base(account: &Account) -> Environment {
    let path = if account.uid == 0 {
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    } else {
        "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    };
    let everyone = [
        ("HOME", account.home.as_str()),
        ("USER", &account.name),
        ("LOGNAME", &account.name),
        ("SHELL", &account.shell),
        ("PATH", path),
        ("LANG", "C.UTF-8"),
    ];
    everyone
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// What processes of the user's graphical session have besides.
pub fn session(account: &Account, has_x11: bool) -> Environment {
    let mut environment = base(account);
    let bus = format!("unix:path={BUS_SOCKET}");
    let desktop = [
        ("XDG_RUNTIME_DIR", RUNTIME_DIRECTORY),
        ("DBUS_SESSION_BUS_ADDRESS", &bus),
        ("WAYLAND_DISPLAY", WAYLAND_SOCKET),
        ("XDG_SESSION_TYPE", "wayland"),
        ("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
        (
            "GDK_BACKEND",
            if has_x11 { "wayland,x11" } else { "wayland" },
        ),
        (
            "QT_QPA_PLATFORM",
            if has_x11 { "wayland;xcb" } else { "wayland" },
        ),
        ("MOZ_ENABLE_WAYLAND", "1"),
        // What toolkits take for a sandbox's word to ask the portals: GTK 3 and GLib, GTK 4, Qt.
        ("GTK_USE_PORTAL", "1"),
        ("GDK_DEBUG", "portals"),
        ("QT_QPA_PLATFORMTHEME", "xdgdesktopportal"),
    ];
    let x11 = has_x11.then_some(("DISPLAY", X11_DISPLAY));
    let desktop = desktop.into_iter().chain(x11);
    environment.extend(desktop.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment
}
