@ Reads texts of 58 bytes, calls the decoder, and writes its verdict and its 43 bytes.
.syntax unified
.thumb
.globl _start
.type _start, %function
.thumb_func
_start:
1:  movs r0, #0
    ldr r1, =text
    movs r2, #58
    movs r7, #3
    svc #0
    cmp r0, #58
    bne 2f
    ldr r0, =text
    ldr r1, =bytes
    bl proved
    ldr r1, =verdict
    strb r0, [r1]
    movs r0, #1
    movs r2, #44
    movs r7, #4
    svc #0
    b 1b
2:  movs r0, #0
    movs r7, #1
    svc #0
.pool
.bss
text: .space 58
verdict: .space 1
bytes: .space 43
