// Patches of images in shared memory, for convolutions 3x3 with stride 1 and padding 1: conv2d3x3.cu and conv2d3x3_hopper.cu.
#pragma once
#include "tiles.h"

constexpr int most_lines = 288; // of a patch of up to 128 pixels; twice as many of 256

struct PatchPlan
{
    const void *source, *weight; // [batch, height, width, channels], [target_channels, 9 taps, channels]
    void* target;
    int batch, height, width, channels, target_channels;
    int tile_height, tile_images; // rows of an image that a tile has, and images: width x tile_height x tile_images pixels
    int is_gradient;              // 1: tap (i, j) reads pixel (2 - i, 2 - j) of the patch
    int column_tiles;             // blocks along target_channels, fastest in grid x
};

// A line of a patch, relative to the tile's first pixel: number of its pixel, its row in its image (no_line beside the image), and its image.
struct Line
{
    int pixel;
    short row, image;
};
constexpr short no_line = -20000;

// A tile of whole rows, so that its pixels follow each other in memory, and its patch.
struct PatchShape
{
    int width, height, batch, tile_height, tile_images, patch_width, patch_lines; // lines of one image's patch
    int first_pixel, row0, images_left; // of the tile moved to

    DEVICE_MEMBER PatchShape(int width, int height, int batch, int tile_height, int tile_images)
        : width(width), height(height), batch(batch), tile_height(tile_height), tile_images(tile_images), patch_width(width + 2),
          patch_lines((tile_height + 2) * (width + 2)), first_pixel(0), row0(0), images_left(batch)
    {
    }

    DEVICE_MEMBER int lines() const { return patch_lines * tile_images; }
    DEVICE_MEMBER int pixels_left() const { return images_left * height * width - row0 * width; } // from the tile's first on

    DEVICE_MEMBER void move_to(int tile)
    {
        int tiles_of_image = height / tile_height; // 1 where a tile has several images
        int image0 = tile / tiles_of_image * tile_images;
        row0 = tile % tiles_of_image * tile_height;
        first_pixel = (image0 * height + row0) * width;
        images_left = batch - image0;
    }

    DEVICE_MEMBER void describe_lines(Line* target, int threads) const
    {
        for (int i = threadIdx.x; i < lines(); i += threads)
        {
            int image = i / patch_lines, rest = i % patch_lines, y = rest / patch_width - 1, x = rest % patch_width - 1;
            target[i] = {(image * height + y) * width + x, (unsigned)x < (unsigned)width ? (short)y : no_line, (short)image};
        }
    }

    DEVICE_MEMBER bool is_inside(Line line) const { return (unsigned)(row0 + line.row) < (unsigned)height && line.image < images_left; }

    // Line that tap (0, 0) of pixel `m` of the tile reads.
    DEVICE_MEMBER int line_of(int m) const
    {
        int x = m % width, y = m / width % tile_height, image = m / (width * tile_height);
        return image * patch_lines + y * patch_width + x;
    }
};

