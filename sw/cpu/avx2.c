/* 8 lanes at a time, twice: AVX2, whose popcount is two looks into a table of 16. */
#include "bnn.h"

#include <immintrin.h>

#define WANTED "avx2"
#include "target.h"

typedef struct {
    __m256i half[2];
} V;

#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))

static inline void V_store(int32_t *to, V v)
{
    _mm256_storeu_si256((__m256i *)to, v.half[0]);
    _mm256_storeu_si256((__m256i *)(to + 8), v.half[1]);
}

static inline unsigned above(__m256i a, __m256i b)
{
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b)));
}

static inline uint16_t at_most(V d, const int32_t *limit)
{
    const unsigned more = above(d.half[0], LOAD(limit)) | above(d.half[1], LOAD(limit + 8)) << 8;
    return (uint16_t)~more;
}

static inline uint16_t at_least(V d, const int32_t *limit)
{
    const unsigned less = above(LOAD(limit), d.half[0]) | above(LOAD(limit + 8), d.half[1]) << 8;
    return (uint16_t)~less;
}

/* Bits of each byte, 0 to 8. */
static inline __m256i byte_counts(__m256i v)
{
    const __m256i four = _mm256_set1_epi8(15);
    const __m256i table = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, four));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), four);
    return _mm256_add_epi8(low, _mm256_shuffle_epi8(table, high));
}

/* The four bytes of each lane, added. */
static inline __m256i widened(__m256i bytes)
{
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

enum { PAIRS = 31 }; /* of words, until a byte could overflow */

/* `rows` rows, `step` words from one row's word to its next, on 8 neurons. */
static inline __attribute__((always_inline)) void half_bits(const uint32_t *a, int step,
                                                            const uint32_t *w, int words, int rows,
                                                            int half, V *d)
{
    __m256i sum[4], t[4];
    for (int i = 0; i < rows; i++)
        sum[i] = t[i] = _mm256_setzero_si256();
    while (words) {
        __m256i bytes[4];
        const int now = words < 2 * PAIRS ? words : 2 * PAIRS;
        for (int i = 0; i < rows; i++)
            bytes[i] = _mm256_setzero_si256();
#pragma GCC unroll 2 /* or parities move from register to register */
        for (int k = 0; k < now; k += 2, a += 2 * step, w += 2 * BNN_LANES) {
            const __m256i w1 = LOAD(w), w2 = LOAD(w + BNN_LANES);
            for (int i = 0; i < rows; i++) {
                const __m256i t1 = _mm256_xor_si256(w1, _mm256_set1_epi32((int)a[i]));
                const __m256i t2 = _mm256_xor_si256(w2, _mm256_set1_epi32((int)a[step + i]));
                /* Majority of t, t ^ t1 and t1 ^ t2. */
                const __m256i carry =
                    _mm256_or_si256(_mm256_andnot_si256(t1, t[i]), _mm256_andnot_si256(t2, t1));
                bytes[i] = _mm256_add_epi8(bytes[i], byte_counts(carry));
                t[i] = t2;
            }
        }
        for (int i = 0; i < rows; i++)
            sum[i] = _mm256_add_epi32(sum[i], widened(bytes[i]));
        words -= now;
    }
    for (int i = 0; i < rows; i++)
        d[i].half[half] =
            _mm256_add_epi32(_mm256_slli_epi32(sum[i], 1), widened(byte_counts(t[i])));
}

enum { STEPS = 64 }; /* of four products, until 16 bits could overflow: 64 * 2 * 255 */

static inline __attribute__((always_inline)) void half_bytes(const uint32_t *a, int step,
                                                             const uint32_t *w, int words, int rows,
                                                             int half, V *d)
{
    __m256i sum[4];
    for (int i = 0; i < rows; i++)
        sum[i] = _mm256_setzero_si256();
    while (words) {
        __m256i pairs[4];
        const int now = words < STEPS ? words : STEPS;
        for (int i = 0; i < rows; i++)
            pairs[i] = _mm256_setzero_si256();
        for (int k = 0; k < now; k++, a += step, w += BNN_LANES) {
            const __m256i w1 = LOAD(w);
            for (int i = 0; i < rows; i++)
                pairs[i] = _mm256_add_epi16(
                    pairs[i], _mm256_maddubs_epi16(_mm256_set1_epi32((int)a[i]), w1));
        }
        for (int i = 0; i < rows; i++)
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs[i], _mm256_set1_epi16(1)));
        words -= now;
    }
    for (int i = 0; i < rows; i++)
        d[i].half[half] = sum[i];
}

/* A word's 64 weights, bits, to bytes -1 and +1, half of them at a time. */
static inline void expand(const uint32_t *bits, int words, uint32_t *bytes)
{
    const __m256i bit = _mm256_set1_epi64x((long long)UINT64_C(0x8040201008040201));
    const __m256i spread =
        _mm256_setr_epi64x(0, INT64_C(0x0101010101010101), INT64_C(0x0202020202020202),
                           INT64_C(0x0303030303030303));
    for (int i = 0; i < 2 * words; i++, bytes += BNN_LANES / 2) {
        const __m256i eight = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits[i]), spread);
        const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(eight, bit), bit);
        const __m256i signs =
            _mm256_sub_epi8(_mm256_and_si256(set, _mm256_set1_epi8(2)), _mm256_set1_epi8(1));
        _mm256_storeu_si256((__m256i *)bytes, signs);
    }
}

/* 16 registers hold the sums of 4 rows and 8 neurons. */
#define TILES(ROWS)                                                                                \
    static inline void bits_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)          \
    {                                                                                              \
        for (int i = 0; i < ROWS; i += 4)                                                          \
            for (int half = 0; half < 2; half++)                                                   \
                half_bits(a + i, ROWS, w + 8 * half, words, ROWS < 4 ? ROWS : 4, half, d + i);     \
    }                                                                                              \
    static inline void bytes_##ROWS(const uint32_t *a, const uint32_t *w, int words, V *d)         \
    {                                                                                              \
        for (int i = 0; i < ROWS; i += 4)                                                          \
            for (int half = 0; half < 2; half++)                                                   \
                half_bytes(a + i, ROWS, w + 8 * half, words, ROWS < 4 ? ROWS : 4, half, d + i);    \
    }

TILES(8)
TILES(4)
TILES(2)
TILES(1)

#include "network.inc"

int bnn_run_avx2(const bnn_layer *layers, int count, const uint8_t *x, size_t size, int packed,
                 size_t n, void *out)
{
    return run(layers, count, x, size, packed, n, out);
}

#include "target_end.h"
