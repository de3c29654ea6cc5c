#!/usr/bin/env python3
"""A sink for imagefarm in Python: collects what workers tell, and prints the name of each output.

    python3 sink.py
    worker --bare --out thumbnails & ventilator --sink none ~/Pictures

It needs pyzmq and msgpack. It keeps no ledger and acknowledges nothing, so what a worker held when it was killed is lost:
that is what the farm's own sink is for.
"""
import argparse
import os

import msgpack
import zmq


def outputs(message):
    """Yield (name, data) of the outputs that a worker's message tells of; data is None where the worker has stored it."""
    try:
        value = msgpack.unpackb(message)
    except ValueError:
        value = message.decode()  # the plainest form: the name's bytes, no msgpack at all
    if isinstance(value, str):  # one output's name
        yield value, None
    elif isinstance(value, list):  # a result: id, filename, outcome, outputs, info
        for name, _size, _width, _height, *data in value[3] if len(value) > 3 and value[2] == "done" else []:
            yield name, data[0] if data else None
    # else it is a map: a heartbeat, by which a worker says that it lives


def store(out, name, data):
    if os.path.isabs(name) or ".." in name.split("/"):
        raise ValueError(f"{name!r} is no relative name")
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bind", default="tcp://127.0.0.1:5558", help="endpoint that workers connect to")
    parser.add_argument("--out", default="out", help="directory for outputs that come with their bytes")
    parser.add_argument("--count", type=int, default=0, help="end after so many outputs; 0: never")
    args = parser.parse_args()

    results = zmq.Context().socket(zmq.PULL)
    results.bind(args.bind)
    count = 0
    while count < args.count or not args.count:
        for name, data in outputs(results.recv()):
            if data is not None:
                store(args.out, name, data)
            print(name, flush=True)
            count += 1


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
