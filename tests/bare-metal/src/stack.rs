//! How much stack a call takes: what lies below the stack pointer is painted before it and looked at after it.

use core::{arch::asm, hint::black_box, ptr};

const PAINT: u32 = 0x5afe_c0de;
const WORDS: usize = 2048;

/// Bytes of stack that `call` takes, and what it returns.
// Never inlined, so that its own frame is the last one above the paint.
#[inline(never)]
pub fn used_by<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let top: usize;
    // SAFETY: reads the stack pointer and nothing else.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        asm!("mv {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
    }
    let word = |below: usize| ptr::with_exposed_provenance_mut::<u32>(top - 4 * below);
    for below in 1..=WORDS {
        // SAFETY: nothing is alive below the stack pointer: no interrupt is enabled, and the loop calls nothing.
        unsafe { word(below).write_volatile(PAINT) };
    }
    let answer = black_box(call)();
    // SAFETY: reads the words that were painted.
    let unpainted = |below: &usize| unsafe { word(*below).read_volatile() } != PAINT;
    let deepest = (1..=WORDS).rev().find(unpainted).unwrap_or(0);
    assert!(deepest < WORDS, "it took all that was painted");
    (4 * deepest, answer)
}
