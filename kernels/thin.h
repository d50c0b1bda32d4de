// Convolutions 3x3 with stride 1 and padding 1 of images with at most 4 channels: what conv2dthin.cu and conv2dthin_gradient.cu share.
//
// The 9 x inputs numbers that a pixel sees are three runs of 3 x inputs neighbors in memory. A block keeps rows of the images in shared memory as they are, with
// zeros around them, and every lane picks its part of the operand of mma.sync from there, 2 bytes at a time: no padded copy of the images, and a common axis
// of 16, 32 or 48 (inputs 1, 2 to 3, 4) in place of 72.
//
// A tile is tile_height whole rows of one image, so tiles follow each other in memory. tile_height divides the height; the width is a multiple of 8.
#pragma once
#include "tiles.h"

// Rows of images in shared memory: 8 elements whose last are the pixel left of the image, the row, 8 elements that begin with the pixel right of it. A tile has the row
// above and the row below with it.
struct ThinRows
{
    int height, width, inputs, tile_height, pitch; // elements from row to row

    DEVICE_MEMBER ThinRows(int height, int width, int inputs, int tile_height)
        : height(height), width(width), inputs(inputs), tile_height(tile_height), pitch(width * inputs + 16)
    {
    }

    DEVICE_MEMBER int tile_elements() const { return (tile_height + 2) * pitch; }

    // Queues the copy of a tile.
    DEVICE_MEMBER void load(bf16* target, const bf16* x, int tile, int threads) const
    {
        const int packs = width * inputs / 8, chunks = packs + 2, tiles_of_image = height / tile_height;
        const int image = tile / tiles_of_image, row0 = tile % tiles_of_image * tile_height - 1;
        const shared_address start = shared_address_of(target);
        for (int i = threadIdx.x; i < (tile_height + 2) * chunks; i += threads)
        {
            int row = row0 + i / chunks, pack = i % chunks - 1;
            bool present = (unsigned)row < (unsigned)height && (unsigned)pack < (unsigned)packs;
            copy_async16(start + i * 16, x + (present ? (((long long)image * height + row) * packs + pack) * 8 : 0), present);
        }
    }

    // Where the first number that a pixel sees lies in its tile, and how far behind it number k is.
    DEVICE_MEMBER int start_of(int row, int column) const { return row * pitch + 8 + (column - 1) * inputs; }
    DEVICE_MEMBER int offset_of(int k) const { return k < 9 * inputs ? k / (3 * inputs) * pitch + k % (3 * inputs) : 0; }
};

DEVICE unsigned pair_of(bf16 low, bf16 high) { return low.bits | (unsigned)high.bits << 16; }
