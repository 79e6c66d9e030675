/* A dense layer by wgmma (sm_90a): two groups of four warps, of 64 rows by 256 neurons each, whose
 * operands the multiplier reads from shared memory itself. One multiplication of a group is under
 * way while the next is handed in, so its stage is not yet free: copies run two stages ahead. */
#include "tiles.cuh"

/* Rows of 128 bytes that are swizzled, eight of them 1,024 bytes from the next eight. */
DEVICE u64 described(u32 address)
{
    return (address & 0x3ffff) >> 4 | (u64)1 << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

template <bool BITS> DEVICE void dense(const Layer &l)
{
    DYNAMIC_SHARED(memory);
    const u32 base = shared_address(memory);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    Stages ahead(l);
    Walk walk(l);
    for (int i = 0; i < STAGES - 2; i++, ahead.next()) {
        copy_stage(l, ahead, base + i * STAGE);
        copies_commit();
    }
    for (int turn = 0; walk.more(); walk.next_tile()) {
        int c[128], ones[2] = {};
        for (int step = 0; step < walk.steps; step++) {
            copies_wait<STAGES - 3>();
            copies_to_multiplier();
            group_wait<1>();
            __syncthreads();
            const u32 rows = base + turn * STAGE + warp / 4 * 64 * LINE;
            const u32 cols = base + turn * STAGE + TILE_ROWS * LINE;
            group_begin(c);
#pragma unroll
            for (int k = 0; k < LINE / 32; k++) {
                const u64 a = described(rows + 32 * k), b = described(cols + 32 * k);
                if (BITS)
                    group_multiply_bits(c, a, b, step || k);
                else
                    group_multiply_bytes(c, a, b, step || k);
            }
            group_commit();
            copy_stage(l, ahead, base + (turn + STAGES - 2) % STAGES * STAGE);
            copies_commit();
            ahead.next();
            turn = (turn + 1) % STAGES;
            if (BITS && step == 0) /* while the first multiplications are under way */
                for (int half = 0; half < 2; half++)
                    ones[half] = ones_of(l, walk.row + warp * 16 + 8 * half + lane / 4);
        }
        group_done(c);
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = walk.row + warp * 16 + 8 * half + lane / 4;
#pragma unroll
            for (int group = 0; group < 2; group++)
                give(l, row, walk.col / GROUP + group, ones[half], [&](int t, int i) {
                    return c[64 * group + 4 * t + 2 * half + i];
                });
        }
    }
}

KERNEL __launch_bounds__(THREADS, 1) wgmma_bits(const Layer l) { dense<true>(l); }
KERNEL __launch_bounds__(THREADS, 1) wgmma_bytes(const Layer l) { dense<false>(l); }
