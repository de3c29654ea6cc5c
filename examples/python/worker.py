#!/usr/bin/env python3
"""A worker for imagefarm in Python: takes images, makes thumbnails of them, tells the sink their names.

    python3 worker.py --out thumbnails

It needs pyzmq, msgpack and Pillow (Debian: python3-zmq python3-msgpack python3-pil). docs/PROTOCOL.md says what travels.

Without --echo it knows nothing but names, as the workers of the talk did: [filename, data] comes in, and the name of each
thumbnail goes out. That is enough to work beside the farm's own workers, on its word alone. With --echo it repeats the
task's id and ticket in its results, which the sink then keeps in its ledger and acknowledges: whatever dies, nothing is lost.

It announces no token, so ventilator and sink take it for a stranger. On one machine they admit strangers; between machines
start them with --allow-strangers. Or let it come through farm tunnel, with a token made by farm token issue worker NAME:

    IMAGEFARM_SECRET=imagefarm_... python3 worker.py --echo --user NAME --out thumbnails
"""
import argparse
import io
import os
import socket
import sys

import msgpack
import zmq
from PIL import Image, ImageOps

SIZES = (64, 128, 256)


def make_thumbnails(filename, data, out):
    """Write the thumbnails of one image below the directory out; yield (name, bytes, width, height) of each."""
    # The name came over the network: it must not lead out of the directory.
    if os.path.isabs(filename) or ".." in filename.split("/"):
        raise ValueError(f"{filename!r} is no relative name")
    stem, ext = os.path.splitext(filename)
    original = Image.open(io.BytesIO(data))
    kind = original.format
    if ext.lower() in (".bmp", ".dib", ".heic", ".heif", ".hif"):
        ext, kind = ".jpg", "JPEG"  # what the farm makes of formats that it does not write, and so the names it awaits
    upright = ImageOps.exif_transpose(original)
    for size in SIZES:
        name = f"{stem}_thumbnail{size}{ext}"
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        small = upright.copy()
        small.thumbnail((size, size))  # fits it in, never enlarges
        if kind == "JPEG":
            small = small.convert("RGB")
        small.save(path + ".part", kind)
        os.replace(path + ".part", path)  # nobody ever sees half a file under its name
        yield name, os.path.getsize(path), small.width, small.height


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="tcp://127.0.0.1:5557", help="the ventilator's endpoint")
    parser.add_argument("--results", default="tcp://127.0.0.1:5558", help="the sink's endpoint")
    parser.add_argument("--out", default="out", help="directory for the thumbnails")
    parser.add_argument("--echo", action="store_true", help="echo task ids, for the full promise")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}-python")
    parser.add_argument("--user", help="identify by PLAIN: NAME of the token that IMAGEFARM_SECRET holds")
    args = parser.parse_args()

    context = zmq.Context()
    tasks = context.socket(zmq.PULL)
    results = context.socket(zmq.PUSH)
    # Without the identity that the farm's own workers announce (libzmq sends one from DEALER, REQ and ROUTER sockets only)
    # the ventilator takes us for a stranger, and lets us hold two tasks at a time: one at work, one waiting.
    if args.user:
        for s in (tasks, results):
            s.plain_username = args.user.encode()
            s.plain_password = os.environ["IMAGEFARM_SECRET"].encode()
    tasks.connect(args.tasks)
    results.connect(args.results)

    while True:
        # A task is an array: filename, data, and perhaps a map with what else is known. More may follow some day.
        filename, data, *rest = msgpack.unpackb(tasks.recv())
        known = rest[0] if rest else {}
        task_id = known.get("id", "")
        echoed = {key: known[key] for key in ("run", "delivery", "recipe", "source", "carried", "ticket") if key in known}
        try:
            made = list(make_thumbnails(filename, data, args.out))
            outcome, info = "done", {"worker": args.name, "stored": True}
        except Exception as error:  # whatever Pillow says of a damaged image
            print(f"{filename}: {error}", file=sys.stderr)
            made = []
            outcome, info = "rejected", {"worker": args.name, "reason": "corrupt", "detail": str(error)}
        if args.echo:
            results.send(msgpack.packb([task_id, filename, outcome, made, {**echoed, **info}]))
            continue
        for name, *_ in made:  # there is no bare way to say that an image is bad: its lease will run out
            results.send(msgpack.packb(name))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
