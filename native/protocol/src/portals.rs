//! Messages of the portals connection: one a guest, opened by the guest.
//!
//! D-Bus values are written as busctl(1) writes them with `--json`: numbers, strings and booleans as themselves, arrays and
//! structures as arrays, dictionaries as objects, a variant as `{"type": SIGNATURE, "data": VALUE}`. Three differences:
//! `ay` is base64, 64-bit integers are decimal digits in a string, and `o` is the number of a session (there are no other
//! object paths in these interfaces). The one descriptor that a `reply` can have, by the signature `h` and with the number of a
//! session as its body, is a connection to the guest's own PipeWire; the session ends when the program does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Arguments and files of one call.
pub const MAX_ARGUMENTS: usize = 32;
pub const MAX_FILES: usize = 16;

/// What the guest tells the host.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum PortalsFromGuest {
    /// A method call. Exactly one of `reply`, `error` and `accept` answers it.
    Call {
        /// One that no call or request of this connection has now.
        id: u32,
        #[cfg_attr(feature = "generate", schemars(length(max = 255)))]
        interface: String,
        #[cfg_attr(feature = "generate", schemars(length(max = 255)))]
        member: String,
        /// Of the arguments together.
        #[cfg_attr(feature = "generate", schemars(length(max = 255)))]
        signature: String,
        #[cfg_attr(
            feature = "generate",
            ts(type = "unknown[]"),
            schemars(length(max = 32))
        )]
        body: Vec<Value>,
        /// What `h` values are indices of.
        #[cfg_attr(feature = "generate", schemars(length(max = 16)))]
        files: Vec<GuestFile>,
    },
    /// The program does not wait for the request's response any more.
    Close {
        id: u32,
    },
    CloseSession {
        session: u32,
    },
    /// A stream cannot be shown in the guest.
    StreamFailed {
        stream: u32,
        #[cfg_attr(feature = "generate", schemars(length(max = 1000)))]
        message: String,
    },
}

/// What a file descriptor of a program refers to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum GuestFile {
    /// A file or directory of a share.
    Shared {
        #[cfg_attr(feature = "generate", schemars(length(min = 1, max = 36)))]
        tag: String,
        /// Relative to the share, normalised; empty for the share itself.
        #[cfg_attr(feature = "generate", schemars(length(max = 4096)))]
        path: String,
        /// Whether the descriptor is open for writing.
        writable: bool,
    },
    /// Something that only the guest has: what is written to it goes through `reply`'s `written`.
    Local {},
}

/// What the host tells the guest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum PortalsToGuest {
    /// All interfaces that there are now: the first message, and again whenever they change.
    Offer { interfaces: Vec<Interface> },
    /// What a method returns.
    Reply {
        id: u32,
        signature: String,
        #[cfg_attr(feature = "generate", ts(type = "unknown[]"))]
        body: Vec<Value>,
    },
    /// The call has become a request, with a `response` to come.
    Accept { id: u32 },
    Error {
        id: u32,
        /// A D-Bus error name.
        name: String,
        message: String,
    },
    /// The end of a request. Code 0: done; 1: the user said no; 2: it ended otherwise.
    Response {
        id: u32,
        code: u32,
        /// Variants by name.
        #[cfg_attr(feature = "generate", ts(type = "Record<string, unknown>"))]
        results: BTreeMap<String, Value>,
        /// The session that the request has made.
        session: Option<u32>,
        /// Whether what was asked for goes on until the program closes the request.
        lasts: bool,
    },
    /// Bytes for the program's descriptor that was file `index` of a request or call, then its end.
    Write {
        id: u32,
        index: u32,
        /// Base64.
        bytes: String,
    },
    /// A video stream to show in the guest's PipeWire. The guest opens a connection to the media port for it, whose first four
    /// bytes are the stream's number, little-endian.
    Stream {
        stream: u32,
        /// Of the node, as PipeWire's properties name them: names and values.
        properties: BTreeMap<String, String>,
    },
    SessionClosed {
        session: u32,
        #[cfg_attr(feature = "generate", ts(type = "Record<string, unknown>"))]
        details: BTreeMap<String, Value>,
    },
    /// To the session's program where the body names one, else to everyone.
    Signal {
        interface: String,
        member: String,
        signature: String,
        #[cfg_attr(feature = "generate", ts(type = "unknown[]"))]
        body: Vec<Value>,
    },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interface {
    /// Such as `org.freedesktop.portal.Settings`.
    pub name: String,
    pub object: PortalObject,
    /// Its D-Bus properties, `version` among them: variants by name.
    #[cfg_attr(feature = "generate", ts(type = "Record<string, unknown>"))]
    pub properties: BTreeMap<String, Value>,
    /// What introspection says: some languages' programs call by it.
    pub methods: BTreeMap<String, MethodTypes>,
    /// The complete types of a signal's values.
    pub signals: BTreeMap<String, Vec<String>>,
}

/// Complete types: of the arguments, and of what is returned.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MethodTypes {
    pub takes: Vec<String>,
    pub returns: Vec<String>,
}

/// Whose interface it is: `/org/freedesktop/portal/desktop`, or `/org/freedesktop/portal/documents`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "generate", schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum PortalObject {
    Desktop,
    Documents,
}
