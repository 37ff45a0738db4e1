//! The front end: from the bus to the link and back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloche_protocol::portals::{
    Interface, MAX_ARGUMENTS, MAX_FILES, PortalObject, PortalsFromGuest, PortalsToGuest,
};
use serde_json::Value as Json;
use zbus::Message;
use zbus::message::{Header, Type};
use zbus::wire::{Fd, ObjectPath, Structure, Variant};

use crate::bus::{Bus, PROPERTIES, REQUEST, Refusal, SESSION};
use crate::calls::{Call, CallNames, Calls, Session};
use crate::handles::{self, DESKTOP, DOCUMENTS, Kind};
use crate::link::Sender;
use crate::media::{self, Media};
use crate::value::{self, ValueError};
use crate::{files, introspection};

/// Calls and requests of all programs together that wait; the broker has bounds of its own.
const MAX_WAITING: usize = 256;

pub struct Front {
    bus: Bus,
    link: Sender,
    media: Media,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    interfaces: Vec<Interface>,
    calls: Calls,
}

impl Front {
    pub fn new(bus: Bus, link: Sender, media: Media, interfaces: Vec<Interface>) -> Self {
        let state = State {
            interfaces,
            calls: Calls::default(),
        };
        Self {
            bus,
            link,
            media,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message from the session bus.
    pub fn hear(&self, message: &Message) {
        let header = message.header();
        match header.message_type() {
            Type::MethodCall => {
                if let Err(refusal) = self.serve(message, &header) {
                    self.bus.refuse(&header, &refusal);
                }
            }
            Type::Signal => self.notice_end(message, &header),
            _ => {}
        }
    }

    fn serve(&self, message: &Message, header: &Header<'_>) -> Result<(), Refusal> {
        let path = header.path().map(ObjectPath::as_str).unwrap_or_default();
        let interface = header.interface().map(|name| name.as_str());
        let member = header
            .member()
            .map(|name| name.as_str())
            .unwrap_or_default();
        let object = match path {
            DESKTOP => Some(PortalObject::Desktop),
            DOCUMENTS => Some(PortalObject::Documents),
            _ => None,
        };
        match (object, interface.unwrap_or_default(), member) {
            (_, "org.freedesktop.DBus.Peer", "Ping") => {
                self.bus.reply(header, &());
                Ok(())
            }
            (Some(object), "org.freedesktop.DBus.Introspectable", "Introspect") => {
                let text = introspection::describe(&self.lock().interfaces, object);
                self.bus.reply(header, &(text,));
                Ok(())
            }
            (Some(object), PROPERTIES, _) => self.tell_properties(message, header, object, member),
            (Some(object), interface, member) => {
                self.forward(message, header, object, interface, member)
            }
            (None, REQUEST | "", "Close") | (None, SESSION, "Close") => self.close(header, path),
            _ => Err(Refusal::of_bus(
                "UnknownObject",
                format!("there is no object {path}"),
            )),
        }
    }

    fn tell_properties(
        &self,
        message: &Message,
        header: &Header<'_>,
        object: PortalObject,
        member: &str,
    ) -> Result<(), Refusal> {
        let body = message.body();
        let invalid = |error: zbus::Error| Refusal::of_bus("InvalidArgs", error.to_string());
        let state = self.lock();
        let names = CallNames {
            calls: &state.calls,
            sender: "",
            files: Vec::new(),
        };
        let broken = |error: ValueError| Refusal::of_bus("Failed", error.to_string());
        match member {
            "Get" => {
                let (interface, property): (String, String) =
                    body.deserialize().map_err(invalid)?;
                let value = find(&state.interfaces, object, &interface)?
                    .properties
                    .get(&property)
                    .ok_or_else(|| unknown_property(&interface, &property))?;
                let value = value::variant_from_json(value, &names).map_err(broken)?;
                self.bus.reply(header, &(value,));
            }
            "GetAll" => {
                let (interface,): (String,) = body.deserialize().map_err(invalid)?;
                let properties = &find(&state.interfaces, object, &interface)?.properties;
                let values = value::dict_from_json(properties, &names).map_err(broken)?;
                self.reply_one(header, Variant::Dict(values))?;
            }
            "Set" => {
                return Err(Refusal::of_bus(
                    "PropertyReadOnly",
                    "portals have no property to set",
                ));
            }
            _ => return Err(unknown_method(PROPERTIES, member)),
        }
        Ok(())
    }

    fn reply_one(&self, header: &Header<'_>, value: Variant<'static>) -> Result<(), Refusal> {
        let mut builder = Structure::builder();
        builder.push_value(value);
        let body = builder
            .build()
            .map_err(|error| Refusal::of_bus("Failed", error.to_string()))?;
        self.bus.reply(header, &body);
        Ok(())
    }

    fn forward(
        &self,
        message: &Message,
        header: &Header<'_>,
        object: PortalObject,
        interface: &str,
        member: &str,
    ) -> Result<(), Refusal> {
        let sender = header
            .sender()
            .ok_or_else(|| Refusal::of_bus("Failed", "a call without a sender"))?;
        let body = message.body();
        let arguments = arguments(&body)?;
        let tokens = Tokens::of(&arguments);
        let mut state = self.lock();
        find(&state.interfaces, object, interface)?;
        if state.calls.calls.len() >= MAX_WAITING {
            return Err(Refusal::of_bus(
                "LimitsExceeded",
                "too many calls wait for an answer",
            ));
        }
        let mut names = CallNames {
            calls: &state.calls,
            sender: sender.as_str(),
            files: Vec::new(),
        };
        let json = value::list_to_json(&arguments, &mut names).map_err(refuse_argument)?;
        let files = names.files;
        // The host ends the connection over what is outside its bounds, and that is every program's.
        if arguments.len() > MAX_ARGUMENTS || files.len() > MAX_FILES {
            return Err(Refusal::of_bus(
                "LimitsExceeded",
                "too many arguments or files",
            ));
        }
        let id = state.calls.new_id();
        let call = PortalsFromGuest::Call {
            id,
            interface: interface.to_owned(),
            member: member.to_owned(),
            signature: body.signature().to_string_no_parens(),
            body: json.as_array().cloned().unwrap_or_default(),
            files: files.iter().map(files::describe).collect(),
        };
        let path = |kind, token: &Option<String>| {
            handles::path(kind, sender.as_str(), token.as_deref(), id)
        };
        state.calls.calls.insert(
            id,
            Call {
                message: message.clone(),
                sender: sender.to_string(),
                request: None,
                handle: path(Kind::Request, &tokens.request),
                session: path(Kind::Session, &tokens.session),
                files,
            },
        );
        if self.link.send(&call).is_err() {
            state.calls.calls.remove(&id);
            return Err(Refusal::of_bus("LimitsExceeded", "the call is too long"));
        }
        Ok(())
    }

    fn close(&self, header: &Header<'_>, path: &str) -> Result<(), Refusal> {
        let sender = header
            .sender()
            .map(|name| name.as_str())
            .unwrap_or_default();
        let mut state = self.lock();
        let denied = || Refusal::of_bus("AccessDenied", "it belongs to another program");
        if let Some((id, call)) = state.calls.request_at(path) {
            if call.sender != sender {
                return Err(denied());
            }
            state.calls.calls.remove(&id);
            self.tell(&PortalsFromGuest::Close { id });
        } else if let Some((id, session)) = state.calls.session_at(path) {
            if session.owner != sender {
                return Err(denied());
            }
            state.calls.sessions.remove(&id);
            self.tell(&PortalsFromGuest::CloseSession { session: id });
        } else {
            return Err(Refusal::of_bus(
                "UnknownObject",
                format!("there is no object {path}"),
            ));
        }
        self.bus.reply(header, &());
        Ok(())
    }

    /// A program that has left the bus wants nothing more.
    fn notice_end(&self, message: &Message, header: &Header<'_>) {
        let from_bus = header
            .sender()
            .is_some_and(|name| name == "org.freedesktop.DBus");
        let is_change = header
            .member()
            .is_some_and(|name| name == "NameOwnerChanged");
        let Ok((name, _, owner)) = message.body().deserialize::<(String, String, String)>() else {
            return;
        };
        if !from_bus || !is_change || !owner.is_empty() || !name.starts_with(':') {
            return;
        }
        let mut state = self.lock();
        let (calls, sessions) = state.calls.left_by(&name);
        for id in calls {
            state.calls.calls.remove(&id);
            self.tell(&PortalsFromGuest::Close { id });
        }
        for session in sessions {
            state.calls.sessions.remove(&session);
            self.tell(&PortalsFromGuest::CloseSession { session });
        }
    }

    fn tell(&self, message: &PortalsFromGuest) {
        // These are short, and a link that is gone is noticed by its reader.
        let _ = self.link.send(message);
    }

    /// A message from the host.
    pub fn obey(self: &Arc<Self>, message: PortalsToGuest) -> Result<(), ValueError> {
        let mut state = self.lock();
        match message {
            PortalsToGuest::Offer { interfaces } => self.offer(&mut state, interfaces)?,
            PortalsToGuest::Reply {
                id,
                signature,
                body,
            } => self.reply(&mut state, id, &signature, &body)?,
            PortalsToGuest::Accept { id } => self.accept(&mut state, id),
            PortalsToGuest::Error { id, name, message } => {
                if let Some(call) = state.calls.calls.remove(&id) {
                    self.bus
                        .refuse(&call.message.header(), &Refusal { name, message });
                }
            }
            PortalsToGuest::Response {
                id,
                code,
                results,
                session,
                lasts,
            } => {
                self.respond(&mut state, id, code, results, session)?;
                if !lasts {
                    state.calls.calls.remove(&id);
                }
            }
            PortalsToGuest::Write { id, index, bytes } => write(&mut state, id, index, &bytes)?,
            PortalsToGuest::Stream { stream, properties } => {
                let front = self.clone();
                // Starting PipeWire takes its time.
                thread::spawn(move || front.show(stream, &properties));
            }
            PortalsToGuest::SessionClosed { session, details } => {
                self.end_session(&mut state, session, &details)?;
            }
            PortalsToGuest::Signal {
                interface,
                member,
                signature,
                body,
            } => self.signal(&state, (&interface, &member), &signature, &body)?,
        }
        Ok(())
    }

    fn show(&self, stream: u32, properties: &BTreeMap<String, String>) {
        if let Err(error) = self.media.show(stream, properties) {
            let message = error.to_string();
            self.tell(&PortalsFromGuest::StreamFailed { stream, message });
        }
    }

    /// Keeps a session that has no path until its owner has gone; one is enough for what a program asks for again and again.
    fn hold(&self, state: &mut State, session: u32, owner: &str) {
        if state.calls.sessions.contains_key(&session) {
            return;
        }
        let holds = |held: &Session| held.owner == owner && held.path.is_empty();
        if state.calls.sessions.values().any(holds) {
            self.tell(&PortalsFromGuest::CloseSession { session });
            return;
        }
        let (path, owner) = (String::new(), owner.to_owned());
        state
            .calls
            .sessions
            .insert(session, Session { path, owner });
    }

    /// A connection to the guest's PipeWire, and the session that ends when the program does.
    fn reply_remote(&self, state: &mut State, call: Call, session: Option<u32>) {
        let header = call.message.header();
        match media::connect_program() {
            Ok(connection) => {
                if let Some(session) = session {
                    self.hold(state, session, &call.sender);
                }
                self.bus.reply(&header, &(Fd::from(connection),));
            }
            Err(error) => {
                let refusal = Refusal::of_bus("Failed", error.to_string());
                self.bus.refuse(&header, &refusal);
                if let Some(session) = session {
                    self.tell(&PortalsFromGuest::CloseSession { session });
                }
            }
        }
    }

    fn offer(&self, state: &mut State, interfaces: Vec<Interface>) -> Result<(), ValueError> {
        let before = std::mem::replace(&mut state.interfaces, interfaces);
        let names = CallNames {
            calls: &state.calls,
            sender: "",
            files: Vec::new(),
        };
        for interface in &state.interfaces {
            let known = before.iter().find(|known| known.name == interface.name);
            let changed: BTreeMap<String, Json> = interface
                .properties
                .iter()
                .filter(|(name, value)| {
                    known.is_some_and(|known| known.properties.get(*name) != Some(value))
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            if changed.is_empty() {
                continue;
            }
            let changed = value::dict_from_json(&changed, &names)?;
            let mut body = Structure::builder().add_field(interface.name.as_str());
            body.push_value(Variant::Dict(changed));
            let body = body.add_field(Vec::<String>::new()).build()?;
            let member = (
                object_path(interface.object),
                PROPERTIES,
                "PropertiesChanged",
            );
            self.bus.signal(None, member, &body);
        }
        Ok(())
    }

    fn reply(
        &self,
        state: &mut State,
        id: u32,
        signature: &str,
        body: &[Json],
    ) -> Result<(), ValueError> {
        let Some(call) = state.calls.calls.remove(&id) else {
            return Ok(());
        };
        if signature == "o" {
            // A session that needs no request.
            if let [session] = body {
                let session = session.as_u64().and_then(|number| number.try_into().ok());
                let path = session.map(|session| {
                    open_session(state, session, call.session.clone(), &call.sender)
                });
                let path = path.and_then(|path| ObjectPath::try_from(path).ok());
                if let Some(path) = path {
                    self.bus.reply(&call.message.header(), &(path,));
                }
            }
            return Ok(());
        }
        if signature == "h" {
            let session = body.first().and_then(Json::as_u64);
            self.reply_remote(
                state,
                call,
                session.and_then(|number| number.try_into().ok()),
            );
            return Ok(());
        }
        let names = names_of(state);
        let header = call.message.header();
        if signature.is_empty() {
            self.bus.reply(&header, &());
        } else {
            self.bus
                .reply(&header, &value::body_from_json(body, signature, &names)?);
        }
        Ok(())
    }

    fn accept(&self, state: &mut State, id: u32) {
        let wanted = state.calls.calls.get(&id).map(|call| call.handle.clone());
        let Some(mut handle) = wanted else { return };
        // A token used twice: the second one gets a path of its own, and is told so by the reply.
        if state.calls.request_at(&handle).is_some() {
            handle = format!("{handle}_{id}");
        }
        if let Some(call) = state.calls.calls.get_mut(&id) {
            call.request = Some(handle.clone());
            if let Ok(path) = ObjectPath::try_from(handle) {
                self.bus.reply(&call.message.header(), &(path,));
            }
        }
    }

    fn respond(
        &self,
        state: &mut State,
        id: u32,
        code: u32,
        mut results: BTreeMap<String, Json>,
        session: Option<u32>,
    ) -> Result<(), ValueError> {
        let Some(call) = state.calls.calls.get(&id) else {
            if let Some(session) = session {
                self.tell(&PortalsFromGuest::CloseSession { session });
            }
            return Ok(());
        };
        let (path, sender) = (
            call.request.clone().unwrap_or_default(),
            call.sender.clone(),
        );
        if let Some(session) = session {
            let wanted = call.session.clone();
            let path = open_session(state, session, wanted, &sender);
            // A string, not a path: an old mistake of the interface that programs rely on.
            results.insert(
                "session_handle".into(),
                serde_json::json!({"type": "s", "data": path}),
            );
        }
        let results = value::dict_from_json(&results, &names_of(state))?;
        let mut body = Structure::builder().add_field(code);
        body.push_value(Variant::Dict(results));
        self.bus
            .signal(Some(&sender), (&path, REQUEST, "Response"), &body.build()?);
        Ok(())
    }

    fn end_session(
        &self,
        state: &mut State,
        session: u32,
        details: &BTreeMap<String, Json>,
    ) -> Result<(), ValueError> {
        let details = value::dict_from_json(details, &names_of(state))?;
        let ended = state.calls.sessions.remove(&session);
        // Of one that has no path, the program knows nothing.
        if let Some(ended) = ended.filter(|ended| !ended.path.is_empty()) {
            let mut body = Structure::builder();
            body.push_value(Variant::Dict(details));
            self.bus.signal(
                Some(&ended.owner),
                (&ended.path, SESSION, "Closed"),
                &body.build()?,
            );
        }
        Ok(())
    }

    fn signal(
        &self,
        state: &State,
        (interface, member): (&str, &str),
        signature: &str,
        body: &[Json],
    ) -> Result<(), ValueError> {
        let offered = state
            .interfaces
            .iter()
            .find(|offered| offered.name == interface);
        let path = object_path(offered.map_or(PortalObject::Desktop, |offered| offered.object));
        let session = signature
            .starts_with('o')
            .then(|| body.first().and_then(Json::as_u64))
            .flatten();
        let owner = session
            .and_then(|number| u32::try_from(number).ok())
            .and_then(|number| state.calls.sessions.get(&number));
        if session.is_some() && owner.is_none() {
            return Ok(());
        }
        let to = owner.map(|session| session.owner.as_str());
        if signature.is_empty() {
            self.bus.signal(to, (path, interface, member), &());
        } else {
            let body = value::body_from_json(body, signature, &names_of(state))?;
            self.bus.signal(to, (path, interface, member), &body);
        }
        Ok(())
    }
}

/// The tokens in a call's options, its last argument.
#[derive(Default)]
struct Tokens {
    request: Option<String>,
    session: Option<String>,
}

impl Tokens {
    fn of(arguments: &[Variant<'_>]) -> Self {
        let Some(Variant::Dict(options)) = arguments.last() else {
            return Self::default();
        };
        let find = |wanted: &str| {
            options.iter().find_map(|(key, value)| match (key, value) {
                (Variant::Str(key), Variant::Variant(value)) if key.as_str() == wanted => {
                    match &**value {
                        Variant::Str(text) => Some(text.to_string()),
                        _ => None,
                    }
                }
                _ => None,
            })
        };
        Self {
            request: find("handle_token"),
            session: find("session_handle_token"),
        }
    }
}

fn arguments(body: &zbus::message::Body) -> Result<Vec<Variant<'_>>, Refusal> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let arguments = body.deserialize::<Structure<'_>>();
    // The bus has checked the message; what is wrong is an index of a descriptor that it does not have.
    let arguments = arguments.map_err(|error| Refusal {
        name: "org.freedesktop.portal.Error.InvalidArgument".into(),
        message: error.to_string(),
    })?;
    Ok(arguments.into_fields())
}

fn refuse_argument(error: ValueError) -> Refusal {
    match error {
        ValueError::Session(_) => Refusal::of_bus("AccessDenied", error.to_string()),
        _ => Refusal::of_bus("InvalidArgs", error.to_string()),
    }
}

fn names_of(state: &State) -> CallNames<'_> {
    CallNames {
        calls: &state.calls,
        sender: "",
        files: Vec::new(),
    }
}

fn open_session(state: &mut State, session: u32, wanted: String, owner: &str) -> String {
    let mut path = wanted;
    if state.calls.session_at(&path).is_some() {
        path = format!("{path}_{session}");
    }
    let opened = Session {
        path: path.clone(),
        owner: owner.to_owned(),
    };
    state.calls.sessions.insert(session, opened);
    path
}

/// Writes what fits into a pipe at once; a program that asks for a secret gives one that is empty.
fn write(state: &mut State, id: u32, index: u32, bytes: &str) -> Result<(), ValueError> {
    let decoded = STANDARD.decode(bytes);
    let bytes = decoded.map_err(|_| ValueError::Mismatch("bytes".into(), "ay".into()))?;
    let call = state.calls.calls.get_mut(&id);
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let file = call.and_then(|call| call.files.get(index)?.try_clone().ok());
    if let Some(file) = file {
        // Errors are the program's: it has closed its end, or given one that is full.
        thread::spawn(move || {
            let _ = File::from(file).write_all(&bytes);
        });
    }
    Ok(())
}

fn object_path(object: PortalObject) -> &'static str {
    match object {
        PortalObject::Desktop => DESKTOP,
        PortalObject::Documents => DOCUMENTS,
    }
}

fn find<'a>(
    interfaces: &'a [Interface],
    object: PortalObject,
    name: &str,
) -> Result<&'a Interface, Refusal> {
    let offered = |interface: &&Interface| interface.object == object && interface.name == name;
    interfaces.iter().find(offered).ok_or_else(|| {
        Refusal::of_bus(
            "UnknownInterface",
            format!("there is no interface {name} here"),
        )
    })
}

fn unknown_property(interface: &str, property: &str) -> Refusal {
    Refusal::of_bus(
        "UnknownProperty",
        format!("{interface} has no property {property}"),
    )
}

fn unknown_method(interface: &str, member: &str) -> Refusal {
    Refusal::of_bus(
        "UnknownMethod",
        format!("{interface} has no method {member}"),
    )
}
