/* What stands around the products: inputs packed, windows gathered, pooling, scores. Bits lie as
 * tiles.cuh says, a position's channels in groups of 128 with the number of ones beside. */
#include "device.cuh"

enum { GROUP = 128 };

/* Bytes 0 and 1 (positions, channels) to groups. A warp each. */
KERNEL pack_bits(const u8 *x, u8 *out, u8 *ones, int positions, int channels)
{
    const int groups = (channels + GROUP - 1) / GROUP, lane = threadIdx.x % 32;
    const size_t at = ((size_t)blockIdx.x * blockDim.x + threadIdx.x) / 32;
    if (at >= (size_t)positions * groups)
        return;
    const u8 *from = x + at / groups * channels;
    const int first = at % groups * GROUP;
    int set = 0;
    for (int q = 0; q < 4; q++) {
        const int channel = first + lane / 2 * 8 + 2 * q + lane % 2;
        const u32 word = of_lanes(channel < channels && from[channel]);
        set += popcount(word);
        if (lane == 0)
            ((u32 *)out)[4 * at + q] = word;
    }
    if (lane == 0)
        ones[at] = (u8)set;
}

/* A window over a map. */
struct Window {
    int h, w, kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w, rows, cols;

    /* The position that place (ky, kx) of an output's window sees, or -1 beyond the map. */
    __device__ int position(int output, int place) const
    {
        const int y = output / cols * stride_h + place / kernel_w - padding_h;
        const int x = output % cols * stride_w + place % kernel_w - padding_w;
        return y < 0 || y >= h || x < 0 || x >= w ? -1 : y * w + x;
    }
};

/* Maps of groups (n, h, w, groups) to rows (n * outputs, places * groups). A thread a group. */
KERNEL gather_bits(const u8 *x, const u8 *ones, u8 *out, u8 *out_ones, int n, int groups,
                   const Window window)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int places = window.kernel_h * window.kernel_w, outputs = window.rows * window.cols;
    if (at >= (size_t)n * outputs * places * groups)
        return;
    const size_t row = at / (places * groups);
    const int group = at % groups;
    const int position = window.position(row % outputs, at / groups % places);
    uint4 value = make_uint4(0, 0, 0, 0);
    u8 set = 0;
    if (position >= 0) {
        const size_t from = (row / outputs * window.h * window.w + position) * groups + group;
        value = ((const uint4 *)x)[from];
        set = ones[from];
    }
    ((uint4 *)out)[at] = value;
    out_ones[at] = set;
}

/* Maps of bytes (n, h, w, channels) to rows (n * outputs, pitch); zeros behind a row's end. A
 * thread a byte. */
KERNEL gather_bytes(const u8 *x, u8 *out, int n, int channels, int pitch, const Window window)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int outputs = window.rows * window.cols;
    if (at >= (size_t)n * outputs * pitch)
        return;
    const size_t row = at / pitch;
    const int byte = at % pitch, place = byte / channels;
    u8 value = 0;
    if (place < window.kernel_h * window.kernel_w) {
        const int position = window.position(row % outputs, place);
        if (position >= 0)
            value = x[(row / outputs * window.h * window.w + position) * channels + byte % channels];
    }
    out[at] = value;
}

/* OR over a window, or AND where the mask is 1; windows lie on the map. A thread a group. */
KERNEL pool_bits(const u8 *x, const u8 *mask, u8 *out, u8 *ones, int n, int groups,
                 const Window window)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int outputs = window.rows * window.cols;
    if (at >= (size_t)n * outputs * groups)
        return;
    const size_t row = at / groups, map = row / outputs * window.h * window.w;
    const int group = at % groups;
    uint4 any = make_uint4(0, 0, 0, 0), all = make_uint4(~0u, ~0u, ~0u, ~0u);
    for (int place = 0; place < window.kernel_h * window.kernel_w; place++) {
        const size_t from = map + window.position(row % outputs, place);
        const uint4 value = ((const uint4 *)x)[from * groups + group];
        any.x |= value.x, any.y |= value.y, any.z |= value.z, any.w |= value.w;
        all.x &= value.x, all.y &= value.y, all.z &= value.z, all.w &= value.w;
    }
    const uint4 chosen = ((const uint4 *)mask)[group];
    any.x = (any.x & ~chosen.x) | (all.x & chosen.x);
    any.y = (any.y & ~chosen.y) | (all.y & chosen.y);
    any.z = (any.z & ~chosen.z) | (all.z & chosen.z);
    any.w = (any.w & ~chosen.w) | (all.w & chosen.w);
    ((uint4 *)out)[at] = any;
    ones[at] = (u8)(popcount(any.x) + popcount(any.y) + popcount(any.z) + popcount(any.w));
}

/* Scores (rows, neurons) = scale s + bias, s = inputs - 2 popcount(x ^ w) of bits or the sum over
 * bytes; rows and weights (neurons) of so many words. A warp a row. */
template <bool BITS>
DEVICE void scores(const u32 *x, const u32 *w, const int *scale, const int *bias, int *out,
                   int rows, int words, int neurons, int inputs)
{
    const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows)
        return;
    const u32 *mine = x + (size_t)row * words;
    for (int neuron = 0; neuron < neurons; neuron++) {
        const u32 *other = w + (size_t)neuron * words;
        int sum = 0;
        for (int k = lane; k < words; k += 32)
            sum = BITS ? sum + popcount(mine[k] ^ other[k]) : dot_bytes(mine[k], other[k], sum);
        sum = sum_of_lanes(sum);
        if (lane == 0)
            out[(size_t)row * neurons + neuron] =
                scale[neuron] * (BITS ? inputs - 2 * sum : sum) + bias[neuron];
    }
}

KERNEL scores_bits(const u32 *x, const u32 *w, const int *scale, const int *bias, int *out,
                   int rows, int words, int neurons, int inputs)
{
    scores<true>(x, w, scale, bias, out, rows, words, neurons, inputs);
}

KERNEL scores_bytes(const u32 *x, const u32 *w, const int *scale, const int *bias, int *out,
                    int rows, int words, int neurons, int inputs)
{
    scores<false>(x, w, scale, bias, out, rows, words, neurons, inputs);
}
