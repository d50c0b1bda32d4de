// Stands in for NVIDIA's driver: the functions that src/Dom.Kernels/Cuda/CudaApi.cs calls, on the host's memory, with the kernels of the emulator. It is strict
// where a driver is: a thread without a context, memory that was not handed out, a grid without blocks and shared memory that nobody announced are errors, and
// small copies to the device happen late, so that whoever overwrites their source too soon is found out. So do copies into pinned memory: the bytes, as they were
// when the copy was queued, arrive when somebody waits for the stream or for an event behind them, or is told that the event is done, and not before. The
// environment decides what goes wrong:
//   FAKE_KERNELS     library of the emulated kernels            FAKE_DRIVER, FAKE_DEVICES, FAKE_CAPABILITY    12040, 1, 80
//   FAKE_MEMORY      bytes of the device                        FAKE_FAULT       name of a kernel that fails, or name and number of
//                                                                               one launch of it; noticed at the next wait
//   FAKE_SLOW        how often an event that somebody asks about is not done yet    1
//   FAKE_GRAPHS      0: there is no memory for a graph          FAKE_UNGRAPHED   name of a kernel that no graph takes
//   FAKE_KILL        name of a kernel and a number: at this launch of it the process is killed
//   FAKE_LOG         file that gets a line for each context made and for what is left when it is gone
//   FAKE_TRACE       file that gets a line for each launch, graph, copy to the host, wait and question
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default"))) int
enum { ok = 0, invalid_value = 1, out_of_memory = 2, no_device = 100, invalid_context = 201, invalid_handle = 400, not_found = 500, not_ready = 600, illegal_address = 700 };

struct Copy
{
    void* target;
    const void* source;
    size_t bytes;
};
struct Arrival
{
    void* target;
    std::string bytes;
    long number;
};
struct Event
{
    long behind; // the last copy to the host in front of it
    int asked;
};
struct Function
{
    std::string name;
    void* kernel;
    std::vector<size_t> parameters; // bytes, as the PTX declares them
    unsigned shared = 48 << 10;
};

static std::recursive_mutex turns;
static std::map<uintptr_t, size_t> memory, pinned;
static std::vector<Copy> late;
static std::vector<Arrival> arrivals;
static std::set<Event*> events;
static std::set<const Function*> functions;
static size_t graph_objects();
static long copies;
static std::vector<std::string*> modules;
static size_t used;
static int retained, generation, fault, streams;
static thread_local intptr_t current;

static const char* given(const char* name, const char* otherwise)
{
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

static void write(const char* variable, const std::string& line)
{
    if (FILE* file = *given(variable, "") ? std::fopen(given(variable, ""), "a") : nullptr)
    {
        std::fprintf(file, "%s\n", line.c_str());
        std::fclose(file);
    }
}
static void log(const std::string& line) { write("FAKE_LOG", line); }
static void trace(const std::string& line) { write("FAKE_TRACE", line); }

static void* library()
{
    static void* loaded = dlopen(given("FAKE_KERNELS", ""), RTLD_NOW);
    return loaded;
}

static bool has_context() { return retained > 0 && current == generation; }

static bool holds(const std::map<uintptr_t, size_t>& blocks, const void* p, size_t bytes)
{
    auto block = blocks.upper_bound((uintptr_t)p);
    return block != blocks.begin() && (uintptr_t)p + bytes <= (--block)->first + block->second;
}

static int catch_up()
{
    for (auto& copy : late)
        std::memcpy(copy.target, copy.source, copy.bytes);
    late.clear();
    return fault;
}

// Lets the copies to the host up to a number arrive.
static void deliver(long last)
{
    for (auto& arrival : arrivals)
        if (arrival.number <= last)
            std::memcpy(arrival.target, arrival.bytes.data(), arrival.bytes.size());
    std::erase_if(arrivals, [&](const Arrival& arrival) { return arrival.number <= last; });
}

static bool has_arrived(const Event* event)
{
    for (auto& arrival : arrivals)
        if (arrival.number <= event->behind)
            return false;
    return true;
}

#define TURN std::lock_guard<std::recursive_mutex> turn(turns)
#define IN_CONTEXT TURN; if (!has_context()) return invalid_context

API cuInit(unsigned) { return std::atoi(given("FAKE_DEVICES", "1")) == 0 ? no_device : ok; }
API cuDriverGetVersion(int* version) { return *version = std::atoi(given("FAKE_DRIVER", "12040")), ok; }
API cuDeviceGetCount(int* count) { return *count = std::atoi(given("FAKE_DEVICES", "1")), ok; }
API cuDeviceGet(int* device, int ordinal) { return *device = 40 + ordinal, ok; }
API cuDeviceGetName(char* name, int length, int) { return std::snprintf(name, length, "Fake GPU"), ok; }
API cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = 3ull << 30, ok; }
API cuDeviceGetAttribute(int* value, int attribute, int)
{
    int capability = std::atoi(given("FAKE_CAPABILITY", "80"));
    switch (attribute)
    {
        case 16: return *value = 4, ok;
        case 38: return *value = 2 << 20, ok;
        case 75: return *value = capability / 10, ok;
        case 76: return *value = capability % 10, ok;
        case 97: return *value = 163 << 10, ok;
        default: return invalid_value;
    }
}

