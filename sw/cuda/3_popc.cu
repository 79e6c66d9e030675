/* A dense layer by popcounts: tiles of 128 x 128, eight by eight outputs a thread, on prefixes
 * (see ../cpu/network.inc): two words take two XOR, one majority, one popcount and one addition. */
#include "device.cuh"

enum { SIDE = 128, EACH = 8, DEEP = 8 /* words at a time */, THREADS = 256 };

/* Four words of a row, two threads a row; zeros beyond. */
DEVICE uint4 four_words(const u32 *from, int row, int rows, int word, int words)
{
    return row < rows && word < words ? *(const uint4 *)(from + (size_t)row * words + word)
                                      : make_uint4(0, 0, 0, 0);
}

DEVICE void keep(u32 *tile, int row, int word, uint4 four)
{
    tile[word * SIDE + row] = four.x;
    tile[(word + 1) * SIDE + row] = four.y;
    tile[(word + 2) * SIDE + row] = four.z;
    tile[(word + 3) * SIDE + row] = four.w;
}

/* Bits (rows, cols), 8 to a byte, out of prefixes a (rows, words) and w (cols, words): 1 iff at
 * most most[col] bits differ. Words are a multiple of 4, cols of 128. */
KERNEL __launch_bounds__(THREADS)
    popc_bits(const u32 *a, const u32 *w, const int *most, u8 *out, int rows, int words, int cols)
{
    SHARED(u32, tile_a, DEEP * SIDE);
    SHARED(u32, tile_w, DEEP * SIDE);
    const int x = threadIdx.x % 16, y = threadIdx.x / 16;
    const int row = blockIdx.y * SIDE, col = blockIdx.x * SIDE;
    const int mine = threadIdx.x / 2, part = threadIdx.x % 2 * 4;
    u32 parity[EACH][EACH] = {};
    int carries[EACH][EACH] = {};
    uint4 next_a = four_words(a, row + mine, rows, part, words);
    uint4 next_w = four_words(w, col + mine, cols, part, words);
    for (int k = 0; k < words; k += DEEP) {
        keep(tile_a, mine, part, next_a);
        keep(tile_w, mine, part, next_w);
        __syncthreads();
        next_a = four_words(a, row + mine, rows, k + DEEP + part, words);
        next_w = four_words(w, col + mine, cols, k + DEEP + part, words);
        const int deep = words - k < DEEP ? words - k : DEEP;
        for (int i = 0; i < deep; i += 2) {
            u32 one[2][EACH], other[2][EACH];
#pragma unroll
            for (int j = 0; j < 2; j++)
#pragma unroll
                for (int n = 0; n < EACH; n++) {
                    one[j][n] = tile_a[(i + j) * SIDE + y * EACH + n];
                    other[j][n] = tile_w[(i + j) * SIDE + x * EACH + n];
                }
#pragma unroll
            for (int m = 0; m < EACH; m++)
#pragma unroll
                for (int n = 0; n < EACH; n++) {
                    const u32 middle = one[0][m] ^ other[0][n], last = one[1][m] ^ other[1][n];
                    carries[m][n] += popcount(
                        three_inputs<MAJORITY_OF_PARITIES>(parity[m][n], middle, last));
                    parity[m][n] = last;
                }
        }
        __syncthreads();
    }
#pragma unroll
    for (int m = 0; m < EACH; m++) {
        u32 bits = 0;
#pragma unroll
        for (int n = 0; n < EACH; n++) {
            const int differ = 2 * carries[m][n] + popcount(parity[m][n]);
            bits |= (u32)(differ <= most[col + x * EACH + n]) << n;
        }
        const int to = row + y * EACH + m;
        if (to < rows)
            out[((size_t)to * cols + col) / 8 + x] = (u8)bits;
    }
}

/* Words (rows, words) to the XOR of all up to each. A thread a row. */
KERNEL prefixes(u32 *a, int rows, int words)
{
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    u32 parity = 0;
    if (row < rows)
        for (int k = 0; k < words; k++)
            a[(size_t)row * words + k] = parity ^= a[(size_t)row * words + k];
}
