//! Memory that the probe's child and its parent share: the child's report, then the guest's memory.

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

use rustix::io::Result;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

const REPORT_SIZE: usize = 0x1000;
/// Bytes of guest memory, from guest address 0.
pub const GUEST_SIZE: usize = 0x8000;
const SIZE: usize = REPORT_SIZE + GUEST_SIZE;

/// What the child says of how far it came. All zero at the start.
#[repr(C)]
pub struct Report {
    /// The step it is at: a `Step`.
    pub step: AtomicU32,
    /// Why that step failed, or 0.
    pub errno: AtomicI32,
    /// KVM's version of its interface.
    pub version: AtomicI32,
    /// Why the guest stopped: `KVM_EXIT_*`.
    pub exit: AtomicU32,
    /// How long the guest ran, in microseconds.
    pub microseconds: AtomicU64,
}

pub struct Memory(NonNull<c_void>);

impl Memory {
    pub fn new() -> Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no other.
        let address = unsafe {
            mmap_anonymous(
                null_mut(),
                SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
            )
        }?;
        NonNull::new(address)
            .map(Self)
            .ok_or(rustix::io::Errno::NOMEM)
    }

    pub fn report(&self) -> &Report {
        // SAFETY: the mapping lives as long as self, is page-aligned and longer; zeroed atomics are valid.
        unsafe { self.0.cast::<Report>().as_ref() }
    }

    /// Where the guest's memory begins in this process.
    pub fn guest(&self) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().wrapping_add(REPORT_SIZE)
    }

    /// Copies bytes to a guest address; what would not fit is left out.
    pub fn write(&self, address: usize, bytes: &[u8]) {
        let fits = bytes.len().min(GUEST_SIZE.saturating_sub(address));
        // SAFETY: within the mapping by the line above; raw pointers only, as the guest may look at it too.
        unsafe {
            self.guest()
                .add(address)
                .copy_from_nonoverlapping(bytes.as_ptr(), fits)
        };
    }

    /// The guest's u32 at a multiple of 4; 0 outside its memory.
    pub fn read_u32(&self, address: usize) -> u32 {
        if address > GUEST_SIZE - 4 || !address.is_multiple_of(4) {
            return 0;
        }
        // SAFETY: within the mapping and aligned by the line above; volatile, as the guest may write it meanwhile.
        unsafe { self.guest().add(address).cast::<u32>().read_volatile() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this object's own; nothing borrowed from it outlives the object.
        let _ = unsafe { munmap(self.0.as_ptr(), SIZE) };
    }
}
