/* One dense layer as tiles of 128 rows by 256 neurons, for the kernels on tensor cores.
 *
 * Bits are multiplied by AND: with c = popcount(a & w) and ones = popcount(a) the differences are
 * popcount(a ^ w) = ones + popcount(w) - 2 c, so a neuron fires iff 2 c - ones >= t, where
 * t = popcount(w) - (most differences): that is c - ones / 2 > limit, rounded down, with a limit for
 * even and one for odd `ones`. `../layout.py` makes them. Bytes fire iff their sum is above it.
 *
 * A thread of a warp that has multiplied holds of a row neurons 8 t + 2 q + i, with q = lane % 4,
 * t in 0 to 15 and i in 0, 1 of every 128: 32 of them, which it packs as word q, bit 2 t + i, with
 * nothing from any other thread. That is the order of bits in every activation and weight.
 */
#pragma once
#include "device.cuh"

enum {
    TILE_ROWS = 128,
    TILE_COLS = 256,
    LINE = 128, /* bytes of a row that a stage holds */
    STAGE = (TILE_ROWS + TILE_COLS) * LINE,
    THREADS = 256,
    GROUP = 128, /* neurons */
};

/* A layer on a batch. Rows have `chunks` times 16 bytes; neurons come in groups of 128. */
struct Layer {
    const u8 *in;       /* [rows][chunks][16] */
    const u8 *ones;     /* of bits: set ones of each 16 bytes, [rows][chunks] */
    const u8 *weights;  /* [groups * 128][chunks][16] */
    const int *limit;   /* for even and odd ones, [2][groups * 128] */
    u8 *out;            /* [rows][groups][16] */
    u8 *out_ones;       /* [rows][groups] */
    int rows, chunks, groups;
};

/* A block's tiles, one after the other. */
struct Walk {
    int tile, tiles, steps, across, row, col;

    __device__ Walk(const Layer &l)
        : tile(blockIdx.x), steps((l.chunks + 7) / 8), across((l.groups + 1) / 2)
    {
        tiles = across * ((l.rows + TILE_ROWS - 1) / TILE_ROWS);
        place();
    }
    __device__ void place()
    {
        row = tile / across * TILE_ROWS;
        col = tile % across * TILE_COLS;
    }
    __device__ bool more() const { return tile < tiles; }
    __device__ void next_tile()
    {
        tile += gridDim.x;
        place();
    }
};

/* The same by stages: 128 bytes of a tile's rows and neurons at a time. */
struct Stages : Walk {
    int step;

    __device__ Stages(const Layer &l) : Walk(l), step(0) {}
    __device__ void next()
    {
        if (++step == steps) {
            step = 0;
            next_tile();
        }
    }
};

/* Where 16 bytes of a row are in a stage: eight rows of the same chunk lie in different banks. */
DEVICE int swizzled(int row, int chunk) { return row * LINE + (chunk ^ (row % 8)) * 16; }

/* A thread's part of a stage's rows or neurons: 16 bytes of every 32nd one. */
template <int COUNT>
DEVICE void copy_rows(const u8 *from, int chunks, int row, int at, int rows, u32 to)
{
    const size_t line = (size_t)chunks * 16;
    from += row * line + at * 16;
#pragma unroll
    for (int i = 0; i < COUNT / 32; i++, from += 32 * line)
        copy16(to + 32 * LINE * i, from, row + 32 * i < rows); /* of no bytes none is read */
}

/* Begins to copy a stage: rows, then neurons. What is beyond the end of either is zeros. */
DEVICE void copy_stage(const Layer &l, const Stages &walk, u32 stage)
{
    if (!walk.more())
        return;
    const int first = threadIdx.x / 8, chunk = threadIdx.x % 8, at = 8 * walk.step + chunk;
    const bool there = at < l.chunks;
    const u32 to = stage + swizzled(first, chunk); /* which is the same for every 32nd row */
    copy_rows<TILE_ROWS>(l.in, l.chunks, walk.row + first, at, there ? l.rows : 0, to);
    copy_rows<TILE_COLS>(l.weights, l.chunks, walk.col + first, at, there ? l.groups * GROUP : 0,
                         to + TILE_ROWS * LINE);
}

/* Over four neighbouring lanes. */
DEVICE int sum_of_four(int value)
{
    value += from_lane(value, 1);
    return value + from_lane(value, 2);
}

/* Set bits of a row, counted when it was written. */
DEVICE int ones_of(const Layer &l, int row)
{
    int sum = 0;
    if (row < l.rows) {
        const u8 *ones = l.ones + (size_t)row * l.chunks;
        if (l.chunks % 16 == 0)
            for (int i = threadIdx.x % 4 * 4; i < l.chunks; i += 16)
                sum = dot_bytes(*(const u32 *)(ones + i), 0x01010101, sum);
        else
            for (int i = threadIdx.x % 4; i < l.chunks; i += 4)
                sum += ones[i];
    }
    return sum_of_four(sum);
}

/* Packs what a thread has of a row and a group: c(t, i) is the sum of neuron 8 t + 2 q + i. */
template <class Sums> DEVICE void give(const Layer &l, int row, int group, int ones, Sums c)
{
    if (group >= l.groups) /* the same for all of a warp */
        return;
    const int q = threadIdx.x % 4;
    const int2 *limit = (const int2 *)(l.limit + (ones % 2 * l.groups + group) * GROUP) + q;
    const int half = ones / 2;
    u32 word = 0;
#pragma unroll
    for (int t = GROUP / 8 - 1; t >= 0; t--) {
        const int2 two = limit[4 * t];
        /* Negative iff it fires; the highest bit goes in first. */
        word = shift_in(two.y + half - c(t, 1), word);
        word = shift_in(two.x + half - c(t, 0), word);
    }
    const int set = sum_of_four(popcount(word));
    if (row < l.rows) {
        const size_t at = (size_t)row * l.groups + group;
        ((u32 *)l.out)[4 * at + q] = word;
        if (q == 0)
            l.out_ones[at] = (u8)set;
    }
}
