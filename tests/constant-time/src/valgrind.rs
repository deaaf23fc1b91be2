//! The client requests of valgrind's memcheck on amd64, as `valgrind.h` and `memcheck.h` of valgrind 3.19 encode them.

use std::{arch::asm, mem::size_of_val};

/// Rotations of 128 bits in all and an exchange of a register with itself: nothing to a processor, a call to valgrind.
fn request(code: usize, arguments: [usize; 3]) -> usize {
    let [first, second, third] = arguments;
    let block = [code, first, second, third, 0, 0];
    let mut answer = 0;
    // SAFETY: no register changes but rdx, which valgrind sets; memcheck reads and marks only what it is told to.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inout("rdx") answer,
        );
    }
    answer
}

pub fn is_running() -> bool {
    request(0x1001, [0; 3]) != 0
}

/// All reports until now, those that valgrind shows only once included.
pub fn reports() -> usize {
    request(0x1201, [0; 3])
}

/// From here on, a jump or an address that depends on these bytes is reported.
pub fn make_undefined<T: ?Sized>(value: &mut T) {
    request(0x4d43_0001, [address(value), size_of_val(value), 0]);
}

pub fn make_defined<T: ?Sized>(value: &mut T) {
    request(0x4d43_0002, [address(value), size_of_val(value), 0]);
}

/// How many of the value's bytes hold an undefined bit. Asking is not reported.
pub fn undefined_bytes<T>(value: &mut T) -> usize {
    let first = address(value);
    (first..first + size_of_val(value))
        .filter(|byte| {
            let mut undefined_bits = 0_u8;
            request(0x4d43_0008, [*byte, address(&mut undefined_bits), 1]);
            undefined_bits != 0
        })
        .count()
}

fn address<T: ?Sized>(value: &mut T) -> usize {
    std::ptr::from_mut(value).cast::<u8>().expose_provenance()
}
