// crop and flip: reads the images of a batch out of the data set (bytes), padded by reflection, cropped at a place that their streams draw, half of
// them flipped, as numbers: y = pixel / 255, rounded to nearest.
//
// One thread makes 16 bytes of y, which lie in one line of one image where a line is a multiple of 16 bytes, else one element. It draws the
// place of the crop itself, one block of the generator, rather than wait for another thread.
// Bytes: a byte read and an element written per element of y. Elements do not meet.
#include "groups.h"
#include "philox.h"
#include "pixels.h"

struct CropFlip
{
    View images, sample_ids, y;
    RandomStream stream;
    int rows, height, width, channels, padding, flip;
};

// Beyond an edge the image goes on backwards; the edge itself is not repeated.
DEVICE int reflect(int i, int size) { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; }

// Channels known to the compiler, or 0 for any number.
template <class T, int N, int known_channels> DEVICE void lines(const CropFlip& call)
{
    T* y = call.y.as<T>();
    const unsigned channels = known_channels ? known_channels : call.channels;
    unsigned groups = call.width * channels / N, total = (unsigned)call.y.length / N, places = 2 * call.padding + 1;
    for (unsigned i = (unsigned)global_thread(); i < total; i += (unsigned)global_threads())
    {
        unsigned line = i / groups, first = (i - line * groups) * N, n = line / call.height, h = line - n * call.height;
        int id = call.sample_ids.as<int>()[n];
        auto random = random_block(call.stream, id, 0);
        int top = to_below(random.words[0], places) - call.padding, left = to_below(random.words[1], places) - call.padding;
        bool flips = call.flip == 1 && to_below(random.words[2], 2) == 1;
        const unsigned char* source = call.images.as<unsigned char>()
            + ((long long)id * call.height + reflect(top + (int)h, call.height)) * call.width * channels;
        unsigned w = first / channels, c = first - w * channels;
        int column = left + (int)(flips ? call.width - 1 - w : w), step = flips ? -1 : 1;
        Group<T, N> group;
#pragma unroll
        for (int j = 0; j < N; j++)
        {
            group.v[j] = from_float<T>(pixel_value(source[reflect(column, call.width) * channels + c]));
            bool last = ++c == channels;
            c = last ? 0 : c;
            column += last ? step : 0;
        }
        store_group(y + i * N, group);
    }
}

template <class T, int N> DEVICE void crop_flip(const CropFlip& call)
{
    if (call.channels == 3)
        lines<T, N, 3>(call);
    else
        lines<T, N, 0>(call);
}

template <class T> DEVICE void crop_flip(const CropFlip& call)
{
    constexpr int count = Pack<T>::count;
    if (call.width * call.channels % count == 0 && is_aligned16(call.y.address))
        crop_flip<T, count>(call);
    else
        crop_flip<T, 1>(call);
}

KERNEL(crop_flip_f32, 256, PARAM(CropFlip) call) { crop_flip<float>(call); }
KERNEL(crop_flip_bf16, 256, PARAM(CropFlip) call) { crop_flip<bf16>(call); }
