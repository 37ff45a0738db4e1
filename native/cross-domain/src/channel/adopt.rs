//! Files from the host: their content is copied once and handed on as a file that nobody can change.

use std::{fs::File, io, os::fd::AsRawFd, os::fd::OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::io::Write;

use super::{BlobGuard, Channel, ChannelError, asked};
use crate::gpu::{Access, PAGE_BYTES, Source};

/// Keymaps have less than 100 KiB, format tables less than 1 MiB.
const LARGEST: u32 = 16 << 20;
const CHUNK: usize = 64 << 10;

impl Channel {
    /// A read-only copy of a file that came with a message.
    pub fn adopt(&self, id: u32, bytes: u32) -> Result<OwnedFd, ChannelError> {
        if bytes > LARGEST {
            return Err(ChannelError::File(bytes));
        }
        let copy = memfd_create(
            "cloche-host-file",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        );
        let mut copy = File::from(asked("make a file", copy.map_err(io::Error::from))?);
        if bytes > 0 {
            self.copy_item(id, bytes as usize, &mut copy)?;
        }
        asked("seal a file", seal(&copy))
    }

    fn copy_item(&self, id: u32, bytes: usize, copy: &mut File) -> Result<(), ChannelError> {
        let size = bytes.next_multiple_of(PAGE_BYTES);
        let blob = BlobGuard::new(&self.gpu, Source::Host(id), size);
        let blob = asked("get a file from the host", blob)?;
        let mapping = self.gpu.map_blob(blob.blob, size, Access::Read);
        let mapping = asked("map a file from the host", mapping)?;
        let mut chunk = vec![0; CHUNK.min(bytes)];
        let mut at = 0;
        while at < bytes {
            let part = &mut chunk[..CHUNK.min(bytes - at)];
            // The mapping is no shorter than the file.
            let _ = mapping.read(at, part);
            asked("copy a file from the host", copy.write_all(part))?;
            at += part.len();
        }
        Ok(())
    }
}

/// Opened anew for reading: older programs map a keymap shared, which a writable descriptor of a sealed file refuses.
fn seal(file: &File) -> io::Result<OwnedFd> {
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(file, seals)?;
    Ok(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into())
}
