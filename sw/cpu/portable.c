/* Lanes one after the other, for any processor; and which kernels this one can run. */
#include "bnn.h"

typedef struct {
    int32_t lane[BNN_LANES];
} V;

static inline void V_store(int32_t *to, V v)
{
    for (int j = 0; j < BNN_LANES; j++)
        to[j] = v.lane[j];
}

static inline uint16_t at_most(V d, const int32_t *limit)
{
    unsigned bits = 0;
    for (int j = 0; j < BNN_LANES; j++)
        bits |= (unsigned)(d.lane[j] <= limit[j]) << j;
    return (uint16_t)bits;
}

static inline uint16_t at_least(V d, const int32_t *limit)
{
    unsigned bits = 0;
    for (int j = 0; j < BNN_LANES; j++)
        bits |= (unsigned)(d.lane[j] >= limit[j]) << j;
    return (uint16_t)bits;
}

/* Bits of a word. Not the compiler's builtin: without the instruction that is a call. */
static inline int32_t count(uint32_t v)
{
    v -= v >> 1 & 0x55555555;
    v = (v & 0x33333333) + (v >> 2 & 0x33333333);
    v = (v + (v >> 4)) & 0x0f0f0f0f;
    return (int32_t)(v * 0x01010101u >> 24);
}

static inline void bits_rows(const uint32_t *a, int rows, const uint32_t *w, int words, V *d)
{
    for (int i = 0; i < rows; i++) {
        uint32_t t[BNN_LANES] = {0};
        int32_t sum[BNN_LANES] = {0};
        for (int k = 0; k < words; k += 2) {
            const uint32_t a1 = a[k * rows + i], a2 = a[(k + 1) * rows + i];
            for (int j = 0; j < BNN_LANES; j++) {
                const uint32_t t1 = a1 ^ w[k * BNN_LANES + j], t2 = a2 ^ w[(k + 1) * BNN_LANES + j];
                sum[j] += count((t[j] & ~t1) | (t1 & ~t2)); /* majority of t, t ^ t1, t1 ^ t2 */
                t[j] = t2;
            }
        }
        for (int j = 0; j < BNN_LANES; j++)
            d[i].lane[j] = 2 * sum[j] + count(t[j]);
    }
}

enum { STEPS = 128 }; /* of two bytes added, until 16 bits could overflow: 128 * 2 * 255 */

/* The four bytes of a word as two sums of 16 bits. */
static inline uint32_t pairs(uint32_t v)
{
    return (v & 0x00ff00ff) + (v >> 8 & 0x00ff00ff);
}

/* With weights of -1 and +1: all inputs, less those of weight -1 twice. */
static inline void bytes_rows(const uint32_t *a, int rows, const uint32_t *w, int words, V *d)
{
    for (int i = 0; i < rows; i++) {
        int32_t sum[BNN_LANES] = {0}, all = 0;
        for (int first = 0; first < words; first += STEPS) {
            uint32_t negative[BNN_LANES] = {0};
            const int end = words - first < STEPS ? words : first + STEPS;
            for (int k = first; k < end; k++) {
                const uint32_t given = a[k * rows + i], both = pairs(given);
                all += (int32_t)((both & 0xffff) + (both >> 16));
                for (int j = 0; j < BNN_LANES; j++) {
                    const uint32_t signs = w[k * BNN_LANES + j] >> 7 & 0x01010101;
                    negative[j] += pairs(given & ((signs << 8) - signs));
                }
            }
            for (int j = 0; j < BNN_LANES; j++)
                sum[j] += (int32_t)((negative[j] & 0xffff) + (negative[j] >> 16));
        }
        for (int j = 0; j < BNN_LANES; j++)
            d[i].lane[j] = all - 2 * sum[j];
    }
}

/* A word's 64 weights, bits, to bytes -1 and +1, four at a time. */
static inline void expand(const uint32_t *bits, int words, uint32_t *bytes)
{
    for (int i = 0; i < words * BNN_LANES; i++) {
        const uint32_t four = bits[i / 8] >> i % 8 * 4 & 15;
        const uint32_t set = four * 0x00204081 & 0x01010101; /* a bit to each byte */
        bytes[i] = ~(set * 0xfe);                            /* 0xff, or 0xff - 0xfe = 0x01 */
    }
}

#define TILES(ROWS)                                                                                \
    static inline void bits_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)          \
    {                                                                                              \
        bits_rows(a, ROWS, w, words, d);                                                           \
    }                                                                                              \
    static inline void bytes_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)         \
    {                                                                                              \
        bytes_rows(a, ROWS, w, words, d);                                                          \
    }

TILES(8)
TILES(4)
TILES(2)
TILES(1)

#include "network.inc"

int bnn_run_portable(const bnn_layer *layers, int count, const uint8_t *x, size_t size, int packed,
                     size_t n, void *out)
{
    return run(layers, count, x, size, packed, n, out);
}

int bnn_has(const char *isa)
{
    if (!strcmp(isa, "portable"))
        return 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!strcmp(isa, "avx2"))
        return !!__builtin_cpu_supports("avx2");
    if (!strcmp(isa, "avx512"))
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vnni");
#endif
    return 0;
}
