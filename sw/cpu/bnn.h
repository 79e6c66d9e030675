/* The CPU kernels' interface: a network as layers of packed words, run on a batch. */
#ifndef BNN_H
#define BNN_H

#include <stddef.h>
#include <stdint.h>

enum { BNN_BITS, BNN_BYTES, BNN_POOL };  /* what a layer takes, and does */
enum { BNN_LANES = 16 };                 /* neurons that are counted side by side */

/* One layer. `bnnhw/sw/layout.py` makes them, and says how words, padding and prefixes lie.
 *
 * Maps are (h, w, unit bytes); a vector is a map of one position. Words have 32 bits.
 */
typedef struct {
    int32_t kind;
    int32_t h, w, unit;
    int32_t kh, kw, sy, sx, py, px, oh, ow;
    int32_t inputs;          /* K, for scores */
    int32_t words;           /* that a window has; even where they are bits */
    int32_t neurons;         /* M */
    int32_t groups;          /* of 16 neurons; even */
    const uint32_t *weights; /* [groups][words][16]; of bytes [groups][words][2], a bit a byte */
    const int32_t *limit;    /* [groups * 16]: most differences, or least sum, that fires */
    const uint32_t *mask;    /* of a pooling: 1 where it is an AND */
    const int32_t *scale;    /* [M] of the last layer; NULL elsewhere */
    const int32_t *bias;
} bnn_layer;

/* Runs n samples of `size` bytes each: a value a byte, or where the first layer takes bits and
 * `packed` is set those, laid out as that layer's. `out` gets scores, int32 [n][M], or where no
 * layer has scales the last layer's bits, [n][positions][groups / 2] words. 0, or -1 without
 * memory. */
typedef int bnn_run(const bnn_layer *layers, int count, const uint8_t *x, size_t size, int packed,
                    size_t n, void *out);

bnn_run bnn_run_portable;
#if defined(__x86_64__)
bnn_run bnn_run_avx2, bnn_run_avx512;
#endif

/* Whether this processor has what a kernel needs: "avx512", "avx2", "portable". */
int bnn_has(const char *isa);

#endif
