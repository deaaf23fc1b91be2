# Reads texts of 58 bytes, calls the decoder, and writes its verdict and its 43 bytes.
.globl _start
_start:
1:  li a0, 0
    la a1, text
    li a2, 58
    li a7, 63
    ecall
    li t0, 58
    bne a0, t0, 2f
    la a0, text
    la a1, bytes
    call proved
    la a1, verdict
    sb a0, 0(a1)
    li a0, 1
    li a2, 44
    li a7, 64
    ecall
    j 1b
2:  li a0, 0
    li a7, 93
    ecall
.bss
text: .space 58
verdict: .space 1
bytes: .space 43
