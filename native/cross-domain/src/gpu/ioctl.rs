//! The kernel's interface, include/uapi/drm/{drm,virtgpu_drm}.h of 6.12: numbers and structures.

use rustix::ioctl::{Opcode, opcode};

/// The type of all DRM requests.
const DRM: u8 = b'd';

#[repr(C)]
#[derive(Default)]
pub struct Version {
    pub major: i32,
    pub minor: i32,
    pub patch_level: i32,
    pub name_bytes: usize,
    pub name: usize,
    pub date_bytes: usize,
    pub date: usize,
    pub description_bytes: usize,
    pub description: usize,
}
pub const VERSION: Opcode = opcode::read_write::<Version>(DRM, 0x00);

#[repr(C)]
pub struct GemClose {
    pub handle: u32,
    pub pad: u32,
}
pub const GEM_CLOSE: Opcode = opcode::write::<GemClose>(DRM, 0x09);

#[repr(C)]
#[derive(Default)]
pub struct Map {
    /// For mmap.
    pub offset: u64,
    pub handle: u32,
    pub pad: u32,
}
pub const MAP: Opcode = opcode::read_write::<Map>(DRM, 0x41);

#[repr(C)]
#[derive(Default)]
pub struct ExecBuffer {
    pub flags: u32,
    pub size: u32,
    pub command: u64,
    pub bo_handles: u64,
    pub num_bo_handles: u32,
    pub fence_fd: i32,
    pub ring_idx: u32,
    pub syncobj_stride: u32,
    pub num_in_syncobjs: u32,
    pub num_out_syncobjs: u32,
    pub in_syncobjs: u64,
    pub out_syncobjs: u64,
}
pub const EXECBUFFER: Opcode = opcode::read_write::<ExecBuffer>(DRM, 0x42);
pub const EXEC_FENCE_FD_OUT: u32 = 0x02;
pub const EXEC_RING_IDX: u32 = 0x04;

#[repr(C)]
pub struct GetParam {
    pub param: u64,
    /// Where the kernel writes the value, an int.
    pub value: u64,
}
pub const GETPARAM: Opcode = opcode::read_write::<GetParam>(DRM, 0x43);
/// A bit for each capability set.
pub const PARAM_SUPPORTED_CAPSETS: u64 = 7;

#[repr(C)]
pub struct Wait {
    pub handle: u32,
    pub flags: u32,
}
pub const WAIT: Opcode = opcode::read_write::<Wait>(DRM, 0x48);

#[repr(C)]
pub struct GetCaps {
    pub cap_set_id: u32,
    pub cap_set_version: u32,
    pub address: u64,
    pub size: u32,
    pub pad: u32,
}
pub const GET_CAPS: Opcode = opcode::read_write::<GetCaps>(DRM, 0x49);

#[repr(C)]
#[derive(Default)]
pub struct CreateBlob {
    pub blob_mem: u32,
    pub blob_flags: u32,
    pub bo_handle: u32,
    pub res_handle: u32,
    pub size: u64,
    pub pad: u32,
    pub cmd_size: u32,
    pub cmd: u64,
    pub blob_id: u64,
}
pub const RESOURCE_CREATE_BLOB: Opcode = opcode::read_write::<CreateBlob>(DRM, 0x4a);
pub const BLOB_MEM_GUEST: u32 = 1;
pub const BLOB_MEM_HOST3D: u32 = 2;
pub const BLOB_FLAG_USE_MAPPABLE: u32 = 1;
pub const BLOB_FLAG_USE_SHAREABLE: u32 = 2;

#[repr(C)]
pub struct ContextParam {
    pub param: u64,
    pub value: u64,
}
pub const CONTEXT_PARAM_CAPSET_ID: u64 = 1;
pub const CONTEXT_PARAM_NUM_RINGS: u64 = 2;
pub const CONTEXT_PARAM_POLL_RINGS_MASK: u64 = 3;

#[repr(C)]
pub struct ContextInit {
    pub num_params: u32,
    pub pad: u32,
    /// Of `ContextParam`.
    pub params: u64,
}
pub const CONTEXT_INIT: Opcode = opcode::read_write::<ContextInit>(DRM, 0x4b);

/// The type of the event that a fence of a polled ring makes, in `drm_event`: type, length.
pub const EVENT_FENCE_SIGNALED: u32 = 0x9000_0000;
pub const EVENT_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_long_as_the_kernels() {
        let sizes = [
            (size_of::<Version>(), 64),
            (size_of::<Map>(), 16),
            (size_of::<ExecBuffer>(), 64),
            (size_of::<GetParam>(), 16),
            (size_of::<Wait>(), 8),
            (size_of::<GetCaps>(), 24),
            (size_of::<CreateBlob>(), 48),
            (size_of::<ContextInit>(), 16),
        ];
        for (ours, kernels) in sizes {
            assert_eq!(ours, kernels);
        }
    }
}
