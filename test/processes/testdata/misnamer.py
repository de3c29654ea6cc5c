"""A worker whose outputs nobody expects: python3 misnamer.py TASKS RESULTS."""
import sys

import msgpack
import zmq

context = zmq.Context()
tasks, results = context.socket(zmq.PULL), context.socket(zmq.PUSH)
tasks.connect(sys.argv[1])
results.connect(sys.argv[2])
while True:
    filename = msgpack.unpackb(tasks.recv())[0]
    results.send(msgpack.packb("elsewhere/" + filename))