API cuDevicePrimaryCtxRetain(void** context, int)
{
    TURN;
    if (retained++ == 0)
        generation++;
    log("context made");
    return *context = (void*)(intptr_t)generation, ok;
}
API cuDevicePrimaryCtxRelease_v2(int)
{
    TURN;
    if (--retained == 0)
        log("context gone, left: " + std::to_string(memory.size()) + " blocks, " + std::to_string(pinned.size()) + " pinned, " + std::to_string(modules.size())
            + " modules, " + std::to_string(streams) + " streams, " + std::to_string(events.size()) + " events, " + std::to_string(graph_objects()) + " graphs");
    return ok;
}
API cuCtxSetCurrent(void* context) { return current = (intptr_t)context, ok; }

API cuStreamCreate(void** stream, unsigned) { IN_CONTEXT; streams++; return *stream = (void*)7, ok; }
API cuStreamDestroy_v2(void*) { IN_CONTEXT; streams--; return ok; }
API cuStreamSynchronize(void*)
{
    IN_CONTEXT;
    trace("wait for all");
    if (catch_up())
        return fault;
    return deliver(copies), ok;
}

API cuEventCreate(void** event, unsigned flags)
{
    IN_CONTEXT;
    if (fault || flags != 2)
        return fault ? fault : invalid_value;
    auto* made = new Event{0, 0};
    events.insert(made);
    return *event = made, ok;
}
API cuEventDestroy_v2(void* event) { IN_CONTEXT; return events.erase((Event*)event) ? delete (Event*)event, ok : invalid_handle; }
API cuEventRecord(void* event, void*)
{
    IN_CONTEXT;
    if (fault || !events.count((Event*)event))
        return fault ? fault : invalid_handle;
    return *(Event*)event = {copies, 0}, ok;
}
API cuEventQuery(void* event)
{
    IN_CONTEXT;
    if (catch_up() || !events.count((Event*)event))
        return fault ? fault : invalid_handle;
    auto* asked = (Event*)event;
    if (!has_arrived(asked) && asked->asked++ < std::atoi(given("FAKE_SLOW", "1")))
        return trace("not done"), not_ready;
    trace("done");
    return deliver(asked->behind), ok;
}
API cuEventSynchronize(void* event)
{
    IN_CONTEXT;
    trace("wait for a copy");
    if (catch_up() || !events.count((Event*)event))
        return fault ? fault : invalid_handle;
    return deliver(((Event*)event)->behind), ok;
}

API cuMemAlloc_v2(void** address, size_t bytes)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    if (used + bytes > std::strtoull(given("FAKE_MEMORY", "3000000000"), nullptr, 10))
        return out_of_memory;
    *address = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    memory[(uintptr_t)*address] = bytes;
    used += bytes;
    return ok;
}
API cuMemFree_v2(void* address)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    catch_up();
    auto block = memory.find((uintptr_t)address);
    if (block == memory.end())
        return invalid_value;
    used -= block->second;
    memory.erase(block);
    return std::free(address), ok;
}
API cuMemHostAlloc(void** address, size_t bytes, unsigned) { IN_CONTEXT; pinned[(uintptr_t)(*address = std::malloc(bytes))] = bytes; return ok; }
API cuMemFreeHost(void* address) { IN_CONTEXT; catch_up(); deliver(copies); pinned.erase((uintptr_t)address); return std::free(address), ok; }

