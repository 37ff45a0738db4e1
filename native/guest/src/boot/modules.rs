//! Loads the modules that the initramfs holds, in the order of their names.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};

#[derive(Debug, thiserror::Error)]
#[error("cannot read {directory}: {error}")]
pub struct ModulesError {
    directory: String,
    error: io::Error,
}

/// Returns one line for each module that could not be loaded: most machines do without some.
pub fn load_all(directory: &str) -> Result<Vec<String>, ModulesError> {
    let mut paths = fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|error| ModulesError {
            directory: directory.to_owned(),
            error,
        })?;
    paths.sort();
    Ok(paths
        .iter()
        .filter_map(|path| {
            load(path)
                .err()
                .map(|error| format!("{}: {error}", path.display()))
        })
        .collect())
}

fn load(path: &Path) -> io::Result<()> {
    match finit_module(File::open(path)?, c"", ModuleInitFlags::empty()) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
