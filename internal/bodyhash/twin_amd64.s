//go:build !purego

#include "textflag.h"

// SHA-256's compression of two texts at once, by the processor's SHA
// instructions. One round waits for the one before it, so of one text alone the
// processor does half of what it could.
//
// Register:        lane A       lane B
//   ABEF, CDGH     X1, X2       X8, X9
//   message        X3 to X6     X10 to X13
//   scratch        X7           X14
// X0 is a group's message and constants, as SHA256RNDS2 demands; X15 turns
// words around.

// ROUNDS does the four rounds of group n on the message words in m.
#define ROUNDS(n, m, abef, cdgh) \
	MOVOU       (16*n)(AX), X0; \
	PADDD       m, X0;          \
	SHA256RNDS2 X0, abef, cdgh; \
	PSHUFD      $0x0e, X0, X0;  \
	SHA256RNDS2 X0, cdgh, abef

// FETCH loads the message words of group n, one of the first four.
#define FETCH(n, text, m) \
	MOVOU  (16*n)(text), m; \
	PSHUFB X15, m

// MIX makes the words of the group after m, in next; before is the one before m.
#define MIX(before, m, next, scratch) \
	MOVO       m, scratch;          \
	PALIGNR    $4, before, scratch; \
	PADDD      scratch, next;       \
	SHA256MSG2 m, next

#define FIRST(n, a, b) \
	FETCH(n, SI, a);     \
	FETCH(n, DX, b);     \
	ROUNDS(n, a, X1, X2); \
	ROUNDS(n, b, X8, X9)

#define BEGIN(a0, a1, b0, b1) \
	SHA256MSG1 a1, a0; \
	SHA256MSG1 b1, b0

#define LATER(n, a0, a1, a2, b0, b1, b2) \
	ROUNDS(n, a1, X1, X2); \
	ROUNDS(n, b1, X8, X9); \
	MIX(a0, a1, a2, X7);   \
	MIX(b0, b1, b2, X14)

// OPEN brings a state into the order that the instructions want, CLOSE back.
#define OPEN(state, abef, cdgh, scratch) \
	MOVOU   (state), abef;         \
	MOVOU   16(state), cdgh;       \
	PSHUFD  $0xb1, abef, abef;     \
	PSHUFD  $0x1b, cdgh, cdgh;     \
	MOVO    abef, scratch;         \
	PALIGNR $8, cdgh, abef;        \
	PBLENDW $0xf0, scratch, cdgh

#define CLOSE(state, abef, cdgh, scratch) \
	PSHUFD  $0x1b, abef, abef;     \
	PSHUFD  $0xb1, cdgh, cdgh;     \
	MOVO    abef, scratch;         \
	PBLENDW $0xf0, cdgh, abef;     \
	PALIGNR $8, scratch, cdgh;     \
	MOVOU   abef, (state);         \
	MOVOU   cdgh, 16(state)

#define ADD(saved, sum, scratch) \
	MOVOU saved, scratch; \
	PADDD scratch, sum

// func compress(a, b *[8]uint32, textA, textB *byte, blocks int)
TEXT ·compress(SB), NOSPLIT, $64-40
	MOVQ  a+0(FP), DI
	MOVQ  b+8(FP), R8
	MOVQ  textA+16(FP), SI
	MOVQ  textB+24(FP), DX
	MOVQ  blocks+32(FP), CX
	LEAQ  k<>(SB), AX
	MOVOU flip<>(SB), X15
	OPEN(DI, X1, X2, X7)
	OPEN(R8, X8, X9, X14)
	TESTQ CX, CX
	JZ    done

block:
	MOVOU X1, 0(SP)
	MOVOU X2, 16(SP)
	MOVOU X8, 32(SP)
	MOVOU X9, 48(SP)

	FIRST(0, X3, X10)
	FIRST(1, X4, X11)
	BEGIN(X3, X4, X10, X11)
	FIRST(2, X5, X12)
	BEGIN(X4, X5, X11, X12)
	FIRST(3, X6, X13)
	MIX(X5, X6, X3, X7)
	MIX(X12, X13, X10, X14)
	BEGIN(X5, X6, X12, X13)

	LATER(4, X6, X3, X4, X13, X10, X11)
	BEGIN(X6, X3, X13, X10)
	LATER(5, X3, X4, X5, X10, X11, X12)
	BEGIN(X3, X4, X10, X11)
	LATER(6, X4, X5, X6, X11, X12, X13)
	BEGIN(X4, X5, X11, X12)
	LATER(7, X5, X6, X3, X12, X13, X10)
	BEGIN(X5, X6, X12, X13)
	LATER(8, X6, X3, X4, X13, X10, X11)
	BEGIN(X6, X3, X13, X10)
	LATER(9, X3, X4, X5, X10, X11, X12)
	BEGIN(X3, X4, X10, X11)
	LATER(10, X4, X5, X6, X11, X12, X13)
	BEGIN(X4, X5, X11, X12)
	LATER(11, X5, X6, X3, X12, X13, X10)
	BEGIN(X5, X6, X12, X13)
	LATER(12, X6, X3, X4, X13, X10, X11)
	BEGIN(X6, X3, X13, X10)
	LATER(13, X3, X4, X5, X10, X11, X12)
	LATER(14, X4, X5, X6, X11, X12, X13)
	ROUNDS(15, X6, X1, X2)
	ROUNDS(15, X13, X8, X9)

	ADD(0(SP), X1, X7)
	ADD(16(SP), X2, X7)
	ADD(32(SP), X8, X14)
	ADD(48(SP), X9, X14)
	ADDQ $64, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  block

done:
	CLOSE(DI, X1, X2, X7)
	CLOSE(R8, X8, X9, X14)
	RET

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// The bytes of four words, each the other way round.
DATA flip<>+0(SB)/8, $0x0405060700010203
DATA flip<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL flip<>(SB), RODATA|NOPTR, $16

// SHA-256's constants.
DATA k<>+0(SB)/8, $0x71374491428a2f98
DATA k<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA k<>+16(SB)/8, $0x59f111f13956c25b
DATA k<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA k<>+32(SB)/8, $0x12835b01d807aa98
DATA k<>+40(SB)/8, $0x550c7dc3243185be
DATA k<>+48(SB)/8, $0x80deb1fe72be5d74
DATA k<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA k<>+64(SB)/8, $0xefbe4786e49b69c1
DATA k<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA k<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA k<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA k<>+96(SB)/8, $0xa831c66d983e5152
DATA k<>+104(SB)/8, $0xbf597fc7b00327c8
DATA k<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA k<>+120(SB)/8, $0x1429296706ca6351
DATA k<>+128(SB)/8, $0x2e1b213827b70a85
DATA k<>+136(SB)/8, $0x53380d134d2c6dfc
DATA k<>+144(SB)/8, $0x766a0abb650a7354
DATA k<>+152(SB)/8, $0x92722c8581c2c92e
DATA k<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA k<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA k<>+176(SB)/8, $0xd6990624d192e819
DATA k<>+184(SB)/8, $0x106aa070f40e3585
DATA k<>+192(SB)/8, $0x1e376c0819a4c116
DATA k<>+200(SB)/8, $0x34b0bcb52748774c
DATA k<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA k<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA k<>+224(SB)/8, $0x78a5636f748f82ee
DATA k<>+232(SB)/8, $0x8cc7020884c87814
DATA k<>+240(SB)/8, $0xa4506ceb90befffa
DATA k<>+248(SB)/8, $0xc67178f2bef9a3f7
GLOBL k<>(SB), RODATA|NOPTR, $256
