//! The command line.

use std::{ffi::OsString, os::fd::RawFd, path::PathBuf};

use thiserror::Error;

use crate::{
    clipboard::{Clipboard, ClipboardError},
    naming::{InstanceName, NameError},
};

pub const USAGE: &str = "usage: cloche-lens (--listen-fd N | --listen PATH) --compositor PATH --instance APP[@INSTANCE]
                   [--clipboard none|guest-to-host|host-to-guest|both] [--globals FILE] [--ready-fd N]";

#[derive(Debug, Error, PartialEq, Eq)]
pub enum ArgsError {
    #[error("unknown option {0}")]
    Unknown(String),
    #[error("{0} needs a value")]
    NoValue(String),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("--listen and --listen-fd exclude each other")]
    TwoListeners,
    #[error("{0} needs the number of an open descriptor from 3 on")]
    Descriptor(&'static str),
    #[error("--compositor needs an absolute path")]
    Relative,
    #[error("--instance: {0}")]
    Name(#[from] NameError),
    #[error("--clipboard: {0}")]
    Clipboard(#[from] ClipboardError),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Listen {
    Descriptor(RawFd),
    Path(PathBuf),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    pub listen: Listen,
    pub compositor: PathBuf,
    pub instance: InstanceName,
    pub clipboard: Clipboard,
    pub globals: Option<PathBuf>,
    pub ready: Option<RawFd>,
}

const OPTIONS: [&str; 7] = [
    "--listen-fd",
    "--listen",
    "--compositor",
    "--instance",
    "--clipboard",
    "--globals",
    "--ready-fd",
];

struct Given([Option<OsString>; OPTIONS.len()]);

impl Given {
    fn read(mut words: impl Iterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut given = Self(Default::default());
        while let Some(word) = words.next() {
            let shown = || word.to_string_lossy().into_owned();
            let place = OPTIONS
                .iter()
                .position(|option| word == **option)
                .ok_or_else(|| ArgsError::Unknown(shown()))?;
            let value = words.next().ok_or_else(|| ArgsError::NoValue(shown()))?;
            if given.0[place].replace(value).is_some() {
                return Err(ArgsError::Twice(OPTIONS[place]));
            }
        }
        Ok(given)
    }

    fn take(&mut self, option: &'static str) -> Option<OsString> {
        self.0[OPTIONS.iter().position(|known| *known == option)?].take()
    }

    fn text(&mut self, option: &'static str) -> Option<String> {
        self.take(option)
            .map(|value| value.to_string_lossy().into_owned())
    }

    fn descriptor(&mut self, option: &'static str) -> Result<Option<RawFd>, ArgsError> {
        let Some(value) = self.text(option) else {
            return Ok(None);
        };
        let number = value.parse().ok().filter(|number| *number > 2);
        number.map(Some).ok_or(ArgsError::Descriptor(option))
    }
}

impl Args {
    pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut given = Given::read(words)?;
        let listen = match (given.descriptor("--listen-fd")?, given.take("--listen")) {
            (Some(number), None) => Listen::Descriptor(number),
            (None, Some(path)) => Listen::Path(path.into()),
            (Some(_), Some(_)) => return Err(ArgsError::TwoListeners),
            (None, None) => return Err(ArgsError::Missing("--listen-fd or --listen")),
        };
        let compositor: PathBuf = given
            .take("--compositor")
            .ok_or(ArgsError::Missing("--compositor"))?
            .into();
        if !compositor.is_absolute() {
            return Err(ArgsError::Relative);
        }
        let instance = given
            .text("--instance")
            .ok_or(ArgsError::Missing("--instance"))?;
        Ok(Self {
            listen,
            compositor,
            instance: InstanceName::parse(&instance)?,
            clipboard: given
                .text("--clipboard")
                .map_or(Ok(Clipboard::default()), |policy| policy.parse())?,
            globals: given.take("--globals").map(PathBuf::from),
            ready: given.descriptor("--ready-fd")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, ArgsError> {
        Args::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_full_line_is_read() {
        let args = parse(
            "--listen-fd 4 --compositor /run/w --instance foot@work --clipboard both --ready-fd 5",
        )
        .expect("args");
        assert_eq!(args.listen, Listen::Descriptor(4));
        assert_eq!(args.ready, Some(5));
        assert!(args.clipboard.host_to_guest && args.clipboard.guest_to_host);
        assert_eq!(args.globals, None);
    }

    #[test]
    fn the_clipboard_is_closed_unless_opened() {
        let args = parse("--listen /s --compositor /w --instance foot").expect("args");
        assert!(args.clipboard.is_none());
    }

    #[test]
    fn a_wrong_line_is_refused() {
        let error = |line| parse(line).expect_err("refused");
        assert_eq!(
            error("--listen /s --instance foot"),
            ArgsError::Missing("--compositor")
        );
        assert_eq!(
            error("--compositor /w --instance foot"),
            ArgsError::Missing("--listen-fd or --listen")
        );
        assert_eq!(error("--listen /s --listen-fd 3"), ArgsError::TwoListeners);
        assert_eq!(
            error("--listen /s --compositor w --instance foot"),
            ArgsError::Relative
        );
        assert_eq!(
            error("--listen-fd -1"),
            ArgsError::Descriptor("--listen-fd")
        );
        assert_eq!(error("--listen-fd 2"), ArgsError::Descriptor("--listen-fd"));
        assert_eq!(
            error("--listen /s --listen /t"),
            ArgsError::Twice("--listen")
        );
        assert_eq!(error("--frob 1"), ArgsError::Unknown("--frob".into()));
        assert_eq!(error("--listen"), ArgsError::NoValue("--listen".into()));
        assert!(matches!(
            error("--listen /s --compositor /w --instance a/b"),
            ArgsError::Name(_)
        ));
        assert!(matches!(
            error("--listen /s --compositor /w --instance a --clipboard x"),
            ArgsError::Clipboard(_)
        ));
    }
}
