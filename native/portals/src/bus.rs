//! The session bus: names, and messages out.

use serde::Serialize;
use zbus::connection::Builder;
use zbus::fdo::RequestNameFlags;
use zbus::message::Header;
use zbus::wire::DynamicType;
use zbus::{Connection, Message, MessageStream};

const NAMES: [&str; 2] = [
    "org.freedesktop.portal.Desktop",
    "org.freedesktop.portal.Documents",
];

pub const REQUEST: &str = "org.freedesktop.portal.Request";
pub const SESSION: &str = "org.freedesktop.portal.Session";
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What a caller is told in place of a result.
#[derive(Debug)]
pub struct Refusal {
    pub name: String,
    pub message: String,
}

impl Refusal {
    /// `kind` of `org.freedesktop.DBus.Error`.
    pub fn of_bus(kind: &str, message: impl Into<String>) -> Self {
        Self {
            name: format!("org.freedesktop.DBus.Error.{kind}"),
            message: message.into(),
        }
    }
}

#[derive(Clone)]
pub struct Bus(Connection);

impl Bus {
    /// Connects to the session bus, listens, and only then takes the names.
    pub async fn connect() -> zbus::Result<(Self, MessageStream)> {
        let connection = Builder::session().build().await?;
        let stream = MessageStream::from(&connection);
        let body = (
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
        );
        connection
            .call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "AddMatch",
                &body,
            )
            .await?;
        for name in NAMES {
            connection
                .request_name_with_flags(name, RequestNameFlags::DO_NOT_QUEUE)
                .await?;
        }
        Ok((Self(connection), stream))
    }

    /// Nobody may wait for it any more: what cannot be sent is not told.
    fn send(&self, message: zbus::Result<Message>) {
        if let Ok(message) = message {
            let _ = zbus::block_on(self.0.send(&message));
        }
    }

    pub fn reply<B: Serialize + DynamicType>(&self, call: &Header<'_>, body: &B) {
        self.send(Message::method_return(call).build(body));
    }

    pub fn refuse(&self, call: &Header<'_>, refusal: &Refusal) {
        let error = Message::error(call, refusal.name.as_str());
        self.send(error.build(&(refusal.message.as_str(),)));
    }

    /// To one program, or to all.
    pub fn signal<B: Serialize + DynamicType>(
        &self,
        to: Option<&str>,
        (path, interface, member): (&str, &str, &str),
        body: &B,
    ) {
        let builder = Message::signal(path, interface, member);
        let builder = match to {
            Some(to) => builder.destination(to),
            None => builder,
        };
        self.send(builder.build(body));
    }
}
