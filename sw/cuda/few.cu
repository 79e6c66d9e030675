/* A whole network of dense layers on few samples, in one launch: all blocks work on a layer, meet,
 * and go on. A block makes whole words, 32 neurons; its eight warps count four neurons each, the
 * lanes along a row. Bits lie as tiles.cuh says. */
#include "device.cuh"

enum { GROUP = 128, EACH = 4 /* neurons a warp */ };

struct Few {
    const uint4 *weights; /* [groups * 128][chunks] */
    const int *limit;     /* [groups * 128]: bits fire iff at most so many differ, bytes iff the
                             sum is at least this */
    const int *scale;     /* of the last layer, [neurons] */
    const int *bias;
    int bits, chunks, groups, neurons, inputs;
};

/* Sums of some neurons over one row's lanes: differences of bits, or products of bytes. */
template <int ROWS>
DEVICE void count(const Few &l, const uint4 *x, int rows, const int (&neuron)[EACH],
                  int (&sums)[EACH][ROWS])
{
    for (int chunk = threadIdx.x % 32; chunk < l.chunks; chunk += 32) {
        uint4 w[EACH];
#pragma unroll
        for (int j = 0; j < EACH; j++)
            w[j] = l.weights[(size_t)neuron[j] * l.chunks + chunk];
#pragma unroll
        for (int row = 0; row < ROWS; row++) {
            if (row >= rows)
                break;
            const uint4 a = fresh(x + (size_t)row * l.chunks + chunk);
#pragma unroll
            for (int j = 0; j < EACH; j++) {
                int &sum = sums[j][row];
                if (l.bits)
                    sum += popcount(a.x ^ w[j].x) + popcount(a.y ^ w[j].y) +
                           popcount(a.z ^ w[j].z) + popcount(a.w ^ w[j].w);
                else
                    sum = dot_bytes(a.x, w[j].x,
                                    dot_bytes(a.y, w[j].y,
                                              dot_bytes(a.z, w[j].z, dot_bytes(a.w, w[j].w, sum))));
            }
        }
    }
#pragma unroll
    for (int j = 0; j < EACH; j++)
#pragma unroll
        for (int row = 0; row < ROWS; row++)
            sums[j][row] = sum_of_lanes(sums[j][row]);
}

/* Scores of `rows` inputs, at most ROWS, [rows][chunks of the first layer]. `sides` hold a layer's
 * bits each; the last layer has scales. Blocks of 256, a power of two of them, all running. */
template <int ROWS>
DEVICE void whole(const Few *layers, int count_of_layers, const uint4 *x, uint4 *side, uint4 *other,
                  int *scores, int rows, u32 *arrived)
{
    SHARED(u8, fires, 32 * ROWS);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int i = 0; i < count_of_layers; i++) {
        const Few l = layers[i];
        const int words = l.scale ? (l.neurons + 31) / 32 : 4 * l.groups;
        for (int word = blockIdx.x; word < words; word += gridDim.x) {
            int neuron[EACH], sums[EACH][ROWS] = {};
            for (int j = 0; j < EACH; j++) {
                const int bit = EACH * warp + j;
                neuron[j] = l.scale ? 32 * word + bit
                                    : word / 4 * GROUP + bit / 2 * 8 + word % 4 * 2 + bit % 2;
            }
            count<ROWS>(l, x, rows, neuron, sums);
            if (lane == 0)
                for (int j = 0; j < EACH; j++) {
                    const int n = neuron[j];
#pragma unroll
                    for (int row = 0; row < ROWS; row++)
                        if (!l.scale)
                            fires[32 * row + EACH * warp + j] =
                                l.bits ? sums[j][row] <= l.limit[n] : sums[j][row] >= l.limit[n];
                        else if (row < rows && n < l.neurons)
                            scores[(size_t)row * l.neurons + n] =
                                l.scale[n] * (l.bits ? l.inputs - 2 * sums[j][row] : sums[j][row]) +
                                l.bias[n];
                }
            if (l.scale)
                continue;
            __syncthreads();
            if (warp < rows) { /* at most 8 */
                const u32 bits = of_lanes(fires[32 * warp + lane]);
                if (lane == 0)
                    ((u32 *)side)[(size_t)warp * 4 * l.groups + word] = bits;
            }
            __syncthreads();
        }
        if (i + 1 < count_of_layers)
            all_blocks(arrived);
        x = side;
        side = other;
        other = (uint4 *)x;
    }
}

KERNEL __launch_bounds__(256) few_1(const Few *layers, int count, const uint4 *x, uint4 *side,
                                    uint4 *other, int *scores, int rows, u32 *arrived)
{
    whole<1>(layers, count, x, side, other, scores, rows, arrived);
}

KERNEL __launch_bounds__(256) few_8(const Few *layers, int count, const uint4 *x, uint4 *side,
                                    uint4 *other, int *scores, int rows, u32 *arrived)
{
    whole<8>(layers, count, x, side, other, scores, rows, arrived);
}
