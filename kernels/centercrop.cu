// center crop: y[n, h, w, c] = x[n, h + margin, w + margin, c]; backward dx = dy inside the margin and 0 in it.
//
// One warp copies a line of an image, lanes side by side along it, so that no thread divides but once a line. Lines begin anywhere, which rules
// out wider accesses. Bytes: what is left of the image read and written, backward the whole image written; bound by memory. Elements do not meet.
#include "device.h"

struct CenterCropForward
{
    View x, y;
    int batch, height, width, channels, margin;
};
struct CenterCropBackward
{
    View dy, dx;
    int batch, height, width, channels, margin;
};

// Number of this warp, and of all warps.
DEVICE unsigned global_warp() { return (unsigned)(global_thread() >> 5); }
DEVICE unsigned global_warps() { return (unsigned)(global_threads() >> 5); }

template <class T> DEVICE void center_crop_forward(const CenterCropForward& call)
{
    const T* x = call.x.as<T>();
    T* y = call.y.as<T>();
    unsigned height = call.height - 2 * call.margin, length = (call.width - 2 * call.margin) * call.channels;
    for (unsigned line = global_warp(); line < call.batch * height; line += global_warps())
    {
        unsigned n = line / height, h = line - n * height;
        const T* source = x + ((n * call.height + h + call.margin) * call.width + call.margin) * call.channels;
        for (unsigned i = lane_id(); i < length; i += 32)
            y[line * length + i] = source[i];
    }
}

template <class T> DEVICE void center_crop_backward(const CenterCropBackward& call)
{
    const T* dy = call.dy.as<T>();
    T* dx = call.dx.as<T>();
    unsigned height = call.height - 2 * call.margin;
    unsigned skipped = call.margin * call.channels, full = call.width * call.channels, length = full - 2 * skipped;
    for (unsigned line = global_warp(); line < (unsigned)call.batch * call.height; line += global_warps())
    {
        // Below zero is far above: one comparison finds both margins.
        unsigned n = line / call.height, h = line - n * call.height - call.margin;
        const T* source = dy + (n * height + h) * length;
        for (unsigned i = lane_id(); i < full; i += 32)
            dx[line * full + i] = h < height && i - skipped < length ? source[i - skipped] : from_float<T>(0);
    }
}

KERNEL(center_crop_forward_f32, 256, PARAM(CenterCropForward) call) { center_crop_forward<float>(call); }
KERNEL(center_crop_forward_bf16, 256, PARAM(CenterCropForward) call) { center_crop_forward<bf16>(call); }
KERNEL(center_crop_backward_f32, 256, PARAM(CenterCropBackward) call) { center_crop_backward<float>(call); }
KERNEL(center_crop_backward_bf16, 256, PARAM(CenterCropBackward) call) { center_crop_backward<bf16>(call); }
