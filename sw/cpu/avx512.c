/* 16 lanes at a time: AVX-512 with VPOPCNTDQ and VNNI (Ice Lake, Zen 4 and later). */
#include "bnn.h"

#include <immintrin.h>
#include <string.h>

#define WANTED "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx512vnni"
#include "target.h"

typedef __m512i V;
#define V_store(to, v) _mm512_storeu_si512(to, v)

static inline uint16_t at_most(V d, const int32_t *limit)
{
    return _mm512_cmple_epi32_mask(d, _mm512_loadu_si512(limit));
}

static inline uint16_t at_least(V d, const int32_t *limit)
{
    return _mm512_cmpge_epi32_mask(d, _mm512_loadu_si512(limit));
}

/* Rows as variables of their own: GCC 12 keeps arrays of vectors in memory. */
#define EACH_1(DO) DO(0)
#define EACH_2(DO) EACH_1(DO) DO(1)
#define EACH_4(DO) EACH_2(DO) DO(2) DO(3)
#define EACH_8(DO) EACH_4(DO) DO(4) DO(5) DO(6) DO(7)

/* Two words: y = w2 ^ a2 is the parity that t was, and t is spent on the carry, the majority of t,
 * t ^ x and x ^ y (0x74). One piece, for GCC 12 hoists the XORs of all rows and spills. */
#define TWO_WORDS(t, y, sum, a1, a2)                                                               \
    __asm__ volatile("vpxord %[a_1]%{1to16%}, %[w_1], %[x]\n\t"                                    \
                     "vpxord %[a_2]%{1to16%}, %[w_2], %[y_]\n\t"                                   \
                     "vpternlogd $0x74, %[y_], %[x], %[t_]\n\t"                                    \
                     "vpopcntd %[t_], %[t_]\n\t"                                                   \
                     "vpaddd %[t_], %[sum_], %[sum_]"                                              \
                     : [x] "=&v"(x), [y_] "=&v"(y), [t_] "+v"(t), [sum_] "+v"(sum)                 \
                     : [w_1] "v"(w1), [w_2] "v"(w2), [a_1] "m"(a1), [a_2] "m"(a2));

#define ZERO(i) V sum##i = _mm512_setzero_si512(), t##i = sum##i, y##i;
#define FIRST(i) TWO_WORDS(t##i, y##i, sum##i, a[i], a[rows + i])
#define SECOND(i) TWO_WORDS(y##i, t##i, sum##i, a[2 * rows + i], a[3 * rows + i])
#define KEEP(i) t##i = y##i;
#define TOTAL(i) d[i] = _mm512_add_epi32(_mm512_slli_epi32(sum##i, 1), _mm512_popcnt_epi32(t##i));
#define LOAD(at) w1 = _mm512_loadu_si512(w + (at) * BNN_LANES), \
    w2 = _mm512_loadu_si512(w + ((at) + 1) * BNN_LANES);

#define ZERO_SUM(i) V sum##i = _mm512_setzero_si512();
#define FOUR_BYTES(i) sum##i = _mm512_dpbusd_epi32(sum##i, _mm512_set1_epi32((int)a[i]), w1);
#define GIVE(i) d[i] = sum##i;

#define TILES(ROWS)                                                                                \
    static inline void bits_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)          \
    {                                                                                              \
        enum { rows = ROWS };                                                                      \
        V x, w1, w2;                                                                               \
        EACH_##ROWS(ZERO)                                                                          \
        for (; words >= 4; words -= 4, a += 4 * rows, w += 4 * BNN_LANES) {                        \
            LOAD(0)                                                                                \
            EACH_##ROWS(FIRST)                                                                     \
            LOAD(2)                                                                                \
            EACH_##ROWS(SECOND)                                                                    \
        }                                                                                          \
        if (words) {                                                                               \
            LOAD(0)                                                                                \
            EACH_##ROWS(FIRST)                                                                     \
            EACH_##ROWS(KEEP)                                                                      \
        }                                                                                          \
        EACH_##ROWS(TOTAL)                                                                         \
    }                                                                                              \
    static inline void bytes_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)         \
    {                                                                                              \
        EACH_##ROWS(ZERO_SUM)                                                                      \
        for (; words; words--, a += ROWS, w += BNN_LANES) {                                        \
            const V w1 = _mm512_loadu_si512(w);                                                    \
            EACH_##ROWS(FOUR_BYTES)                                                                \
        }                                                                                          \
        EACH_##ROWS(GIVE)                                                                          \
    }

/* A word's 64 weights, bits, to bytes -1 and +1. */
static inline void expand(const uint32_t *bits, int words, uint32_t *bytes)
{
    const V minus = _mm512_set1_epi8(-1), plus = _mm512_set1_epi8(1);
    for (; words; words--, bits += 2, bytes += BNN_LANES) {
        uint64_t mask;
        memcpy(&mask, bits, 8);
        _mm512_storeu_si512(bytes, _mm512_mask_blend_epi8(mask, minus, plus));
    }
}

TILES(8)
TILES(4)
TILES(2)
TILES(1)

#include "network.inc"

int bnn_run_avx512(const bnn_layer *layers, int count, const uint8_t *x, size_t size, int packed,
                   size_t n, void *out)
{
    return run(layers, count, x, size, packed, n, out);
}

#include "target_end.h"
