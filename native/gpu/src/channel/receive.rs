//! Reads what the lens says, and finds out what the descriptors are that come with it.

use std::{io::IoSliceMut, mem::MaybeUninit, os::fd::OwnedFd};

use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fstat},
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg},
};

use super::{
    ChannelError, Item, file_bytes,
    pipes::WritePipe,
    wire::{BLOB, MAX_IDENTIFIERS, Received, WRITE_PIPE},
};

/// What there is, up to `room` bytes; no bytes at the end of the connection, nothing while there is nothing.
pub fn receive(socket: &OwnedFd, room: usize) -> Result<Option<Received>, ChannelError> {
    let mut bytes = vec![0; room.min(4096)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_IDENTIFIERS))];
    loop {
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let read = match recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            flags,
        ) {
            Ok(read) => read,
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::CONNRESET) => {
                return Ok(Some(Received {
                    bytes: Vec::new(),
                    descriptors: Vec::new(),
                }));
            }
            Err(errno) => return Err(ChannelError::Socket(errno)),
        };
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                descriptors.extend(received);
            }
        }
        // The space for 28 is rounded up, and 29 fit.
        if read.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > MAX_IDENTIFIERS {
            return Err(ChannelError::Descriptor("too many descriptors"));
        }
        bytes.truncate(read.bytes);
        return Ok(Some(Received { bytes, descriptors }));
    }
}

/// What a descriptor is to the guest: the thing, its kind on the wire, and its bytes.
pub fn sort(descriptor: OwnedFd) -> Result<(Item, u32, u32), ChannelError> {
    let info = fstat(&descriptor).map_err(ChannelError::Socket)?;
    let flags = fcntl_getfl(&descriptor).map_err(ChannelError::Socket)?;
    let can_write = flags & OFlags::RWMODE != OFlags::RDONLY;
    match FileType::from_raw_mode(info.st_mode) {
        FileType::RegularFile => {
            let bytes = file_bytes(info.st_size)?;
            Ok((Item::File(descriptor.into(), bytes), BLOB, bytes as u32))
        }
        kind @ (FileType::Fifo | FileType::Socket) if can_write => {
            let pipe = WritePipe::new(descriptor, kind == FileType::Socket);
            Ok((Item::WritePipe(pipe), WRITE_PIPE, 0))
        }
        _ => Err(ChannelError::Descriptor(
            "neither a file nor a pipe to write to",
        )),
    }
}
