/* How many instructions a multiprocessor starts: nothing but the one in question, on registers or
 * on one piece of shared memory. */
#include "device.cuh"

enum { CHAINS = 8 };

/* What a launch takes. */
KERNEL nothing() {}

KERNEL rate_popc(int turns, u32 *out)
{
    u32 x[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        x[i] = threadIdx.x + i;
    for (int turn = 0; turn < turns; turn++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            x[i] = popcount(x[i]);
    u32 all = 0;
    for (int i = 0; i < CHAINS; i++)
        all ^= x[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

template <bool BITS> DEVICE void rate_mma(int turns, u32 *out)
{
    int c[CHAINS][4] = {};
    const u32 a[4] = {threadIdx.x, 1, 2, 3};
    for (int turn = 0; turn < turns; turn++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            if (BITS)
                multiply_bits(c[i], a, turn, threadIdx.x);
            else
                multiply_bytes(c[i], a, turn, threadIdx.x);
    u32 all = 0;
    for (int i = 0; i < CHAINS; i++)
        all ^= c[i][0] ^ c[i][1] ^ c[i][2] ^ c[i][3];
    out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

KERNEL rate_mma_bits(int turns, u32 *out) { rate_mma<true>(turns, out); }
KERNEL rate_mma_bytes(int turns, u32 *out) { rate_mma<false>(turns, out); }

#if __CUDA_ARCH__ == 900 && defined(__CUDA_ARCH_FEAT_SM90_ALL)
template <bool BITS> DEVICE void rate_wgmma(int turns, u32 *out)
{
    DYNAMIC_SHARED(memory);
    /* Of zeros a multiplier takes less power, and is faster. */
    for (u32 i = threadIdx.x; i < (64 + 256) * 128 / 4; i += blockDim.x)
        ((u32 *)memory)[i] = (i + 1) * 2654435761u ^ i * 40503u << 16;
    copies_to_multiplier();
    __syncthreads();
    const u64 a = (shared_address(memory) & 0x3ffff) >> 4 | (u64)1 << 16 | (u64)64 << 32 |
                  (u64)1 << 62;
    const u64 b = a + (64 * 128 >> 4);
    int c[128];
    for (int turn = 0; turn < turns; turn++) {
        group_begin(c);
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            if (BITS)
                group_multiply_bits(c, a, b, turn || i);
            else
                group_multiply_bytes(c, a, b, turn || i);
        group_commit();
        group_wait<1>();
    }
    group_done(c);
    u32 all = 0;
    for (int i = 0; i < 128; i++)
        all ^= c[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

KERNEL __launch_bounds__(256, 1) rate_wgmma_bits(int turns, u32 *out) { rate_wgmma<true>(turns, out); }
KERNEL __launch_bounds__(256, 1) rate_wgmma_bytes(int turns, u32 *out) { rate_wgmma<false>(turns, out); }
#endif
