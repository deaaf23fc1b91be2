# Reads texts of 58 bytes, calls the decoder, and writes its verdict and its 43 bytes.
.intel_syntax noprefix
.globl _start
_start:
1:  xor eax, eax
    xor edi, edi
    lea rsi, [rip + text]
    mov edx, 58
    syscall
    cmp rax, 58
    jne 2f
    lea rdi, [rip + text]
    lea rsi, [rip + bytes]
    call proved
    mov [rip + verdict], al
    mov eax, 1
    mov edi, 1
    lea rsi, [rip + verdict]
    mov edx, 44
    syscall
    jmp 1b
2:  mov eax, 60
    xor edi, edi
    syscall
.bss
text: .space 58
verdict: .space 1
bytes: .space 43
