//! The guest: 64-bit code that counts with integer and vector instructions, writes down what it found, and halts.
//!
//! 64-bit, because processors differ in how they run real mode, and every guest ends up here. A vector instruction,
//! because an interpreter in the host's kernel does not know them. A million rounds, because one that did would take
//! seconds (about a million instructions a second were seen), while hardware takes two milliseconds.

use super::memory::Memory;

pub const ENTRY: u64 = 0x1000;
pub const PAGE_TABLE: u64 = 0x2000;
/// What rcx is to be at the start.
pub const ROUNDS: u32 = 1_000_000;
pub const INSTRUCTIONS: u64 = ROUNDS as u64 * INSTRUCTIONS_A_ROUND;
const INSTRUCTIONS_A_ROUND: u64 = 6;

/// Rounds left, u32, written in each.
const ROUNDS_LEFT: usize = 0x6000;
/// The sum of 1 to `ROUNDS`: u64 from rax, u32 from xmm0.
const INTEGER_SUM: usize = 0x6008;
const VECTOR_SUM: usize = 0x6010;

#[rustfmt::skip]
const CODE: [u8; 44] = [
    0x66, 0x0f, 0xef, 0xc0,                               //        pxor xmm0, xmm0
    0x48, 0x01, 0xc8,                                     // round: add rax, rcx
    0x66, 0x0f, 0x6e, 0xc9,                               //        movd xmm1, ecx
    0x66, 0x0f, 0xfe, 0xc1,                               //        paddd xmm0, xmm1
    0x89, 0x0c, 0x25, 0x00, 0x60, 0x00, 0x00,             //        mov [ROUNDS_LEFT], ecx
    0xff, 0xc9,                                           //        dec ecx
    0x75, 0xea,                                           //        jnz round
    0x48, 0x89, 0x04, 0x25, 0x08, 0x60, 0x00, 0x00,       //        mov [INTEGER_SUM], rax
    0x66, 0x0f, 0x7e, 0x04, 0x25, 0x10, 0x60, 0x00, 0x00, //        movd [VECTOR_SUM], xmm0
    0xf4,                                                 //        hlt
];

/// Present, writable, accessed; and for the last level dirty and large (Intel SDM volume 3, 4.5).
const TABLE: u64 = 0x23;
const LARGE_PAGE: u64 = 0xe3;

/// Writes the code, and page tables that map the first 2 MiB to themselves.
pub fn load(memory: &Memory) {
    memory.write(ENTRY as usize, &CODE);
    memory.write(PAGE_TABLE as usize, &(0x3000 | TABLE).to_le_bytes());
    memory.write(0x3000, &(0x4000 | TABLE).to_le_bytes());
    memory.write(0x4000, &LARGE_PAGE.to_le_bytes());
    memory.write(ROUNDS_LEFT, &ROUNDS.to_le_bytes());
}

/// Instructions that the guest has certainly run.
pub fn instructions_run(memory: &Memory) -> u64 {
    u64::from(ROUNDS.saturating_sub(memory.read_u32(ROUNDS_LEFT))) * INSTRUCTIONS_A_ROUND
}

/// Whether both sums are right.
pub fn result_is_right(memory: &Memory) -> bool {
    let expected = u64::from(ROUNDS) * (u64::from(ROUNDS) + 1) / 2;
    let low = u64::from(memory.read_u32(INTEGER_SUM));
    let high = u64::from(memory.read_u32(INTEGER_SUM + 4));
    high << 32 | low == expected && memory.read_u32(VECTOR_SUM) == expected as u32
}
