"""A libzmq peer for the tests: libzmq.py TYPE bind|connect ENDPOINT HEARTBEAT_MS

It obeys lines on its standard input and answers each on its standard output:

    send N SIZE PARTS   sends N messages                      -> sent
    recv N SIZE PARTS   receives N messages and checks them   -> received
    echo N              receives and sends back N messages    -> echoed
    ask N SIZE PARTS    sends N requests and checks replies   -> answered
    sub PREFIX          subscribes                            -> subscribed
    disconnects         how often a connection was lost       -> a number
    freeze              stops reading for ever                -> frozen
"""
import sys
import time

import zmq


def message(i, size, parts):
    return [bytes([(i * 31 + j) % 251]) * size for j in range(parts)]


def check(got, i, size, parts):
    want = message(i, size, parts)
    if got != want:
        sizes = [len(f) for f in got]
        sys.exit(f"message {i}: got frames of {sizes} bytes, want {parts} of {size}")


def main():
    kind, how, endpoint, heartbeat = sys.argv[1:5]
    context = zmq.Context()
    s = context.socket(getattr(zmq, kind))
    s.linger = 5000
    if int(heartbeat) > 0:
        s.setsockopt(zmq.HEARTBEAT_IVL, int(heartbeat))
        s.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15 * int(heartbeat))
    s.identity = b"libzmq-peer"
    monitor = s.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    if how == "bind":
        s.bind(endpoint)
    else:
        s.connect(endpoint)
    print(s.last_endpoint.decode().rstrip("\0"), flush=True)
    lost = 0
    for line in sys.stdin:
        word, *args = line.split()
        numbers = [int(a) for a in args] if word != "sub" else []
        if word == "send":
            n, size, parts = numbers
            for i in range(n):
                s.send_multipart(message(i, size, parts))
            print("sent", flush=True)
        elif word == "recv":
            n, size, parts = numbers
            for i in range(n):
                check(s.recv_multipart(), i, size, parts)
            print("received", flush=True)
        elif word == "echo":
            for _ in range(numbers[0]):
                s.send_multipart(s.recv_multipart())
            print("echoed", flush=True)
        elif word == "ask":
            n, size, parts = numbers
            for i in range(n):
                s.send_multipart(message(i, size, parts))
                check(s.recv_multipart(), i, size, parts)
            print("answered", flush=True)
        elif word == "sub":
            s.subscribe(" ".join(args))
            s.poll(10)  # libzmq takes note of accepted peers only in calls like this one
            print("subscribed", flush=True)
        elif word == "disconnects":
            while monitor.poll(0):
                monitor.recv_multipart()
                lost += 1
            print(lost, flush=True)
        elif word == "freeze":
            print("frozen", flush=True)
            time.sleep(1000)
    s.disable_monitor()
    monitor.close()
    s.close()
    context.term()


main()
