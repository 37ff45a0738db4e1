//! The allow-list of globals: parses globals.txt and answers the highest version of an interface that may be offered.

use std::collections::BTreeMap;

use thiserror::Error;
use wl_proxy::protocols::ObjectInterface;

pub const BUILT_IN: &str = include_str!("../globals.txt");

/// Interfaces that no list may offer.
const NEVER: [&str; 1] = ["wp_security_context_manager_v1"];

#[derive(Debug, Error, PartialEq, Eq)]
pub enum GlobalsError {
    #[error("line {0}: expected `name version`")]
    Syntax(usize),
    #[error("line {line}: {name} is not an interface that the lens knows")]
    Unknown { line: usize, name: String },
    #[error("line {line}: {name} may never be offered to a guest")]
    Forbidden { line: usize, name: String },
    #[error("line {line}: {name} has versions 1 to {highest} here")]
    Version {
        line: usize,
        name: String,
        highest: u32,
    },
    #[error("line {line}: {name} is listed twice")]
    Duplicate { line: usize, name: String },
}

#[derive(Debug, Default)]
pub struct Globals {
    highest: BTreeMap<&'static str, u32>,
}

impl Globals {
    pub fn parse(text: &str) -> Result<Self, GlobalsError> {
        let mut globals = Self::default();
        for (index, raw) in text.lines().enumerate() {
            let content = raw.split('#').next().unwrap_or_default().trim();
            if !content.is_empty() {
                globals.add(index + 1, content)?;
            }
        }
        Ok(globals)
    }

    fn add(&mut self, line: usize, content: &str) -> Result<(), GlobalsError> {
        let mut words = content.split_ascii_whitespace();
        let (Some(word), Some(version), None) = (words.next(), words.next(), words.next()) else {
            return Err(GlobalsError::Syntax(line));
        };
        let version: u32 = version.parse().map_err(|_| GlobalsError::Syntax(line))?;
        let name = word.to_owned();
        if NEVER.contains(&word) {
            return Err(GlobalsError::Forbidden { line, name });
        }
        let Some(interface) = ObjectInterface::from_str(word) else {
            return Err(GlobalsError::Unknown { line, name });
        };
        let highest = interface.xml_version();
        if version == 0 || version > highest {
            return Err(GlobalsError::Version {
                line,
                name,
                highest,
            });
        }
        match self.highest.insert(interface.name(), version) {
            None => Ok(()),
            Some(_) => Err(GlobalsError::Duplicate { line, name }),
        }
    }

    /// The version to offer when the compositor has `version`; nothing when the interface is not listed.
    pub fn offer(&self, interface: ObjectInterface, version: u32) -> Option<u32> {
        let highest = *self.highest.get(interface.name())?;
        (version > 0).then_some(highest.min(version))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_built_in_list_parses_and_leaves_out_what_reaches_other_clients() {
        let globals = Globals::parse(BUILT_IN).expect("built-in list");
        assert_eq!(globals.offer(ObjectInterface::WlCompositor, 6), Some(6));
        assert_eq!(
            globals.offer(ObjectInterface::WpSecurityContextManagerV1, 1),
            None
        );
    }

    #[test]
    fn the_lower_version_of_list_and_compositor_is_offered() {
        let globals = Globals::parse("wl_seat 5 # comment\n\n# more\n").expect("list");
        assert_eq!(globals.offer(ObjectInterface::WlSeat, 9), Some(5));
        assert_eq!(globals.offer(ObjectInterface::WlSeat, 3), Some(3));
        assert_eq!(globals.offer(ObjectInterface::WlSeat, 0), None);
        assert_eq!(globals.offer(ObjectInterface::WlShm, 1), None);
    }

    #[test]
    fn a_wrong_line_is_refused_with_its_number() {
        let error = |text| Globals::parse(text).expect_err("refused").to_string();
        assert_eq!(error("wl_seat"), "line 1: expected `name version`");
        assert_eq!(error("\nwl_seat five"), "line 2: expected `name version`");
        assert_eq!(error("wl_seat 1 2"), "line 1: expected `name version`");
        assert!(error("wl_seat 0").starts_with("line 1: wl_seat has versions 1 to "));
        assert_eq!(
            error("wl_seat 1\nwl_seat 1"),
            "line 2: wl_seat is listed twice"
        );
        assert!(error("zwlr_screencopy_manager_v1 1").contains("knows"));
        assert!(error("wp_security_context_manager_v1 1").contains("never"));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,200}") {
            let _ = Globals::parse(&text);
        }
    }
}
