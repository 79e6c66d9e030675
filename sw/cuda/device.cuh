/* What the kernels need beyond C++: one function for each instruction of PTX.
 *
 * The tests put another file of this name in its place, in which these are plain C++, so that the
 * kernels' indices run on a CPU.
 */
#ifndef BNNHW_DEVICE_CUH
#define BNNHW_DEVICE_CUH

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define SHARED(type, name, count) __shared__ type name[count]
#define DYNAMIC_SHARED(name) extern __shared__ __align__(1024) u8 name[]
#define MAJORITY_OF_PARITIES 0x74 /* of t, t', t'': at least two of t, t ^ t', t' ^ t'' */

DEVICE u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

/* 16 bytes from global to shared memory, or 16 zeros, some time before `copies_wait`. */
DEVICE void copy16(u32 to, const void *from, bool valid)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
                 "r"(valid ? 16 : 0)
                 : "memory");
}

DEVICE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Until all but the last N committed groups of this thread's copies are there. */
template <int N> DEVICE void copies_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

/* Four 8x8 matrices of 16 bits: lane l gives row l % 8 of matrix l / 8, and gets of each matrix
 * 32 bits: row l / 4, bits 32 (l % 4) ... */
DEVICE void load_matrices(u32 (&r)[4], u32 row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row)
                 : "memory");
}

/* c += popcount(a & b): 16 rows, 8 columns, 256 bits. */
DEVICE void multiply_bits(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* c += a b, a of unsigned bytes and b of signed ones: 16 rows, 8 columns, 32 bytes. */
DEVICE void multiply_bytes(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* One three-input operation on 32 bits each; `table` has the result for 0b000 in bit 0. */
template <int table> DEVICE u32 three_inputs(u32 a, u32 b, u32 c)
{
    u32 d;
    asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(table));
    return d;
}

/* The upper word of (high, low) << 1: high shifted, the top bit of `low` behind it. */
DEVICE u32 shift_in(u32 low, u32 high) { return __funnelshift_l(low, high, 1); }

DEVICE u32 from_lane(u32 value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
DEVICE u32 of_lanes(bool fires) { return __ballot_sync(0xffffffffu, fires); }
DEVICE int sum_of_lanes(int value) { return __reduce_add_sync(0xffffffffu, value); }
DEVICE int popcount(u32 x) { return __popc(x); }

/* What another block may have written since. */
DEVICE uint4 fresh(const uint4 *p) { return __ldcg(p); }

/* Until all blocks are here, of which there are a power of two, all running. `arrived` counts on
 * from launch to launch. */
DEVICE void all_blocks(u32 *arrived)
{
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const u32 wanted = (atomicAdd(arrived, 1) & ~(gridDim.x - 1)) + gridDim.x;
        while ((int)(*(volatile u32 *)arrived - wanted) < 0)
            ;
        __threadfence();
    }
    __syncthreads();
}

/* Sum of four products of an unsigned and a signed byte, and c. */
DEVICE int dot_bytes(u32 a, u32 b, int c)
{
    int d;
    asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
    return d;
}

#if __CUDA_ARCH__ == 900 && defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define EIGHT(d, i) "+r"(d[i]), "+r"(d[i + 1]), "+r"(d[i + 2]), "+r"(d[i + 3]), \
                    "+r"(d[i + 4]), "+r"(d[i + 5]), "+r"(d[i + 6]), "+r"(d[i + 7])
#define ALL_128(d) EIGHT(d, 0), EIGHT(d, 8), EIGHT(d, 16), EIGHT(d, 24), EIGHT(d, 32), \
                   EIGHT(d, 40), EIGHT(d, 48), EIGHT(d, 56), EIGHT(d, 64), EIGHT(d, 72), \
                   EIGHT(d, 80), EIGHT(d, 88), EIGHT(d, 96), EIGHT(d, 104), EIGHT(d, 112), \
                   EIGHT(d, 120)
#define NAMES_128 \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
    "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, " \
    "%111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, " \
    "%125, %126, %127}"

/* d = a b, or d += it where `add`: 64 rows, 256 columns; a and b as descriptors of shared memory.
 * Four warps together; done at `group_wait`. */
#define GROUP_MULTIPLY(name, instruction) \
    DEVICE void name(int (&d)[128], u64 a, u64 b, int add) \
    { \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n" \
                     "wgmma.mma_async.sync.aligned." instruction " " NAMES_128 \
                     ", %128, %129, p;\n}\n" \
                     : ALL_128(d) \
                     : "l"(a), "l"(b), "r"(add)); \
    }

/* popcount(a & b) of 256 bits; 32 unsigned by signed bytes. */
GROUP_MULTIPLY(group_multiply_bits, "m64n256k256.s32.b1.b1.and.popc")
GROUP_MULTIPLY(group_multiply_bytes, "m64n256k32.s32.u8.s8")

/* Before the first multiplication: registers and shared memory as they are now. */
DEVICE void group_begin(int (&d)[128])
{
    asm volatile("" : ALL_128(d)::"memory");
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

DEVICE void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/* Until all but the last N committed groups are done. */
template <int N> DEVICE void group_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory"); }

/* Until all are, for which `d` may be read. */
DEVICE void group_done(int (&d)[128])
{
    group_wait<0>();
    asm volatile("" : ALL_128(d)::"memory");
}

/* What this thread's copies wrote is seen by multiplications after the next barrier. */
DEVICE void copies_to_multiplier() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
#endif
#endif
