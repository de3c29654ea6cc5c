#!/usr/bin/env python3
"""Shows what happens in an imagefarm: one line for each event, its topic and its payload as JSON.

    python3 subscriber.py                         everything
    python3 subscriber.py task.rejected task.dead    only what went wrong

It needs pyzmq and msgpack. Any number of subscribers may come and go; the sink does not wait for them. One that is too slow
misses events, and is told how many by "events.missed".
"""
import argparse
import json

import msgpack
import zmq


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topics", nargs="*", default=[""], help="prefixes of topics; none: everything")
    parser.add_argument("--events", default="tcp://127.0.0.1:5556", help="the sink's endpoint")
    args = parser.parse_args()

    events = zmq.Context().socket(zmq.SUB)
    for topic in args.topics:
        events.setsockopt_string(zmq.SUBSCRIBE, topic)
    events.connect(args.events)
    while True:
        topic, payload = events.recv_multipart()
        # timestamp=3: msgpack's timestamps become datetimes
        print(topic.decode(), json.dumps(msgpack.unpackb(payload, timestamp=3), default=str), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
