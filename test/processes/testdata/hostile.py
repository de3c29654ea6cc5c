"""Sends each message of a list (a line; frames in hexadecimal, joined by commas) to a sink: hostile.py RESULTS CONTROL EVENTS LIST.

To the results endpoint from a PUSH, to the control endpoint from a DEALER (which need not wait for answers), to the events
endpoint as subscriptions.
"""
import sys

import zmq

context = zmq.Context()
push, dealer, sub = context.socket(zmq.PUSH), context.socket(zmq.DEALER), context.socket(zmq.SUB)
for socket, endpoint in zip((push, dealer, sub), sys.argv[1:]):
    socket.connect(endpoint)
for line in open(sys.argv[4], encoding="ascii"):
    frames = [bytes.fromhex(frame) for frame in line.rstrip("\n").split(",")]
    push.send_multipart(frames)
    dealer.send_multipart([b""] + frames)
    dealer.send_multipart(frames)
    sub.setsockopt(zmq.SUBSCRIBE, frames[0][:1000])
# Subscribed to everything, we hear something each second: our messages are there by then.
sub.setsockopt(zmq.SUBSCRIBE, b"throughput")
sub.recv_multipart()
for socket in push, dealer, sub:
    socket.close(linger=5000)
context.term()
