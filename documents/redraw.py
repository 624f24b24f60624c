"""Draws the picture on stdin anew on stdout, upright and without all that is not the picture.

A program of its own, started by documents.images: a picture takes a hundred times the memory of its file,
and its decoders, written in C, are where hostile files aim. It ends with TOO_LARGE, or otherwise than with 0.
"""

import resource
import sys

from PIL import Image, ImageOps

MOST_PIXELS = 40_000_000
TOO_LARGE = 3
MOST_MEMORY, MOST_SECONDS = 1 << 30, 60
# Below these a picture of a page looks worn; above, files grow and nobody sees why.
HOW = {"JPEG": {"quality": 90}, "PNG": {}, "WEBP": {"quality": 90, "method": 2}}


def redraw(source, target, kind):
    with Image.open(source, formats=[kind]) as image:
        if image.width * image.height > MOST_PIXELS:
            sys.exit(TOO_LARGE)
        image.load()
        upright = ImageOps.exif_transpose(image)
    upright.info = {name: value for name, value in upright.info.items() if name == "transparency"}
    upright.save(target, kind, **HOW[kind])


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    try:
        redraw(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1])
    except Image.DecompressionBombError:
        sys.exit(TOO_LARGE)
