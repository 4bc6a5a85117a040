#!/usr/bin/env python3
"""Every #include of one of our folders must be among the DEPS that its CMake target lists (or theirs).

The table is read from the CMakeLists.txt files, so the build, this test and docs/ARCHITECTURE.md tell one story.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Folders that only wire others together may include anything.
FREE = {"cli", "tests", "bench", "fuzz"}
PLUGINS = {"connectors", "examples"}  # sdk only


def declared():
    table = {}
    for path in list(ROOT.glob("*/CMakeLists.txt")) + list(ROOT.glob("*/*.cmake")):
        for block in re.findall(r"millrace_library\((.*?)\)", path.read_text(), re.S):
            words = block.split()
            if "NAME" not in words:
                continue
            name, deps, reading = words[words.index("NAME") + 1], set(), False
            for word in words:
                if word.isupper() and word in {"NAME", "SRCS", "DEPS", "SYSTEM"}:
                    reading = word == "DEPS"
                elif reading:
                    deps.add(word)
            table.setdefault(path.parent.name, set()).update({d.split("_")[0] for d in deps} | {name.split("_")[0]})
    return table


def closure(table, folder, seen=None):
    seen = seen if seen is not None else set()
    if folder not in seen:
        seen.add(folder)
        for dep in table.get(folder, ()):
            closure(table, dep, seen)
    return seen


def main():
    table, wrong, files = declared(), [], 0
    folders = {p.name for p in ROOT.iterdir() if p.is_dir()}
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.suffix not in {".h", ".cc", ".hpp"} or parts[0] in FREE or parts[0].startswith((".", "build")):
            continue
        is_test = re.search(r"_(test|bench|fuzz|case)\.(cc|h)$|golden|fake_", path.name)
        files += 1
        allowed = {"sdk", *parts[:1]} if parts[0] in PLUGINS else closure(table, parts[0])
        for line, text in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            match = re.match(r'#include [<"]([a-z0-9_]+)/', text)
            if not match or match[1] not in folders or match[1] in allowed:
                continue
            if is_test and (match[1] == "tests" or parts[0] in PLUGINS):
                continue
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {parts[0]} may not include {match[1]} (its DEPS reach {sorted(allowed)})")
    print("\n".join(wrong) or f"layering holds in {files} files")
    sys.exit(1 if wrong or files == 0 else 0)


main()
