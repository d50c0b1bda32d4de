// Groups of elements: what a thread moves with one instruction, of a size that suits the operator. A body that is a template over the size is
// written once for the groups and for the elements that are left over.
#pragma once
#include "device.h"

// At most 16 bytes.
template <class T, int N> struct alignas(N * sizeof(T)) Group
{
    T v[N];
};

template <int N, class T> DEVICE bool is_aligned(const T* p) { return ((unsigned long long)p & (N * sizeof(T) - 1)) == 0; }
template <int N, class T> DEVICE Group<T, N> load_group(const T* p) { return *(const Group<T, N>*)p; }
template <int N, class T> DEVICE void store_group(T* p, const Group<T, N>& group) { *(Group<T, N>*)p = group; }

// Shares the elements 0 .. n - 1 among all threads: f<N>(i) handles the N elements from i on; where `in_groups` is false, and at the end, f<1>(i).
template <int N, class F> DEVICE void for_each_group(int n, bool in_groups, F f)
{
    unsigned thread = (unsigned)global_thread(), threads = (unsigned)global_threads(), groups = in_groups ? (unsigned)n / N : 0;
    for (unsigned i = thread; i < groups; i += threads)
        f.template operator()<N>(i * N);
    for (unsigned i = groups * N + thread; i < (unsigned)n; i += threads)
        f.template operator()<1>(i);
}
