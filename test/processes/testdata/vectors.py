"""Reads the wire vectors with msgpack-python and checks that they mean what they say: python3 vectors.py FILE."""
import base64
import datetime
import json
import sys

import msgpack


def unpack(b):
    # Old msgpack packages send binaries as strings: keep their bytes.
    return msgpack.unpackb(b, unicode_errors="surrogateescape", timestamp=3, strict_map_key=False)


def as_bytes(value):
    return value.encode(errors="surrogateescape") if isinstance(value, str) else value


def same(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r} is not {want!r}")


def task(b, means):
    filename, data, *rest = unpack(b)
    info = rest[0] if rest else {}
    same("filename", filename, means["Filename"])
    same("data", as_bytes(data), base64.b64decode(means["Data"]))
    for key in "ID", "Run", "Delivery", "Recipe":
        same(key, info.get(key.lower(), 0 if key == "Delivery" else ""), means[key])
    same("ticket", info.get("ticket", b"").hex(), means.get("Ticket", ""))


def from_worker(b, means):
    try:
        value = unpack(b)
    except ValueError:
        value = b.decode()
    if isinstance(value, str):
        return same("name", value, means["BareName"])
    if isinstance(value, dict):
        for key, want in means["Heartbeat"].items():
            same(key, value.get(key.removesuffix("_us"), type(want)()), want)
        return None
    result = means["Result"]
    task_id, filename, outcome, *rest = value
    same("id", task_id, result["ID"])
    same("filename", filename, result["Filename"])
    same("outcome", outcome, result["Outcome"])
    outputs = rest[0] if rest and rest[0] is not None else []
    same("outputs", len(outputs), len(result["Outputs"] or []))
    for output, want in zip(outputs, result["Outputs"] or []):
        name, size, width, height, data = (list(output) + [None] * 5)[:5]
        same("name", name, want["Name"])
        same("size", size or 0, want["Size"])
        same("width", width or 0, want["Width"])
        same("height", height or 0, want["Height"])
        same("data", data, base64.b64decode(want["Data"]) if want["Data"] else None)
    info = rest[1] if len(rest) > 1 else {}
    for key in "Reason", "Detail", "Worker", "Run", "Format":
        same(key, info.get(key.lower(), ""), result[key])
    same("ticket", info.get("ticket", b"").hex(), result.get("Ticket", ""))
    return None


def event(b, means):
    value = unpack(b)
    for key, want in means.items():
        if key == "at":
            same(key, value[key], datetime.datetime.fromisoformat(want.replace("Z", "+00:00")))
        elif key == "known":  # JSON has its binaries as text
            got = dict(value[key])
            for binary, text in ("sha256", bytes.hex), ("thumbhash", lambda b: base64.b64encode(b).decode()):
                got[binary] = text(got.get(binary, b""))
            same(key, got, want)
        elif key == "timings":
            same(key, {k + "_us": v for k, v in value.get(key, {}).items()}, want)
        else:
            same(key, value.get(key.removesuffix("_us"), type(want)()), want)


def call(raw):
    def check(b, means):
        value = unpack(b)
        for key, want in means.items():
            got = value.get(key.lower())
            if key == raw and want is not None:
                want = unpack(base64.b64decode(want))
            same(key, got if got is not None or want is None else type(want)(), want)
    return check


def main():
    places = {"task": task, "from-worker": from_worker, "event": event, "request": call("Args"), "reply": call("Value")}
    vectors = json.load(open(sys.argv[1], encoding="utf-8"))
    wrong = 0
    for v in vectors:
        try:
            places[v["place"]](bytes.fromhex(v["hex"]), v["means"])
        except Exception as error:  # all of them are to be named
            wrong += 1
            print(f"{v['name']}: {type(error).__name__}: {error}")
    print(f"{len(vectors) - wrong} of {len(vectors)} vectors understood")
    sys.exit(1 if wrong or not vectors else 0)


main()