API cuMemcpyHtoDAsync_v2(void* target, const void* source, size_t bytes, void*)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    if (!holds(memory, target, bytes))
        return invalid_value;
    if (holds(pinned, source, bytes))
        return late.push_back({target, source, bytes}), ok;
    catch_up();
    return std::memcpy(target, source, bytes), ok;
}
API cuMemcpyDtoHAsync_v2(void* target, const void* source, size_t bytes, void*)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    if (!holds(memory, source, bytes))
        return invalid_value;
    catch_up();
    trace("copy to the host");
    copies++;
    if (holds(pinned, target, bytes))
        return arrivals.push_back({target, std::string((const char*)source, bytes), copies}), ok;
    return std::memcpy(target, source, bytes), ok;
}

API cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**)
{
    IN_CONTEXT;
    auto* text = new std::string((const char*)image);
    modules.push_back(text);
    auto target = text->find(".target ");
    log("module for " + text->substr(target + 8, text->find('\n', target) - target - 8));
    return *module = text, ok;
}
API cuModuleUnload(void* module) { IN_CONTEXT; std::erase(modules, (std::string*)module); delete (std::string*)module; return ok; }
static std::vector<size_t> parameters_of(const std::string& text, size_t entry)
{
    // ".param .align 8 .b8 fill_f32_param_0[24]" or ".param .b64 fill_f32_param_0"
    std::vector<size_t> bytes;
    size_t end = text.find(')', entry);
    for (size_t at = text.find(".param ", entry); at < end; at = text.find(".param ", at + 1))
    {
        size_t type = text.find_first_of("busf", at + 7), stop = text.find_first_of(",)", at), length = text.find('[', at);
        bytes.push_back(std::stoul(text.substr(type + 1)) / 8 * (length < stop ? std::stoul(text.substr(length + 1)) : 1));
    }
    return bytes;
}
API cuModuleGetFunction(void** function, void* module, const char* name)
{
    IN_CONTEXT;
    auto find = library() ? (void* (*)(const char*))dlsym(library(), "dom_kernel") : nullptr;
    auto& text = *(std::string*)module;
    size_t entry = text.find(".entry " + std::string(name) + "(");
    if (!find || entry == std::string::npos || !find(name))
        return not_found;
    static std::map<std::string, Function*> known;
    if (!known[name])
        functions.insert(known[name] = new Function{name, find(name), parameters_of(text, entry)});
    return *function = known[name], ok;
}
API cuFuncSetAttribute(void* function, int attribute, int value) { IN_CONTEXT; return attribute == 8 ? ((Function*)function)->shared = value, ok : invalid_value; }

static bool is_launchable(const Function* f, const unsigned* grid, const unsigned* block, unsigned shared)
{
    return functions.count(f) && grid[0] && grid[1] && grid[2] && grid[1] <= 65535 && grid[2] <= 65535 && block[0] && block[1] && block[2]
        && block[0] * block[1] * block[2] <= 1024 && shared <= f->shared;
}

// Runs a kernel at once; whether it went well.
static bool run(const Function* f, const unsigned* grid, const unsigned* block, unsigned shared, void** arguments)
{
    static auto launch = (void (*)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void**))dlsym(library(), "dom_launch");
    static std::map<std::string, int> runs;
    std::string numbered = f->name + " " + std::to_string(++runs[f->name]), bad = given("FAKE_FAULT", "");
    if (numbered == given("FAKE_KILL", ""))
        std::raise(SIGKILL);
    if (bad == f->name || bad == numbered)
        return fault = illegal_address, false;
    return launch(f->kernel, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, arguments), true;
}

API cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void*, void** arguments, void**)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    auto* f = (Function*)function;
    unsigned grid[] = {gx, gy, gz}, block[] = {bx, by, bz};
    if (!is_launchable(f, grid, block, shared))
        return invalid_value;
    catch_up();
    trace("launch " + f->name);
    return run(f, grid, block, shared, arguments), ok;
}

API cuGetErrorName(int error, const char** text)
{
    switch (error)
    {
        case invalid_value: return *text = "CUDA_ERROR_INVALID_VALUE", ok;
        case no_device: return *text = "CUDA_ERROR_NO_DEVICE", ok;
        case invalid_context: return *text = "CUDA_ERROR_INVALID_CONTEXT", ok;
        case invalid_handle: return *text = "CUDA_ERROR_INVALID_HANDLE", ok;
        case not_found: return *text = "CUDA_ERROR_NOT_FOUND", ok;
        case illegal_address: return *text = "CUDA_ERROR_ILLEGAL_ADDRESS", ok;
        default: return invalid_value;
    }
}
API cuGetErrorString(int error, const char** text) { return error == illegal_address ? *text = "an illegal memory access was encountered", ok : invalid_value; }

#include "libcuda_graphs.h"
