#!/usr/bin/env python3
"""A ventilator for imagefarm in Python: hands the images of a directory to whichever workers connect, and ends.

    python3 ventilator.py ~/Pictures

It needs pyzmq and msgpack. A task is [filename, data] and nothing more: the workers make their default thumbnails. Nobody
tells this ventilator what became of them; subscriber.py shows that, and the sink's ledger keeps it.
"""
import argparse
import os
import time

import msgpack
import zmq

EXTENSIONS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp")


def images(root):
    """Yield the paths of the images below root."""
    for directory, _, files in os.walk(root):
        for name in sorted(files):
            if name.lower().endswith(EXTENSIONS):
                yield os.path.join(directory, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--bind", default="tcp://127.0.0.1:5557", help="endpoint that workers connect to")
    args = parser.parse_args()

    context = zmq.Context()
    tasks = context.socket(zmq.PUSH)
    tasks.setsockopt(zmq.SNDHWM, 2)  # or the first worker to come would be given a thousand images
    tasks.bind(args.bind)
    sent = 0
    for path in images(args.directory):
        filename = os.path.relpath(path, args.directory).replace(os.sep, "/")
        with open(path, "rb") as file:
            tasks.send(msgpack.packb([filename, file.read()]))  # waits while no worker has room
        sent += 1
    # Closing waits until the last task was handed to the kernel; but the kernel forgets what it has not yet delivered when
    # bytes of the other end (a heartbeat) arrive at a connection that is closed. Give it a moment.
    time.sleep(1)
    tasks.close()
    context.term()
    print(f"{sent} images sent")


if __name__ == "__main__":
    main()
