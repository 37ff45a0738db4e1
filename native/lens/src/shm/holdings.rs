//! What is held of a limit: mappings, the length of them all, and the bytes of the files behind them.
//!
//! Bytes are counted by file: pools of one file are views of the same memory, and a guest whose device has all of its memory in
//! one file has a pool in it for every picture of every program. Mappings are counted one by one, of one file or not: each takes
//! an entry of the compositor's own table (vm.max_map_count, 65,530 for everything that it serves) and its length of address space.

use std::collections::BTreeMap;

use thiserror::Error;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum LimitError {
    #[error("more than {0} shared memory pools mapped")]
    Mappings(u32),
    #[error("shared memory pools of more than {0} bytes in all")]
    Length(u64),
    #[error("more than {0} bytes of shared memory")]
    Memory(u64),
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub mappings: u32,
    /// Bytes of address space.
    pub length: u64,
    /// Bytes of all files together.
    pub memory: u64,
}

/// Device and inode.
pub type FileId = (u64, u64);

/// A mapping that comes, or one that becomes longer.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub file: FileId,
    /// 1 for a mapping that comes, else 0.
    pub mappings: u32,
    /// Bytes that it is longer than before.
    pub longer: u64,
    /// Bytes of the file up to its end.
    pub end: u64,
}

#[derive(Debug)]
pub struct Holdings {
    limits: Limits,
    mappings: u32,
    length: u64,
    memory: u64,
    files: BTreeMap<FileId, File>,
}

#[derive(Debug, Default, Clone, Copy)]
struct File {
    mappings: u32,
    /// Of the longest mapping there was since the first of those that there are.
    bytes: u64,
}

impl Holdings {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            mappings: 0,
            length: 0,
            memory: 0,
            files: BTreeMap::new(),
        }
    }

    /// Whether a change stays within the limits.
    pub fn check(&self, change: &Change) -> Result<(), LimitError> {
        let Limits {
            mappings,
            length,
            memory,
        } = self.limits;
        let within =
            |held: u64, more: u64, most: u64| held.checked_add(more).is_some_and(|all| all <= most);
        if !within(
            self.mappings.into(),
            change.mappings.into(),
            mappings.into(),
        ) {
            return Err(LimitError::Mappings(mappings));
        }
        if !within(self.length, change.longer, length) {
            return Err(LimitError::Length(length));
        }
        if !within(self.memory, self.new_memory(change), memory) {
            return Err(LimitError::Memory(memory));
        }
        Ok(())
    }

    /// Makes a change that was checked.
    pub fn make(&mut self, change: &Change) {
        self.memory += self.new_memory(change);
        self.mappings += change.mappings;
        self.length += change.longer;
        let file = self.files.entry(change.file).or_default();
        file.mappings += change.mappings;
        file.bytes = file.bytes.max(change.end);
    }

    /// Gives a mapping of so many bytes back.
    pub fn give(&mut self, id: FileId, length: u64) {
        self.mappings -= 1;
        self.length -= length;
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        file.mappings -= 1;
        if file.mappings == 0 {
            self.memory -= file.bytes;
            self.files.remove(&id);
        }
    }

    #[cfg(test)]
    pub fn held(&self) -> (u32, u64, u64) {
        (self.mappings, self.length, self.memory)
    }

    fn new_memory(&self, change: &Change) -> u64 {
        let known = self.files.get(&change.file).map_or(0, |file| file.bytes);
        change.end.saturating_sub(known)
    }
}
