/* sw/cuda/device.cuh in plain C++: the kernels' own source runs on a CPU, threads taking turns.
 *
 * What the machine may do early or late is done at either end: copies and multiplications, each,
 * happen when they are started or when they are waited for. A stage that is read too soon shows in
 * one, a stage that is written over too soon in the other. Memory starts as garbage.
 */
#pragma once
#define BNNHW_DEVICE_CUH

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <ucontext.h>
#include <utility>
#include <vector>

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
struct alignas(8) int2 { int x, y; };
struct alignas(16) uint4 { u32 x, y, z, w; };
static inline uint4 make_uint4(u32 x, u32 y, u32 z, u32 w) { return {x, y, z, w}; }
struct dim3 { u32 x, y, z; };

namespace emulate {

static bool copies_early, multiplications_early, backwards;

[[noreturn]] static void fail(const char *what)
{
    fprintf(stderr, "emulation: %s\n", what);
    abort();
}

struct Barrier {
    int size, arrived = 0, passed = 0;
};

struct Warp {
    Barrier barrier{32};
    u32 values[32][6];
};

struct Block {
    dim3 index;
    Barrier barrier;
    std::vector<Warp> warps;
    std::map<int, std::vector<u8>> arrays;
    u8 *memory;
    size_t size;
};

using Work = std::vector<std::function<void()>>;

struct Thread {
    dim3 index;
    int number;
    Block *block;
    ucontext_t start;
    jmp_buf at;
    bool begun = false, done = false;
    std::vector<u8> stack;
    Work copying, multiplying;
    std::deque<Work> copies, multiplications;
};

static dim3 grid, block;
static Thread *self;
static jmp_buf scheduler;
static std::function<void()> body;
static long progress;

static void pass_turn()
{
    if (!_setjmp(self->at))
        _longjmp(scheduler, 1);
}

static void meet(Barrier &barrier)
{
    const int mine = barrier.passed;
    if (++barrier.arrived == barrier.size) {
        barrier.arrived = 0;
        barrier.passed++;
        progress++;
        return;
    }
    while (barrier.passed == mine)
        pass_turn();
}

static void begin()
{
    body();
    self->done = true;
    progress++;
    _longjmp(scheduler, 1);
}

/* Some blocks at once: one after the other, or all of a cooperative launch. */
static void run(std::vector<Block> &blocks)
{
    std::vector<std::unique_ptr<Thread>> threads;
    for (Block &one : blocks)
        for (u32 n = 0; n < block.x * block.y; n++) {
            threads.emplace_back(new Thread);
            Thread &t = *threads.back();
            t.index = {n % block.x, n / block.x, 0};
            t.number = (int)n;
            t.block = &one;
            t.stack.resize(1 << 16);
            getcontext(&t.start);
            t.start.uc_stack.ss_sp = t.stack.data();
            t.start.uc_stack.ss_size = t.stack.size();
            makecontext(&t.start, begin, 0);
        }
    if (backwards)
        for (size_t i = 0; i < threads.size() / 2; i++)
            std::swap(threads[i], threads[threads.size() - 1 - i]);
    for (size_t left = threads.size(); left;) {
        const long before = progress;
        for (auto &t : threads) {
            if (t->done)
                continue;
            self = t.get();
            if (!_setjmp(scheduler)) {
                if (self->begun)
                    _longjmp(self->at, 1);
                self->begun = true;
                setcontext(&self->start);
            }
            if (self->done)
                left--;
        }
        if (progress == before)
            fail("all threads wait");
    }
}

static void launch(dim3 blocks, dim3 threads, size_t shared, bool together)
{
    grid = blocks;
    block = threads;
    std::vector<Block> some;
    std::vector<std::vector<u8>> memories;
    memories.reserve((size_t)blocks.x * blocks.y);
    for (u32 n = 0; n < blocks.x * blocks.y; n++) {
        Block one;
        one.index = {n % blocks.x, n / blocks.x, 0};
        one.barrier.size = (int)(threads.x * threads.y);
        one.warps.resize((one.barrier.size + 31) / 32);
        memories.emplace_back(shared + 1024, 0xa5);
        u8 *at = memories.back().data();
        one.memory = at + (1024 - (uintptr_t)at % 1024) % 1024;
        one.size = shared;
        some.push_back(std::move(one));
        if (!together || n + 1 == blocks.x * blocks.y) {
            run(some);
            some.clear();
            memories.clear();
        }
    }
}

template <class... A, size_t... I>
static void called(void (*kernel)(A...), void **args, std::index_sequence<I...>)
{
    body = [=] { kernel(*(std::remove_const_t<A> *)args[I]...); };
}

template <class... A> static void bind(void (*kernel)(A...), void **args)
{
    called(kernel, args, std::index_sequence_for<A...>{});
}

static Warp &warp() { return self->block->warps[self->number / 32]; }
static int lane() { return self->number % 32; }

static void *array(int line, size_t bytes)
{
    std::vector<u8> &found = self->block->arrays[line];
    if (found.empty())
        found.assign(bytes, 0xa5);
    return found.data();
}

static u8 *shared(u32 address, size_t bytes)
{
    if (address % bytes || address + bytes > self->block->size)
        fail("beyond shared memory");
    return self->block->memory + address;
}

static void start(bool early, Work &work, std::function<void()> what)
{
    if (early)
        what();
    else
        work.push_back(std::move(what));
}

static void commit(Work &work, std::deque<Work> &groups)
{
    groups.push_back(std::move(work));
    work.clear();
}

static void wait(std::deque<Work> &groups, size_t left)
{
    for (; groups.size() > left; groups.pop_front())
        for (auto &what : groups.front())
            what();
}

} // namespace emulate

