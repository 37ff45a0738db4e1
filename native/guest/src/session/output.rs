//! One stream of a process's output.

use std::fs::File;
use std::io::{self, Read};

use cloche_protocol::frame::Kind;

/// Bytes of output in one frame.
pub const CHUNK: usize = 32 * 1024;
/// What is still read of a process that has ended: the most that a pipe holds. More comes from a process it left behind.
const MAX_LAST_WORDS: usize = 1024 * 1024;

pub struct Output {
    pub kind: Kind,
    pub file: File,
    last_words: usize,
}

pub enum Chunk {
    Bytes(usize),
    Nothing,
    End,
}

impl Output {
    pub fn new(kind: Kind, file: File) -> Self {
        Self {
            kind,
            file,
            last_words: 0,
        }
    }

    pub fn read(&mut self, chunk: &mut [u8]) -> Chunk {
        loop {
            return match self.file.read(chunk) {
                Ok(0) => Chunk::End,
                Ok(count) => Chunk::Bytes(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Chunk::Nothing,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // EIO: a terminal that no process has open any more.
                Err(_) => Chunk::End,
            };
        }
    }

    /// As `read`, once the process has ended: nothing now is the end, and so is too much.
    pub fn read_last(&mut self, chunk: &mut [u8]) -> Chunk {
        match self.read(chunk) {
            Chunk::Bytes(count) if self.last_words < MAX_LAST_WORDS => {
                self.last_words += count;
                Chunk::Bytes(count)
            }
            _ => Chunk::End,
        }
    }
}
