//! What the objects say of themselves. Interfaces are named without their members: those are the broker's to know.

use cloche_protocol::portals::{Interface, PortalObject};

const HEAD: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n";

pub fn describe(interfaces: &[Interface], object: PortalObject) -> String {
    let names = interfaces
        .iter()
        .filter(|interface| interface.object == object);
    let described = names.map(|Interface { name, .. }| {
        format!(
            " <interface name=\"{name}\">\n  <property name=\"version\" type=\"u\" access=\"read\"/>\n </interface>\n"
        )
    });
    format!("{HEAD}{}</node>\n", described.collect::<String>())
}
