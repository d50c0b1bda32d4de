// Runs one kernel of mistakes.cu in a process of its own, which may be aborted. Exit code 0 where the result is right, 3 where it is wrong.
#include "device.h"

extern "C" void* dom_kernel(const char* name);
extern "C" void dom_launch(void* kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared_bytes, void** arguments);

int main(int, char** arguments)
{
    const int n = 64;
    float* x = (float*)std::malloc(n * sizeof(float));
    float* y = (float*)std::malloc(n * sizeof(float));
    for (int i = 0; i < n; i++)
        x[i] = (float)i;
    struct
    {
        View x, y;
    } call{{x, n, F32, 0}, {y, n, F32, 1}};
    void* kernel = dom_kernel(arguments[1]);
    if (!kernel)
        return 4;
    void* first = &call;
    dom_launch(kernel, 1, 1, 1, n, 1, 1, 0, &first);
    for (int i = 0; i < n; i++)
        if (y[i] != (float)(n - 1 - i))
            return 3;
    return 0;
}
