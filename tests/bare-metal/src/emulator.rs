//! What the program needs of QEMU's user mode: semihosting calls (Arm's "Semihosting for AArch32 and AArch64", and the
//! "RISC-V Semihosting" specification, which takes its numbers from there).

use core::{arch::asm, fmt};

const SYS_WRITE0: usize = 0x04;
const SYS_EXIT: usize = 0x18;
const APPLICATION_EXIT: usize = 0x2_0026;

fn call(operation: usize, argument: usize) {
    // SAFETY: the two operations read a text and end the program; neither writes to its memory.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("svc 0xab", inout("r0") operation => _, in("r1") argument, options(nostack));
        // No instruction of it may be compressed.
        #[cfg(target_arch = "riscv32")]
        asm!(
            ".option push", ".option norvc", "slli x0, x0, 0x1f", "ebreak", "srai x0, x0, 7", ".option pop",
            inout("a0") operation => _, in("a1") argument, options(nostack),
        );
    }
}

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let terminated = [byte, 0];
            call(SYS_WRITE0, terminated.as_ptr().expose_provenance());
        }
        Ok(())
    }
}

pub fn print(text: fmt::Arguments<'_>) {
    let _ = fmt::Write::write_fmt(&mut Console, text);
}

/// Exit status 0 if it is good, otherwise 1.
pub fn exit(good: bool) -> ! {
    loop {
        call(SYS_EXIT, if good { APPLICATION_EXIT } else { 0 });
    }
}
