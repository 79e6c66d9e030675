/* The paper's XNOR kernel (Courbariaux et al. 2016, section 4): the baseline's tiles, with 32
 * multiplications a word. Its result is numbers. */
#include "device.cuh"

enum { SIDE = 16 };

/* c (rows, cols) = depth - 2 popcount(a ^ b), a (rows, words), b (words, cols). Blocks of 16 x 16.
 */
KERNEL xnor_product(const u32 *a, const u32 *b, float *c, int rows, int words, int cols, int depth)
{
    SHARED(u32, tile_a, SIDE * SIDE);
    SHARED(u32, tile_b, SIDE * SIDE);
    const int x = threadIdx.x, y = threadIdx.y;
    const int row = blockIdx.y * SIDE + y, col = blockIdx.x * SIDE + x;
    int differ = 0;
    for (int k = 0; k < words; k += SIDE) {
        tile_a[y * SIDE + x] = row < rows && k + x < words ? a[(size_t)row * words + k + x] : 0;
        tile_b[y * SIDE + x] = k + y < words && col < cols ? b[(size_t)(k + y) * cols + col] : 0;
        __syncthreads();
        for (int i = 0; i < SIDE; i++)
            differ += popcount(tile_a[y * SIDE + i] ^ tile_b[i * SIDE + x]);
        __syncthreads();
    }
    if (row < rows && col < cols)
        c[(size_t)row * cols + col] = (float)(depth - 2 * differ);
}

/* Words (rows, ceil(cols / 32)) of c (rows, cols): 1 where it is at least the column's limit. A
 * thread a word. */
KERNEL sign_words(const float *c, const float *limit, u32 *out, int rows, int cols)
{
    const int words = (cols + 31) / 32, word = blockIdx.x * blockDim.x + threadIdx.x;
    if (word >= rows * words)
        return;
    const int row = word / words, first = word % words * 32;
    u32 bits = 0;
    for (int i = 0; i < 32 && first + i < cols; i++)
        bits |= (u32)(c[(size_t)row * cols + first + i] >= limit[first + i]) << i;
    out[word] = bits;
}
