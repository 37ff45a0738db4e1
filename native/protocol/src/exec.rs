//! Messages of an exec connection: one a session, opened by the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the host tells a session. `exec` comes first, and once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ExecToGuest {
    Exec(Box<Command>),
    Resize {
        columns: u16,
        rows: u16,
    },
    /// To the session's process group.
    Signal {
        name: SignalName,
    },
    /// No stdin frame follows. On a terminal it types the end-of-file character.
    StdinEof {},
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Command {
    #[cfg_attr(
        feature = "generate",
        schemars(length(min = 1, max = 1024), inner(length(max = 65536)))
    )]
    pub argv: Vec<String>,
    /// Added to the environment of the user's session.
    #[cfg_attr(feature = "generate", ts(type = "Record<string, string>"), schemars(extend("maxProperties" = 1024)))]
    pub environment: BTreeMap<String, String>,
    /// Absolute; the user's home when null.
    #[cfg_attr(feature = "generate", schemars(length(max = 4096)))]
    pub cwd: Option<String>,
    /// Pipes when null.
    pub tty: Option<Terminal>,
    pub user: UserName,
    /// Whether the host keeps to the stdin window and is told `stdin-taken`. The connection is then read at all times, so
    /// that messages overtake unread input; without, unread input stops the connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "generate", ts(as = "Option<bool>", optional))]
    pub stdin_credit: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terminal {
    pub columns: u16,
    pub rows: u16,
    /// The value of TERM.
    #[cfg_attr(feature = "generate", schemars(length(max = 256)))]
    pub term: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "generate", schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum UserName {
    User,
    Root,
}

/// The signals a host may send, without the SIG prefix.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "generate", schemars(inline))]
#[serde(rename_all = "UPPERCASE")]
pub enum SignalName {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Pipe,
    Alrm,
    Term,
    Cont,
    Stop,
    Tstp,
    Ttin,
    Ttou,
    Winch,
}

/// What a session tells the host. `failed` or `exited` is the last message; all output comes before it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ExecFromGuest {
    Started {
        pid: u32,
    },
    /// Input that the process has taken (or will never take) since the last such message: room in the stdin window.
    StdinTaken {
        bytes: u32,
    },
    /// The command could not be started.
    Failed {
        #[cfg_attr(feature = "generate", schemars(length(max = 4096)))]
        message: String,
        /// The name of the system's error, such as ENOENT.
        #[cfg_attr(feature = "generate", schemars(length(max = 32)))]
        errno: Option<String>,
    },
    /// Exactly one of the two is not null.
    Exited {
        code: Option<u8>,
        /// Without the SIG prefix.
        #[cfg_attr(feature = "generate", schemars(length(max = 32)))]
        signal: Option<String>,
    },
}