/* Every kernel of a file gets one of these, by which it is called with the addresses of its
 * arguments. */
#define LAUNCH(kernel)                                                                             \
    extern "C" void launch_##kernel(void **args, const u32 *sizes, int together, int early,        \
                                    int backwards)                                                 \
    {                                                                                              \
        emulate::copies_early = early & 1;                                                         \
        emulate::multiplications_early = early & 2;                                                \
        emulate::backwards = backwards;                                                            \
        emulate::bind(kernel, args);                                                               \
        emulate::launch({sizes[0], sizes[1], 1}, {sizes[2], sizes[3], 1}, sizes[4], together);     \
    }

#define __launch_bounds__(...)
#define __device__
#define threadIdx (emulate::self->index)
#define blockIdx (emulate::self->block->index)
#define blockDim (emulate::block)
#define gridDim (emulate::grid)
#define KERNEL extern "C" void
#define DEVICE static inline
#define SHARED(type, name, count) type *const name = (type *)emulate::array(__LINE__, sizeof(type) * (count))
#define DYNAMIC_SHARED(name) u8 *const name = emulate::self->block->memory
#define MAJORITY_OF_PARITIES 0x74

static void __syncthreads() { emulate::meet(emulate::self->block->barrier); }

DEVICE u32 shared_address(const void *p) { return (u32)((const u8 *)p - emulate::self->block->memory); }

DEVICE void copy16(u32 to, const void *from, bool valid)
{
    u8 *const there = emulate::shared(to, 16);
    emulate::start(emulate::copies_early, emulate::self->copying, [=] {
        if (valid)
            memcpy(there, from, 16);
        else
            memset(there, 0, 16);
    });
}

DEVICE void copies_commit() { emulate::commit(emulate::self->copying, emulate::self->copies); }
template <int N> DEVICE void copies_wait() { emulate::wait(emulate::self->copies, N); }
DEVICE void copies_to_multiplier() {}

DEVICE void load_matrices(u32 (&r)[4], u32 row)
{
    emulate::Warp &warp = emulate::warp();
    const int lane = emulate::lane();
    warp.values[lane][0] = row;
    emulate::meet(warp.barrier);
    for (int i = 0; i < 4; i++)
        memcpy(&r[i], emulate::shared(warp.values[8 * i + lane / 4][0], 16) + 4 * (lane % 4), 4);
    emulate::meet(warp.barrier);
}

DEVICE int popcount(u32 x) { return __builtin_popcount(x); }

DEVICE int dot_bytes(u32 a, u32 b, int c)
{
    for (int i = 0; i < 32; i += 8)
        c += (int)(u8)(a >> i) * (int)(signed char)(b >> i);
    return c;
}

template <class Product> DEVICE void multiply(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1, Product product)
{
    emulate::Warp &warp = emulate::warp();
    const int lane = emulate::lane();
    u32(&mine)[6] = warp.values[lane];
    memcpy(mine, a, 16);
    mine[4] = b0;
    mine[5] = b1;
    emulate::meet(warp.barrier);
    for (int i = 0; i < 4; i++)
        for (int word = 0; word < 8; word++)
            c[i] = product(warp.values[lane / 4 * 4 + word % 4][word / 4 * 2 + i / 2],
                           warp.values[(lane % 4 * 2 + i % 2) * 4 + word % 4][4 + word / 4], c[i]);
    emulate::meet(warp.barrier);
}

