//! The command line.

use std::{ffi::OsString, path::PathBuf};

use thiserror::Error;

pub const USAGE: &str = "usage: cloche-gpu --listen PATH --wayland PATH [--window-mib N]";

/// Windows of a desktop: two pictures of a 4K screen take 66 MB.
const DEFAULT_WINDOW_MIB: u32 = 1024;
/// A pool of wl_shm ends below 2 GiB, and a BAR is a power of two.
const LARGEST_WINDOW_MIB: u32 = 1024;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum ArgsError {
    #[error("{0} is not an option")]
    Unknown(String),
    #[error("{0} needs a value")]
    Value(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("--window-mib takes a power of two up to {LARGEST_WINDOW_MIB}")]
    Window,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    /// The vfio-user socket that is made.
    pub listen: PathBuf,
    /// The Wayland socket that contexts connect to.
    pub wayland: PathBuf,
    /// Bytes of the host-visible window.
    pub window_bytes: u64,
}

impl Args {
    pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, ArgsError> {
        let (mut listen, mut wayland, mut mib) = (None, None, DEFAULT_WINDOW_MIB);
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--listen") => {
                    listen = Some(words.next().ok_or(ArgsError::Value("--listen"))?)
                }
                Some("--wayland") => {
                    wayland = Some(words.next().ok_or(ArgsError::Value("--wayland"))?);
                }
                Some("--window-mib") => {
                    let value = words.next().ok_or(ArgsError::Value("--window-mib"))?;
                    let value = value.to_str().and_then(|value| value.parse().ok());
                    mib = value.ok_or(ArgsError::Window)?;
                }
                _ => return Err(ArgsError::Unknown(word.to_string_lossy().into_owned())),
            }
        }
        if !mib.is_power_of_two() || mib > LARGEST_WINDOW_MIB {
            return Err(ArgsError::Window);
        }
        Ok(Self {
            listen: listen.ok_or(ArgsError::Missing("--listen"))?.into(),
            wayland: wayland.ok_or(ArgsError::Missing("--wayland"))?.into(),
            window_bytes: u64::from(mib) << 20,
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
    fn both_sockets_are_needed_and_the_window_is_a_power_of_two() {
        let args = parse("--listen /a --wayland /b").expect("good");
        assert_eq!(args.window_bytes, 1 << 30);
        assert_eq!(parse("--listen /a"), Err(ArgsError::Missing("--wayland")));
        assert_eq!(parse("--listen"), Err(ArgsError::Value("--listen")));
        for mib in ["0", "3", "2048", "x", "-1"] {
            let line = format!("--listen /a --wayland /b --window-mib {mib}");
            assert_eq!(parse(&line), Err(ArgsError::Window));
        }
    }
}
