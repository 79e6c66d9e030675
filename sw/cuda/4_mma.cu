/* A dense layer by mma.sync (sm_80 and later; native to sm_90): eight warps of 32 rows by 128
 * neurons each. While a stage is multiplied, the next ones are on their way, over the end of a
 * tile too. */
#include "tiles.cuh"

template <bool BITS> DEVICE void dense(const Layer &l)
{
    DYNAMIC_SHARED(memory);
    const u32 base = shared_address(memory);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int first_row = warp % 4 * 32, first_col = warp / 4 * GROUP;
    Stages ahead(l);
    Walk walk(l);
    for (int i = 0; i < STAGES - 1; i++, ahead.next()) {
        copy_stage(l, ahead, base + i * STAGE);
        copies_commit();
    }
    for (int turn = 0; walk.more(); walk.next_tile()) {
        int c[2][16][4] = {};
        for (int step = 0; step < walk.steps; step++) {
            copies_wait<STAGES - 2>();
            __syncthreads();
            copy_stage(l, ahead, base + (turn + STAGES - 1) % STAGES * STAGE);
            copies_commit();
            ahead.next();
            const u32 rows = base + turn * STAGE, cols = rows + TILE_ROWS * LINE;
            turn = (turn + 1) % STAGES;
#pragma unroll
            for (int k = 0; k < LINE / 32; k++) {
                u32 a[2][4];
                for (int m = 0; m < 2; m++)
                    load_matrices(a[m], rows + swizzled(first_row + 16 * m + lane % 16,
                                                        2 * k + lane / 16));
#pragma unroll
                for (int n = 0; n < 8; n++) {
                    u32 b[4];
                    load_matrices(b, cols + swizzled(first_col + 16 * n + lane % 8 + lane / 16 * 8,
                                                     2 * k + lane / 8 % 2));
                    for (int m = 0; m < 2; m++)
                        for (int half = 0; half < 2; half++) {
                            int(&sums)[4] = c[m][2 * n + half];
                            if (BITS)
                                multiply_bits(sums, a[m], b[2 * half], b[2 * half + 1]);
                            else
                                multiply_bytes(sums, a[m], b[2 * half], b[2 * half + 1]);
                        }
                }
            }
        }
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int row = walk.row + first_row + 16 * m + 8 * half + lane / 4;
                give(l, row, (walk.col + first_col) / GROUP, BITS ? ones_of(l, row) : 0,
                           [&](int t, int i) { return c[m][t][2 * half + i]; });
            }
    }
}

KERNEL __launch_bounds__(THREADS, 1) mma_bits(const Layer l) { dense<true>(l); }
KERNEL __launch_bounds__(THREADS, 1) mma_bytes(const Layer l) { dense<false>(l); }
