//! The device through the kernel's virtio-gpu driver.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::Path,
};

use rustix::{
    fs::OFlags,
    ioctl::{Opcode, Updater, ioctl},
};

use super::{
    Access, Blob, CAPABILITY_BYTES, CROSS_DOMAIN, Fence, Gpu, Mapping, RINGS, Source,
    ioctl::{
        BLOB_FLAG_USE_MAPPABLE, BLOB_FLAG_USE_SHAREABLE, BLOB_MEM_GUEST, BLOB_MEM_HOST3D,
        CONTEXT_INIT, CONTEXT_PARAM_CAPSET_ID, CONTEXT_PARAM_NUM_RINGS,
        CONTEXT_PARAM_POLL_RINGS_MASK, ContextInit, ContextParam, CreateBlob, EVENT_BYTES,
        EVENT_FENCE_SIGNALED, EXEC_FENCE_FD_OUT, EXEC_RING_IDX, EXECBUFFER, ExecBuffer, GEM_CLOSE,
        GET_CAPS, GETPARAM, GemClose, GetCaps, GetParam, MAP, Map, PARAM_SUPPORTED_CAPSETS,
        RESOURCE_CREATE_BLOB, VERSION, Version, WAIT, Wait,
    },
};

const QUERY_RING: u32 = 0;
const CHANNEL_RING: u32 = 1;

pub struct RenderNode(File);

impl RenderNode {
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = (OFlags::CLOEXEC | OFlags::NONBLOCK).bits();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags as i32)
            .open(path)?;
        Ok(Self(file))
    }

    /// The driver's name, and its words about the device.
    pub fn driver(&self) -> io::Result<(String, String)> {
        let (mut name, mut description) = ([0u8; 64], [0u8; 128]);
        let mut version = Version {
            name_bytes: name.len(),
            name: name.as_mut_ptr() as usize,
            description_bytes: description.len(),
            description: description.as_mut_ptr() as usize,
            ..Version::default()
        };
        self.request::<VERSION, _>(&mut version)?;
        let text = |bytes: &[u8], length: usize| {
            String::from_utf8_lossy(&bytes[..length.min(bytes.len())]).into_owned()
        };
        Ok((
            text(&name, version.name_bytes),
            text(&description, version.description_bytes),
        ))
    }

    /// A bit for each capability set that the device has.
    pub fn capability_sets(&self) -> io::Result<u32> {
        let mut value = 0u64;
        let mut request = GetParam {
            param: PARAM_SUPPORTED_CAPSETS,
            value: (&raw mut value) as u64,
        };
        self.request::<GETPARAM, _>(&mut request)?;
        Ok(value as u32)
    }

    /// Addresses in `value` must be those of memory that lives through the call.
    fn request<const CODE: Opcode, T>(&self, value: &mut T) -> io::Result<()> {
        loop {
            // SAFETY: each code above is made from its structure's size, and the kernel writes no more than that.
            match unsafe { ioctl(&self.0, Updater::<CODE, T>::new(value)) } {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Gpu for RenderNode {
    fn capabilities(&self) -> io::Result<[u8; CAPABILITY_BYTES]> {
        let mut bytes = [0; CAPABILITY_BYTES];
        let mut request = GetCaps {
            cap_set_id: CROSS_DOMAIN,
            cap_set_version: 0,
            address: bytes.as_mut_ptr() as u64,
            size: CAPABILITY_BYTES as u32,
            pad: 0,
        };
        self.request::<GET_CAPS, _>(&mut request)?;
        Ok(bytes)
    }

    fn init_context(&self) -> io::Result<()> {
        let params = [
            (CONTEXT_PARAM_CAPSET_ID, CROSS_DOMAIN.into()),
            (CONTEXT_PARAM_NUM_RINGS, RINGS.into()),
            (CONTEXT_PARAM_POLL_RINGS_MASK, 1 << CHANNEL_RING),
        ]
        .map(|(param, value)| ContextParam { param, value });
        let mut request = ContextInit {
            num_params: params.len() as u32,
            pad: 0,
            params: params.as_ptr() as u64,
        };
        self.request::<CONTEXT_INIT, _>(&mut request)
    }

    fn create_blob(&self, source: Source, bytes: usize) -> io::Result<Blob> {
        let (blob_mem, blob_id, use_shared) = match source {
            Source::Guest => (BLOB_MEM_GUEST, 0, 0),
            // The kernel maps it before the context has it: crosvm gives its only descriptor away for a mapping
            // where the blob is not to be shared.
            Source::Host(id) => (BLOB_MEM_HOST3D, id.into(), BLOB_FLAG_USE_SHAREABLE),
        };
        let mut request = CreateBlob {
            blob_mem,
            blob_flags: BLOB_FLAG_USE_MAPPABLE | use_shared,
            size: bytes as u64,
            blob_id,
            ..CreateBlob::default()
        };
        self.request::<RESOURCE_CREATE_BLOB, _>(&mut request)?;
        Ok(Blob {
            handle: request.bo_handle,
            resource: request.res_handle,
        })
    }

    fn map_blob(&self, blob: Blob, bytes: usize, access: Access) -> io::Result<Mapping> {
        let mut request = Map {
            handle: blob.handle,
            ..Map::default()
        };
        self.request::<MAP, _>(&mut request)?;
        Mapping::new(&self.0, request.offset, bytes, access)
    }

    fn close_blob(&self, blob: Blob) {
        let mut request = GemClose {
            handle: blob.handle,
            pad: 0,
        };
        // Fails only for a handle that is closed already.
        let _ = self.request::<GEM_CLOSE, _>(&mut request);
    }

    fn execute(&self, command: &[u8], fence: Fence) -> io::Result<Option<OwnedFd>> {
        let mut request = ExecBuffer {
            size: u32::try_from(command.len()).map_err(io::Error::other)?,
            command: command.as_ptr() as u64,
            fence_fd: -1,
            ..ExecBuffer::default()
        };
        match &fence {
            Fence::Nothing => {}
            Fence::Blob(blob) => {
                request.flags = EXEC_RING_IDX;
                request.ring_idx = QUERY_RING;
                request.bo_handles = (&raw const blob.handle) as u64;
                request.num_bo_handles = 1;
            }
            Fence::Descriptor(ring) => {
                request.flags = EXEC_RING_IDX | EXEC_FENCE_FD_OUT;
                request.ring_idx = (*ring).into();
            }
            Fence::Event => {
                request.flags = EXEC_RING_IDX;
                request.ring_idx = CHANNEL_RING;
            }
        }
        self.request::<EXECBUFFER, _>(&mut request)?;
        let wanted = matches!(fence, Fence::Descriptor(_)) && request.fence_fd >= 0;
        // SAFETY: the kernel made the descriptor for this call.
        Ok(wanted.then(|| unsafe { OwnedFd::from_raw_fd(request.fence_fd) }))
    }

    fn wait(&self, blob: Blob) -> io::Result<()> {
        let mut request = Wait {
            handle: blob.handle,
            flags: 0,
        };
        self.request::<WAIT, _>(&mut request)
    }

    fn events(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn take_event(&self) -> io::Result<bool> {
        let mut event = [0; EVENT_BYTES];
        match (&self.0).read(&mut event) {
            Ok(count) => {
                let kind = u32::from_ne_bytes([event[0], event[1], event[2], event[3]]);
                Ok(count == EVENT_BYTES && kind == EVENT_FENCE_SIGNALED)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }
}
