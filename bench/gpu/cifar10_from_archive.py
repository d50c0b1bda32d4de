#!/usr/bin/env python3
"""Writes CIFAR-10 in its own binary layout from an archive of its pictures, for machines that cannot download it.

usage: cifar10_from_archive.py ARCHIVE FOLDER        needs Pillow

ARCHIVE is a tar file (any compression that Python knows) whose pictures are named .../train/CLASS/NAME.jpg and .../test/CLASS/NAME.jpg (or .png). FOLDER gets
cifar-10-batches-bin with the files that `dom train --data cifar10 --data-dir FOLDER` and everybody else reads: records of a label byte and the red, green and blue
planes. Archives are sorted by class; the records are shuffled once, always in the same way.
"""
import collections
import concurrent.futures
import io
import os
import random
import sys
import tarfile

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FILES, RECORDS_IN_FILE, SIZE = 5, 10000, 32


def record(label, encoded):
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as picture:
        if picture.size != (SIZE, SIZE):
            raise ValueError(f"a picture is {picture.size[0]}x{picture.size[1]}; CIFAR-10 is {SIZE}x{SIZE}")
        return bytes([label]) + b"".join(plane.tobytes() for plane in picture.convert("RGB").split())


def records_of(pictures):
    return [record(label, encoded) for label, encoded in pictures]


def pictures_in(archive):
    """Label and encoded picture, by split, in the order of the archive."""
    found = collections.defaultdict(list)
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = member.name.split("/")
            if not member.isfile() or len(parts) < 3 or not parts[-1].lower().endswith((".jpg", ".jpeg", ".png")):
                continue
            split, name = parts[-3:-1]
            if split not in ("train", "test") or name not in NAMES:
                sys.exit(f"{archive}: {member.name} is not in train/CLASS or test/CLASS with one of the classes {', '.join(NAMES)}")
            found[split].append((NAMES.index(name), tar.extractfile(member).read()))
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    archive, folder = sys.argv[1], os.path.join(sys.argv[2], "cifar-10-batches-bin")
    found = pictures_in(archive)
    expected = {"train": FILES * RECORDS_IN_FILE, "test": RECORDS_IN_FILE}
    for split, count in expected.items():
        if len(found[split]) != count:
            sys.exit(f"{archive}: {len(found[split])} pictures to {split}; CIFAR-10 has {count}")
    os.makedirs(folder, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor() as workers:
        for split, seed in (("train", 1), ("test", 2)):
            pictures = found[split]
            random.Random(seed).shuffle(pictures)
            pieces = [pictures[start:start + 1000] for start in range(0, len(pictures), 1000)]
            records = [one for piece in workers.map(records_of, pieces) for one in piece]
            names = [f"data_batch_{i + 1}.bin" for i in range(FILES)] if split == "train" else ["test_batch.bin"]
            for i, name in enumerate(names):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(b"".join(records[i * RECORDS_IN_FILE:(i + 1) * RECORDS_IN_FILE]))
    with open(os.path.join(folder, "batches.meta.txt"), "w") as file:
        file.write("\n".join(NAMES) + "\n")
    print(folder)


if __name__ == "__main__":
    main()
