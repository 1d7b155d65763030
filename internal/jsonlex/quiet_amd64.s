//go:build !purego

#include "textflag.h"

// REPEATED puts eight equal bytes into both halves of a register.
#define REPEATED(bytes, x) \
	MOVQ       bytes, AX; \
	MOVQ       AX, x;     \
	PUNPCKLQDQ x, x

// func quietSteps(text *byte, steps int) int
//
// SSE2, which every amd64 has. With its bit 1 turned over, a quote is 0x20, what
// is below 0x20 stays there, and nothing else comes that low; a backslash is
// 0x5e. What is beyond ASCII has the bit that PMOVMSKB gathers.
TEXT ·quietSteps(SB), NOSPLIT, $0-24
	MOVQ text+0(FP), SI
	MOVQ steps+8(FP), CX
	XORQ BX, BX
	REPEATED($0x0202020202020202, X10)
	REPEATED($0x5e5e5e5e5e5e5e5e, X11)
	REPEATED($0x2020202020202020, X12)
	PXOR X13, X13

step:
	CMPQ    BX, CX
	JGE     end
	MOVOU   0(SI), X0
	MOVOU   16(SI), X1
	MOVOU   32(SI), X2
	MOVOU   48(SI), X3
	PXOR    X10, X0
	PXOR    X10, X1
	PXOR    X10, X2
	PXOR    X10, X3
	MOVO    X0, X4
	MOVO    X0, X5
	PMINUB  X1, X4
	POR     X1, X5
	PMINUB  X2, X4
	POR     X2, X5
	PMINUB  X3, X4      // the least of each four
	POR     X3, X5      // beyond ASCII
	PXOR    X11, X0
	PXOR    X11, X1
	PXOR    X11, X2
	PXOR    X11, X3
	PMINUB  X1, X0
	PMINUB  X3, X2
	PMINUB  X2, X0
	PCMPEQB X13, X0     // a backslash
	MOVO    X12, X6
	PMINUB  X4, X6
	PCMPEQB X4, X6      // 0x20 or less
	POR     X5, X0
	POR     X6, X0
	PMOVMSKB X0, AX
	TESTL   AX, AX
	JNZ     end
	ADDQ    $64, SI
	INCQ    BX
	JMP     step

end:
	MOVQ BX, ret+16(FP)
	RET
