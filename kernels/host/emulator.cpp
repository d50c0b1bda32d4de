// Runs the blocks of a launch one after the other; see emulator.h. dom_kernel and dom_launch are what src/Dom.Kernels/Cuda/EmulatedDriver.cs calls.
#include "emulator.h"
#include <sys/mman.h>

namespace emulator
{
thread_local Block* block;
thread_local uint3 thread;
Registration* Registration::first;

extern "C" void emulator_switch(void** save, void* to);

#if defined(__x86_64__)
asm(R"(
.text
.globl emulator_switch
.type emulator_switch,@function
emulator_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
)");
#else
#error "The emulator switches fibers in x86-64 assembly."
#endif

static constexpr size_t stack_bytes = 128 << 10;

void fail(const char* what)
{
    std::fprintf(stderr, "emulated kernel, block (%u, %u, %u), thread %u: %s\n", block->block.x, block->block.y, block->block.z, thread.x, what);
    std::abort();
}

// Goes on with the next runnable fiber, round robin; with none, back to the loop over blocks.
static void next()
{
    Block* b = block;
    int me = b->current;
    Fiber* self = &b->fibers[me];
    for (int k = 1; k <= b->threads; k++)
    {
        int i = me + k < b->threads ? me + k : me + k - b->threads;
        if (b->fibers[i].state != State::runnable)
            continue;
        if (i == me)
            return;
        b->current = i;
        thread = b->fibers[i].thread;
        emulator_switch(&self->stack_pointer, b->fibers[i].stack_pointer);
        return;
    }
    emulator_switch(&self->stack_pointer, b->main);
}

static void release(Block* b, int from, int to, State waiting)
{
    for (int i = from; i < to && i < b->threads; i++)
        if (b->fibers[i].state == waiting)
            b->fibers[i].state = State::runnable;
}

static void release_block(Block* b)
{
    release(b, 0, b->threads, State::at_block_barrier);
    b->at_block_barrier = 0;
}

static void release_warp(Block* b, int w)
{
    release(b, w * 32, w * 32 + 32, State::at_warp_barrier);
    b->at_warp_barrier[w] = 0;
}

void block_barrier()
{
    Block* b = block;
    if (++b->at_block_barrier == b->left)
        return release_block(b);
    b->fibers[b->current].state = State::at_block_barrier;
    next();
}

void warp_barrier()
{
    Block* b = block;
    int w = b->current >> 5;
    if (++b->at_warp_barrier[w] == b->left_of_warp[w])
        return release_warp(b, w);
    b->fibers[b->current].state = State::at_warp_barrier;
    next();
}

static void enter()
{
    block->body(block->argument);
    Block* b = block;
    int w = b->current >> 5;
    b->fibers[b->current].state = State::done;
    b->left--;
    b->left_of_warp[w]--;
    if (b->left && b->at_block_barrier == b->left)
        release_block(b);
    if (b->left_of_warp[w] && b->at_warp_barrier[w] == b->left_of_warp[w])
        release_warp(b, w);
    next();
    std::abort();
}

static void run_block(Block* b)
{
    b->left = b->threads;
    b->at_block_barrier = 0;
    std::memset(b->at_warp_barrier, 0, sizeof b->at_warp_barrier);
    std::memset(b->left_of_warp, 0, sizeof b->left_of_warp);
    int i = 0;
    for (unsigned z = 0; z < b->block_size.z; z++)
        for (unsigned y = 0; y < b->block_size.y; y++)
            for (unsigned x = 0; x < b->block_size.x; x++, i++)
            {
                Fiber& f = b->fibers[i];
                f.thread = {x, y, z};
                f.state = State::runnable;
                b->left_of_warp[i >> 5]++;
                void** sp = (void**)(f.stack + stack_bytes);
                *--sp = nullptr;
                *--sp = (void*)&enter;
                for (int k = 0; k < 6; k++)
                    *--sp = nullptr;
                f.stack_pointer = sp;
            }
    block = b;
    b->current = 0;
    thread = b->fibers[0].thread;
    emulator_switch(&b->main, b->fibers[0].stack_pointer);
    if (b->left)
        fail("deadlock: some threads wait at a barrier that the others never reach");
}

struct Launch
{
    Registration* kernel;
    void** arguments;
};

static void run(Registration* kernel, dim3 grid, dim3 threads, size_t shared_bytes, void** arguments)
{
    static thread_local Block* b = nullptr;
    static thread_local int capacity = 0;
    int n = (int)(threads.x * threads.y * threads.z);
    if (!b)
        b = (Block*)std::calloc(1, sizeof(Block));
    if (capacity < n)
    {
        b->fibers = (Fiber*)std::realloc(b->fibers, n * sizeof(Fiber));
        for (int i = capacity; i < n; i++)
            b->fibers[i].stack = (unsigned char*)mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        capacity = n;
    }
    Launch launch{kernel, arguments};
    b->threads = n;
    b->block_size = threads;
    b->grid_size = grid;
    b->body = [](void* p) { ((Launch*)p)->kernel->call(((Launch*)p)->kernel->kernel, ((Launch*)p)->arguments); };
    b->argument = &launch;
    b->shared = shared_bytes ? (unsigned char*)std::aligned_alloc(1024, (shared_bytes + 1023) / 1024 * 1024) : nullptr;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++)
            {
                if (shared_bytes)
                    std::memset(b->shared, 0xFF, shared_bytes); // a GPU does not clear it either: what was not written is NaN
                b->block = {x, y, z};
                run_block(b);
            }
    std::free(b->shared);
}
} // namespace emulator

// A kernel by name, or null.
extern "C" void* dom_kernel(const char* name)
{
    for (auto* r = emulator::Registration::first; r; r = r->next)
        if (!std::strcmp(r->name, name))
            return r;
    return nullptr;
}

extern "C" void dom_launch(void* kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared_bytes, void** arguments)
{
    emulator::run((emulator::Registration*)kernel, {gx, gy, gz}, {bx, by, bz}, shared_bytes, arguments);
}
