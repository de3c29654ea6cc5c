"""Reads shards like WebDataset: python3 shards.py SHARD...

Prints a JSON line for each sample: its key, the names of its files, and what its .json says. It fails unless every
shard is whole, the files of a sample stand side by side, and no key comes twice.
"""
import hashlib
import json
import re
import sys
import tarfile

META = re.compile(r"__[^/]*__($|/)")
NAME = re.compile(r"^((?:.*/|)[^.]+)[.]([^/]*)$")


def files(path):
    with tarfile.open(path, errorlevel=2) as shard:
        for member in shard:
            if not member.isreg() or META.match(member.name):
                sys.exit(f"{path}: {member.name} is not a file of a sample")
            yield member.name, shard.extractfile(member).read()


def samples(path):
    sample = None
    for name, data in files(path):
        match = NAME.match(name)
        if not match:
            sys.exit(f"{path}: {name!r} has no key")
        key, ext = match.groups()
        if sample is None or sample["__key__"] != key:
            if sample is not None:
                yield sample
            sample = {"__key__": key}
        if ext in sample:
            sys.exit(f"{path}: {name!r} comes twice")
        sample[ext] = data
    if sample is not None:
        yield sample


seen = set()
for path in sys.argv[1:]:
    for sample in samples(path):
        key = sample.pop("__key__")
        if key in seen:
            sys.exit(f"{path}: the key {key!r} comes twice")
        seen.add(key)
        about = json.loads(sample.pop("json"))
        ext = about["file"][len(key) + 1:]
        image = sample.pop(ext)
        if about["key"] != key or about["size"] != len(image) or about["sha256"] != hashlib.sha256(image).hexdigest():
            sys.exit(f"{path}: {key}.json does not describe its image: {about}")
        others = {name: data.decode() for name, data in sample.items()}
        print(json.dumps({"key": key, "about": about, "others": others}))
