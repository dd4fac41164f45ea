#!/usr/bin/env python3
"""Runs the verifier of this project and the second one, written from the specification alone, over forged dossiers and
over randomly changed ones, and exits 1 if they differ in anything.

    python3 tests/second/compare.py --verify target/release/intact-verify [--bin target/release/intact] [--all]

Compared are the exit status; where it is 0 or 1, how many entries, gaps, quarantined and rejected entries there are,
and how many that come after a redacted one; and that the second one finds no entry unauthorised that the first one does
not. (It does not judge rights of single actions, rule 16 of entry.md, so it may find fewer.)"""
import argparse
import contextlib
import functools
import io
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import ed25519_strict as ed  # noqa: E402

# The cases share most of their signatures, and this is slow enough.
ed.verify = functools.lru_cache(maxsize=1 << 16)(ed.verify)
ed.sign = functools.lru_cache(maxsize=1 << 16)(ed.sign)
import forge  # noqa: E402
import mutations  # noqa: E402
import scenarios  # noqa: E402
import verify  # noqa: E402


def first(verdict):
    for kind in ("problems", "gaps", "quarantined", "not_authorised"):
        if verdict.get(kind):
            return json.dumps(verdict[kind][0], ensure_ascii=False)[:240]
    return ""


def theirs(binary, place, trust):
    done = subprocess.run([binary, place, "--trust", trust, "--json"], capture_output=True, text=True)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return f"{done.returncode}, no JSON", {"problems": [(done.stdout + done.stderr)[-300:]]}


def ours(place, trust):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            status = verify.main([place, "--trust", trust, "--json"])
        return status, json.loads(out.getvalue())
    except Exception as error:  # a verifier that breaks off is a difference too, and must not end the run
        return f"broke off: {error!r}", {}


def unjudged(verdict):
    """How many entries come after a redacted one, by the remarks."""
    told = (re.match(r"(\d+) entries (?:come )?after ", note) for note in verdict.get("notes", []))
    return sum(int(found[1]) for found in told if found)


def difference(a, b):
    """What differs; nothing if they agree."""
    if a[0] != b[0]:
        return f"exit {a[0]} and {b[0]}"
    if a[0] not in (0, 1):
        return ""
    found = []
    if a[1].get("entries") != b[1].get("entries"):
        found.append(f"{a[1].get('entries')} and {b[1].get('entries')} entries")
    for kind in ("gaps", "quarantined", "rejected"):
        if len(a[1][kind]) != len(b[1][kind]):
            found.append(f"{len(a[1][kind])} and {len(b[1][kind])} {kind}")
    if unjudged(a[1]) != unjudged(b[1]):
        found.append(f"{unjudged(a[1])} and {unjudged(b[1])} entries after a redacted one")
    if len(a[1]["not_authorised"]) < len(b[1]["not_authorised"]):
        found.append("more entries not authorised in the second")
    return ", ".join(found)


def compared(binary, what, place, trust):
    a, b = theirs(binary, place, trust), ours(place, trust)
    differs = difference(a, b)
    return differs and f"{what}: {differs}\n    first  {first(a[1])}\n    second {first(b[1])}"


def scenario(job):
    binary, root, name = job
    place = os.path.join(root, name.replace(":", "__"))
    files, trust = scenarios.ALL[name]()
    forge.put(place, files)
    with open(place + ".trust", "wb") as f:
        f.write(trust)
    found = compared(binary, name, os.path.join(place, "TAR") if set(files) == {"TAR"} else place, place + ".trust")
    shutil.rmtree(place)
    return found


def mutation(job):
    binary, root, source, trust, seed = job
    place = os.path.join(root, seed.replace("/", "_"))
    shutil.copytree(source, place)
    what = mutations.mutate(random.Random(seed), place)
    found = compared(binary, f"{seed}: {what}", place, trust)
    shutil.rmtree(place)
    return found


def real(binary, root):
    """The dossier of the demonstration. It ends with one bit flipped in the statement, which is put right again."""
    keep = os.path.join(root, "demo")
    subprocess.run([binary, "demo", "--keep", keep], check=True, capture_output=True)
    statement = os.path.join(keep, "dossier", "data", "case", "statement.json")
    with open(statement, "rb") as f:
        b = bytearray(f.read())
    b[len(b) // 2] ^= 1
    with open(statement, "wb") as f:
        f.write(b)
    return os.path.join(keep, "dossier"), os.path.join(keep, "trust.json")


def forged(root):
    """One with redaction, exhibit and further links."""
    files, trust = scenarios.ALL["exhibit:redacted-here"]()
    place = os.path.join(root, "forged")
    forge.put(place, files)
    with open(place + ".trust", "wb") as f:
        f.write(trust)
    return place, place + ".trust"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--verify", required=True, metavar="FILE", help="intact-verify")
    options.add_argument("--bin", metavar="FILE", help="intact: its demonstration makes a dossier to change")
    options.add_argument("--all", action="store_true", help="a thousand random changes of each dossier instead of eighty")
    options.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name has this in it")
    options.add_argument("--seed", default="1", help="of the random changes")
    given = options.parse_args()
    binary = os.path.abspath(given.verify)
    differences = []
    with tempfile.TemporaryDirectory(prefix="second-") as root:
        names = scenarios.chosen(given.only)
        sources = [] if given.only else [forged(root)] + ([real(os.path.abspath(given.bin), root)] if given.bin else [])
        differences += filter(None, (compared(binary, place, place, trust) for place, trust in sources))
        count = 1000 if given.all else 80
        changes = [(binary, root, place, trust, f"{given.seed}/{n}/{i}") for n, (place, trust) in enumerate(sources) for i in range(count)]
        with multiprocessing.Pool() as pool:
            differences += filter(None, pool.imap_unordered(scenario, [(binary, root, name) for name in names], 8))
            differences += filter(None, pool.imap_unordered(mutation, changes, 8))
    for text in differences:
        print(text)
    print(f"{len(names)} forged dossiers, {len(changes)} changed ones, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