DEVICE int and_popcount(u32 a, u32 b, int c) { return c + popcount(a & b); }
DEVICE void multiply_bits(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) { multiply(c, a, b0, b1, and_popcount); }
DEVICE void multiply_bytes(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) { multiply(c, a, b0, b1, dot_bytes); }

template <int table> DEVICE u32 three_inputs(u32 a, u32 b, u32 c)
{
    u32 d = 0;
    for (int i = 0; i < 8; i++)
        if (table >> i & 1)
            d |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    return d;
}

DEVICE u32 shift_in(u32 low, u32 high) { return high << 1 | low >> 31; }

DEVICE u32 from_lane(u32 value, int mask)
{
    emulate::Warp &warp = emulate::warp();
    warp.values[emulate::lane()][0] = value;
    emulate::meet(warp.barrier);
    const u32 found = warp.values[emulate::lane() ^ mask][0];
    emulate::meet(warp.barrier);
    return found;
}

DEVICE u32 of_lanes(bool fires)
{
    emulate::Warp &warp = emulate::warp();
    warp.values[emulate::lane()][0] = fires;
    emulate::meet(warp.barrier);
    u32 all = 0;
    for (int i = 0; i < 32; i++)
        all |= warp.values[i][0] << i;
    emulate::meet(warp.barrier);
    return all;
}

DEVICE int sum_of_lanes(int value)
{
    for (int mask = 16; mask; mask /= 2)
        value += from_lane(value, mask);
    return value;
}

DEVICE uint4 fresh(const uint4 *p) { return *p; }

DEVICE void all_blocks(u32 *arrived)
{
    __syncthreads();
    if (emulate::self->number == 0) {
        const u32 wanted = ((*arrived)++ & ~(gridDim.x - 1)) + gridDim.x;
        emulate::progress++;
        while ((int)(*arrived - wanted) < 0)
            emulate::pass_turn();
    }
    __syncthreads();
}

/* 32 bytes of a row out of a descriptor: rows of 128 bytes, eight to 1,024, chunks of 16 swapped
 * by bits 7 to 9 of their address. */
static void described_row(u64 descriptor, int row, u32 (&words)[8])
{
    if (descriptor >> 62 != 1 || (descriptor >> 32 & 0x3fff) != 1024 >> 4)
        emulate::fail("another descriptor than rows of 128 swizzled bytes");
    for (int chunk = 0; chunk < 2; chunk++) {
        const u32 at = (u32)(descriptor & 0x3fff) * 16 + row * 128 + chunk * 16;
        memcpy(words + 4 * chunk, emulate::shared(at ^ (at >> 3 & 0x70), 16), 16);
    }
}

template <class Product> DEVICE void group_multiply(int (&d)[128], u64 a, u64 b, int add, Product product)
{
    int *const to = d;
    emulate::start(emulate::multiplications_early, emulate::self->multiplying, [=] {
        const int lane = emulate::lane(), warp = emulate::self->number / 32 % 4;
        for (int i = 0; i < 128; i++) {
            u32 rows[8], cols[8];
            described_row(a, warp * 16 + lane / 4 + i / 2 % 2 * 8, rows);
            described_row(b, i / 4 * 8 + lane % 4 * 2 + i % 2, cols);
            int sum = add ? to[i] : 0;
            for (int word = 0; word < 8; word++)
                sum = product(rows[word], cols[word], sum);
            to[i] = sum;
        }
    });
}

DEVICE void group_multiply_bits(int (&d)[128], u64 a, u64 b, int add) { group_multiply(d, a, b, add, and_popcount); }
DEVICE void group_multiply_bytes(int (&d)[128], u64 a, u64 b, int add) { group_multiply(d, a, b, add, dot_bytes); }
DEVICE void group_begin(int (&)[128]) {}
DEVICE void group_commit() { emulate::commit(emulate::self->multiplying, emulate::self->multiplications); }
template <int N> DEVICE void group_wait() { emulate::wait(emulate::self->multiplications, N); }
DEVICE void group_done(int (&)[128]) { group_wait<0>(); }
