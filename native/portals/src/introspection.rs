//! What the objects say of themselves, from what the broker says there is.

use cloche_protocol::portals::{Interface, PortalObject};

const HEAD: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n";

pub fn describe(interfaces: &[Interface], object: PortalObject) -> String {
    let described = interfaces
        .iter()
        .filter(|interface| interface.object == object)
        .map(describe_one);
    format!("{HEAD}{}</node>\n", described.collect::<String>())
}

fn describe_one(interface: &Interface) -> String {
    let methods = interface.methods.iter().map(|(name, types)| {
        let arguments = arguments("in", &types.takes) + &arguments("out", &types.returns);
        format!("  <method name=\"{name}\">\n{arguments}  </method>\n")
    });
    let signals = interface.signals.iter().map(|(name, types)| {
        let arguments = arguments("out", types);
        format!("  <signal name=\"{name}\">\n{arguments}  </signal>\n")
    });
    let properties = interface.properties.iter().map(|(name, value)| {
        let kind = value["type"].as_str().unwrap_or("v");
        format!("  <property name=\"{name}\" type=\"{kind}\" access=\"read\"/>\n")
    });
    let members = methods.chain(signals).chain(properties).collect::<String>();
    format!(
        " <interface name=\"{}\">\n{members} </interface>\n",
        interface.name
    )
}

fn arguments(direction: &str, types: &[String]) -> String {
    let argument = |kind: &String| format!("   <arg type=\"{kind}\" direction=\"{direction}\"/>\n");
    types.iter().map(argument).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_is_told_what_a_method_takes() {
        let interface = serde_json::from_value(json!({
            "name": "org.freedesktop.portal.Account",
            "object": "desktop",
            "properties": {"version": {"type": "u", "data": 1}},
            "methods": {"GetUserInformation": {"takes": ["s", "a{sv}"], "returns": ["o"]}},
            "signals": {},
        }));
        let text = describe(&[interface.expect("an interface")], PortalObject::Desktop);
        assert!(text.contains(concat!(
            "  <method name=\"GetUserInformation\">\n",
            "   <arg type=\"s\" direction=\"in\"/>\n",
            "   <arg type=\"a{sv}\" direction=\"in\"/>\n",
            "   <arg type=\"o\" direction=\"out\"/>\n",
            "  </method>\n",
            "  <property name=\"version\" type=\"u\" access=\"read\"/>\n",
        )));
    }
}
