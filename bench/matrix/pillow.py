"""What the rows of the matrix ask for, by Pillow, for many files in one process.

    pillow.py fit|fill|sharpen|gray SIDE SUFFIX OUTDIR FILE...
"""
import io
import os
import sys

from PIL import Image, ImageCms, ImageFilter, ImageOps

SAVE = {
    ".jpg": {"quality": 85, "subsampling": 2},
    ".png": {},
    ".webp": {"quality": 80, "method": 4},
}


def srgb(img):
    """Converts to sRGB where a profile says that the picture has other colours."""
    profile = img.info.get("icc_profile")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        img = ImageCms.profileToProfile(img, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        img.info.pop("icc_profile", None)
    return img


def main():
    what, side, suffix, out, files = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]
    for name in files:
        with Image.open(name) as img:
            img.draft(None, (2 * side, 2 * side))
            if img.mode == "CMYK":
                img = img.convert("RGB")
            if what == "fill":
                img = ImageOps.fit(img, (side, side), Image.Resampling.LANCZOS)
            else:
                img.thumbnail((side, side), Image.Resampling.LANCZOS)
            img = srgb(img)
            if what == "sharpen":
                img = img.filter(ImageFilter.UnsharpMask(0.5, 100, 0))
            if what == "gray":
                img = img.convert("L")
            if suffix == ".jpg" and img.mode not in ("RGB", "L"):
                img = img.convert("RGB")
            stem = os.path.splitext(os.path.basename(name))[0]
            img.save(os.path.join(out, stem + suffix), **SAVE[suffix])


main()
