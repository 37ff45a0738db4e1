//! Messages of the control connection: one a guest, opened by the guest.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// What the guest tells the host.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ControlFromGuest {
    /// First message, once.
    Hello {
        protocol: u32,
        #[cfg_attr(feature = "generate", schemars(length(max = 256)))]
        agent: String,
        #[cfg_attr(feature = "generate", schemars(length(max = 256)))]
        kernel: String,
        /// Milliseconds since the kernel started.
        uptime_ms: u32,
    },
    /// The guest takes exec connections from here on.
    Ready {
        #[cfg_attr(feature = "generate", schemars(length(max = 64)))]
        timings: Vec<StageTiming>,
        /// What programs draw with: a GPU's name, or words that there is none. Null without windows.
        #[cfg_attr(
            feature = "generate",
            schemars(regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]{0,256}$"))
        )]
        renderer: Option<String>,
    },
    /// Last message: the guest powers off after it.
    Failed {
        #[cfg_attr(feature = "generate", schemars(length(max = 64)))]
        stage: String,
        #[cfg_attr(feature = "generate", schemars(length(max = 4096)))]
        message: String,
    },
    Log {
        level: LogLevel,
        #[cfg_attr(feature = "generate", schemars(length(max = 4096)))]
        message: String,
    },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StageTiming {
    #[cfg_attr(feature = "generate", schemars(length(max = 64)))]
    pub stage: String,
    /// Milliseconds since the kernel started, at the end of the stage.
    pub ms: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "generate", schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
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
pub enum ControlToGuest {
    /// The answer to `hello`, once.
    Configure(Box<Configuration>),
    /// Ends every process, then powers off.
    Shutdown {
        /// Time between SIGTERM and SIGKILL, milliseconds.
        grace_ms: u32,
    },
}

/// Everything that makes a booted image this instance.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    #[cfg_attr(
        feature = "generate",
        schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9-]{0,62}$"))
    )]
    pub hostname: String,
    #[cfg_attr(feature = "generate", schemars(regex(pattern = "^[0-9a-f]{32}$")))]
    pub machine_id: String,
    /// Time of day, nanoseconds since 1970, as decimal digits (it does not fit a JavaScript number).
    #[cfg_attr(feature = "generate", schemars(regex(pattern = "^[0-9]{1,19}$")))]
    pub clock_unix_ns: String,
    /// 64 random bytes in base64, credited to the kernel's generator.
    #[cfg_attr(feature = "generate", schemars(length(min = 88, max = 88)))]
    pub seed: String,
    #[cfg_attr(feature = "generate", schemars(length(max = 1024)))]
    pub mounts: Vec<Mount>,
    /// Whether programs can show windows, over the machine's virtio-gpu device.
    pub windows: bool,
    /// Whether programs find portals on their session bus.
    pub portals: bool,
    pub network: Option<Network>,
    #[cfg_attr(feature = "generate", ts(type = "Record<string, string>"), schemars(extend("maxProperties" = 1024)))]
    pub environment: BTreeMap<String, String>,
}

/// A host directory that virtiofsd serves under a tag.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mount {
    #[cfg_attr(feature = "generate", schemars(length(min = 1, max = 36)))]
    pub tag: String,
    /// Absolute and normalised.
    #[cfg_attr(feature = "generate", schemars(length(min = 2, max = 4096)))]
    pub path: String,
    pub read_only: bool,
}

/// The settings of eth0.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    pub address: Ipv4Addr,
    #[cfg_attr(feature = "generate", schemars(range(max = 32)))]
    pub prefix_length: u8,
    pub gateway: Ipv4Addr,
    #[cfg_attr(feature = "generate", schemars(length(max = 8)))]
    pub dns: Vec<Ipv4Addr>,
}
