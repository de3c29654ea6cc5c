"""Thumbnails by Pillow: draft mode (a reduced decode), one decode, the smaller sizes from the larger.

    pillow.py JOB1|JOB2|JOB3 OUTDIR FILE...
"""
import os
import sys

from PIL import Image

SIDES = {"JOB1": [256, 128, 64], "JOB2": [1280], "JOB3": [1280]}


def main():
    job, out, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    for name in files:
        stem = os.path.splitext(os.path.basename(name))[0]
        with Image.open(name) as img:
            side = SIDES[job][0]
            img.draft(None, (2 * side, 2 * side))
            for side in SIDES[job]:
                img.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
                path = os.path.join(out, f"{stem}_thumbnail{side}")
                if job == "JOB3":
                    img.save(path + ".webp", quality=80, method=4)
                else:
                    img.save(path + ".jpg", quality=85, subsampling=2)


main()
