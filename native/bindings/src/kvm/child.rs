//! What the probe's child does: makes a machine on the device and runs the guest's code, saying in the report how far
//! it came. System calls only; see `process`.

use std::ffi::{CStr, c_int, c_ulong};
use std::mem::zeroed;
use std::sync::atomic::Ordering::Relaxed;

use kvm_bindings::{
    KVM_API_VERSION, kvm_cpuid_entry2, kvm_cpuid2, kvm_regs, kvm_run, kvm_segment, kvm_sregs,
    kvm_userspace_memory_region,
};

use super::guest_code::{ENTRY, PAGE_TABLE, ROUNDS};
use super::memory::{GUEST_SIZE, Memory};
use super::verdict::Step;

/// Requests of linux/kvm.h, and what they take.
const GET_API_VERSION: c_ulong = 0xae00;
const CREATE_VM: c_ulong = 0xae01;
const GET_VCPU_MMAP_SIZE: c_ulong = 0xae04;
const GET_SUPPORTED_CPUID: c_ulong = 0xc008_ae05; // kvm_cpuid2
const CREATE_VCPU: c_ulong = 0xae41;
const SET_USER_MEMORY_REGION: c_ulong = 0x4020_ae46; // kvm_userspace_memory_region
const RUN: c_ulong = 0xae80;
const SET_REGS: c_ulong = 0x4090_ae82; // kvm_regs
const GET_SREGS: c_ulong = 0x8138_ae83; // kvm_sregs
const SET_SREGS: c_ulong = 0x4138_ae84; // kvm_sregs
const SET_CPUID2: c_ulong = 0x4008_ae90; // kvm_cpuid2

/// More than any KVM has.
const MAX_CPUID_ENTRIES: usize = 256;

#[repr(C)]
struct Cpuid {
    header: kvm_cpuid2,
    entries: [kvm_cpuid_entry2; MAX_CPUID_ENTRIES],
}

pub fn try_device(device: &CStr, memory: &Memory) {
    if let Err(errno) = run_guest(device, memory) {
        memory.report().errno.store(errno, Relaxed);
    }
}

fn run_guest(device: &CStr, memory: &Memory) -> Result<(), c_int> {
    let report = memory.report();
    let at = |step: Step| report.step.store(step as u32, Relaxed);

    at(Step::Open);
    // SAFETY: a zero-terminated path. Descriptors end with this process.
    let kvm = check(unsafe { libc::open(device.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) })?;
    at(Step::Version);
    let version = request(kvm, GET_API_VERSION, 0)?;
    report.version.store(version, Relaxed);
    if version != KVM_API_VERSION as c_int {
        return Ok(());
    }
    at(Step::Machine);
    let machine = request(kvm, CREATE_VM, 0)?;
    let region = kvm_userspace_memory_region {
        memory_size: GUEST_SIZE as u64,
        userspace_addr: memory.guest() as u64,
        ..Default::default()
    };
    request(
        machine,
        SET_USER_MEMORY_REGION,
        &raw const region as c_ulong,
    )?;
    at(Step::Processor);
    let processor = request(machine, CREATE_VCPU, 0)?;
    let state = map_state(kvm, processor)?;
    at(Step::Registers);
    set_features(kvm, processor)?;
    set_registers(processor)?;

    at(Step::Run);
    let started = microseconds();
    request(processor, RUN, 0)?;
    report
        .microseconds
        .store(microseconds().saturating_sub(started), Relaxed);
    // SAFETY: the kernel's mapping, at least as long as the structure, written before the call above returned.
    report.exit.store(unsafe { (*state).exit_reason }, Relaxed);
    at(Step::Stopped);
    Ok(())
}

fn map_state(kvm: c_int, processor: c_int) -> Result<*const kvm_run, c_int> {
    let size = request(kvm, GET_VCPU_MMAP_SIZE, 0)? as usize;
    if size < size_of::<kvm_run>() {
        return Err(libc::EINVAL);
    }
    // SAFETY: a new mapping at an address of the kernel's choice.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_READ,
            libc::MAP_SHARED,
            processor,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        Err(errno())
    } else {
        Ok(address.cast())
    }
}

/// Without them KVM refuses control bits that belong to features.
fn set_features(kvm: c_int, processor: c_int) -> Result<(), c_int> {
    // SAFETY: integers; zero is valid for each.
    let mut cpuid: Cpuid = unsafe { zeroed() };
    cpuid.header.nent = MAX_CPUID_ENTRIES as u32;
    request(kvm, GET_SUPPORTED_CPUID, &raw mut cpuid as c_ulong)?;
    request(processor, SET_CPUID2, &raw const cpuid as c_ulong)?;
    Ok(())
}

/// 64-bit mode, flat segments, vector instructions on, at the code's entry.
fn set_registers(processor: c_int) -> Result<(), c_int> {
    let mut system = kvm_sregs::default();
    request(processor, GET_SREGS, &raw mut system as c_ulong)?;
    let data = kvm_segment {
        limit: u32::MAX,
        selector: 16,
        type_: 3,
        present: 1,
        s: 1,
        db: 1,
        g: 1,
        ..Default::default()
    };
    system.cs = kvm_segment {
        selector: 8,
        type_: 11,
        db: 0,
        l: 1,
        ..data
    };
    (system.ds, system.es, system.fs, system.gs, system.ss) = (data, data, data, data, data);
    system.cr3 = PAGE_TABLE;
    system.cr4 = 0x620; // PAE, OSFXSR, OSXMMEXCPT
    system.cr0 = 0x8000_0033; // PG, NE, ET, MP, PE
    system.efer = 0x500; // LMA, LME
    request(processor, SET_SREGS, &raw const system as c_ulong)?;
    let general = kvm_regs {
        rip: ENTRY,
        rcx: ROUNDS.into(),
        rflags: 2,
        ..Default::default()
    };
    request(processor, SET_REGS, &raw const general as c_ulong)?;
    Ok(())
}

/// One ioctl of KVM. The argument is a number, or the address of what the request's name says.
fn request(fd: c_int, request: c_ulong, argument: c_ulong) -> Result<c_int, c_int> {
    // SAFETY: callers pass the structure that the request takes, alive for the call.
    check(unsafe { libc::ioctl(fd, request, argument) })
}

fn check(result: c_int) -> Result<c_int, c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

fn errno() -> c_int {
    // SAFETY: the C library's own location, always valid.
    unsafe { *libc::__errno_location() }
}

fn microseconds() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes the structure given.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}
