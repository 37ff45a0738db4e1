//! What may cross between the guest's clipboard and the host's: the directions, and the MIME types of mime-types.txt.

use std::{cell::RefCell, str::FromStr};

use thiserror::Error;

const MIME_TYPES: &str = include_str!("../mime-types.txt");
/// MIME types that one offer may carry.
const OFFERED_TYPES: usize = 32;

#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not none, guest-to-host, host-to-guest or both")]
pub struct ClipboardError(String);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clipboard {
    pub guest_to_host: bool,
    pub host_to_guest: bool,
}

impl Clipboard {
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl FromStr for Clipboard {
    type Err = ClipboardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (guest_to_host, host_to_guest) = match text {
            "none" => (false, false),
            "guest-to-host" => (true, false),
            "host-to-guest" => (false, true),
            "both" => (true, true),
            _ => return Err(ClipboardError(text.to_owned())),
        };
        Ok(Self {
            guest_to_host,
            host_to_guest,
        })
    }
}

pub fn is_allowed_mime(mime: &str) -> bool {
    MIME_TYPES
        .lines()
        .any(|line| !line.starts_with('#') && !line.is_empty() && line == mime)
}

/// The MIME types that one source or offer has carried across.
#[derive(Debug, Default)]
pub struct Offered {
    types: RefCell<Vec<String>>,
}

impl Offered {
    /// Whether the type crosses: allowed, not too many, not said twice.
    pub fn admit(&self, mime: &str) -> bool {
        let mut types = self.types.borrow_mut();
        if !is_allowed_mime(mime)
            || types.len() >= OFFERED_TYPES
            || types.iter().any(|known| known == mime)
        {
            return false;
        }
        types.push(mime.to_owned());
        true
    }

    pub fn has(&self, mime: &str) -> bool {
        self.types.borrow().iter().any(|known| known == mime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_opens_its_directions() {
        let policy = |text: &str| text.parse::<Clipboard>().expect("policy");
        assert!(policy("none").is_none());
        assert!(policy("both").guest_to_host && policy("both").host_to_guest);
        assert!(policy("guest-to-host").guest_to_host && !policy("guest-to-host").host_to_guest);
        assert!(!policy("host-to-guest").guest_to_host && policy("host-to-guest").host_to_guest);
        assert!("all".parse::<Clipboard>().is_err());
    }

    #[test]
    fn only_listed_types_cross_and_each_once() {
        let offered = Offered::default();
        assert!(offered.admit("text/plain;charset=utf-8"));
        assert!(!offered.admit("text/plain;charset=utf-8"));
        for mime in [
            "text/uri-list",
            "",
            "# x",
            "text/plain\n",
            "TEXT/PLAIN",
            &"a".repeat(4096),
        ] {
            assert!(!offered.admit(mime), "{mime:?}");
            assert!(!offered.has(mime));
        }
        assert!(offered.has("text/plain;charset=utf-8"));
    }
}
