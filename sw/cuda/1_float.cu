/* The paper's baseline: a matrix product in float32 that tiles and does nothing else, one output a
 * thread. */
#include "device.cuh"

enum { SIDE = 16 };

/* c (rows, cols) = a (rows, depth) b (depth, cols). Blocks of 16 x 16. */
KERNEL float_product(const float *a, const float *b, float *c, int rows, int depth, int cols)
{
    SHARED(float, tile_a, SIDE * SIDE);
    SHARED(float, tile_b, SIDE * SIDE);
    const int x = threadIdx.x, y = threadIdx.y;
    const int row = blockIdx.y * SIDE + y, col = blockIdx.x * SIDE + x;
    float sum = 0;
    for (int k = 0; k < depth; k += SIDE) {
        tile_a[y * SIDE + x] = row < rows && k + x < depth ? a[(size_t)row * depth + k + x] : 0;
        tile_b[y * SIDE + x] = k + y < depth && col < cols ? b[(size_t)(k + y) * cols + col] : 0;
        __syncthreads();
        for (int i = 0; i < SIDE; i++)
            sum += tile_a[y * SIDE + i] * tile_b[i * SIDE + x];
        __syncthreads();
    }
    if (row < rows && col < cols)
        c[(size_t)row * cols + col] = sum;
}
