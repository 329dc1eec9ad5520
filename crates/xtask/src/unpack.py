"""Hashes files, or takes one file out of a wheel: sha256 FILE... | unpack WHEEL MEMBER DESTINATION."""

import hashlib
import shutil
import sys
import zipfile

command, *arguments = sys.argv[1:]
if command == "sha256":
    for path in arguments:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        print(digest.hexdigest())
elif command == "unpack":
    wheel, member, destination = arguments
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(destination, "wb") as target:
        shutil.copyfileobj(source, target)
else:
    sys.exit(f"unknown command {command}")
