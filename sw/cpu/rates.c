/* How many vector instructions a core does in a second: what kernels are held against. */
#include "bnn.h"

#if defined(__x86_64__)

#define REPEAT_12(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define XOR_512(i) "vpxord %%zmm31, %%zmm" #i ", %%zmm" #i "\n\t"
#define COUNT_512(i) "vpopcntd %%zmm" #i ", %%zmm" #i "\n\t"
#define XOR_256(i) "vpxor %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"
#define LOOK_256(i) "vpshufb %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"

/* n instructions, twelve that do not wait for each other. */
#define RATE(name, op)                                                                             \
    void name(uint64_t n)                                                                          \
    {                                                                                              \
        for (uint64_t i = 0; i < n; i += 12)                                                       \
            __asm__ volatile(REPEAT_12(op)::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",      \
                             "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11");                    \
    }

RATE(bnn_xor_512, XOR_512)
RATE(bnn_count_512, COUNT_512)
RATE(bnn_xor_256, XOR_256)
RATE(bnn_look_256, LOOK_256)

#endif
