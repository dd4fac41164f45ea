"""Part of the second verifier; see README.md beside it.

Random changes of a dossier that nobody signs: a bit, a file removed, added, swapped, cut, renamed, longer."""
import os

ADDED = ["added.json", "x", "fetch.txt", ".hidden", "aux.txt", "a b", "manifest-md5.txt", "name.", "ü.txt", "empty/", "data", "A", "COM1", "a%25b"]


def files_of(d):
    return sorted(os.path.relpath(os.path.join(x, f), d) for x, _, fs in os.walk(d) for f in fs)


def _bytes(rng, path, kind):
    with open(path, "rb") as f:
        b = bytearray(f.read())
    if kind == "append" or not b:
        b += rng.choice([b"\n", b" ", b"x"])
        what = "longer"
    elif kind == "flip":
        i, bit = rng.randrange(len(b)), rng.randrange(8)
        b[i] ^= 1 << bit
        what = f"byte {i} bit {bit}"
    else:
        i = rng.randrange(len(b))
        del b[i:]
        what = f"cut to {i}"
    with open(path, "wb") as f:
        f.write(b)
    return what


def _swap(p, q):
    with open(p, "rb") as f, open(q, "rb") as g:
        a, b = f.read(), g.read()
    for path, content in ((p, b), (q, a)):
        with open(path, "wb") as f:
            f.write(content)


def mutate(rng, d):
    """Changes the copy in place; says what it did."""
    fs = files_of(d)
    kind = rng.choices(["flip", "remove", "add", "swap", "truncate", "rename", "append"], [60, 12, 8, 10, 4, 3, 3])[0]
    some = [f for f in fs if not f.startswith("data/schemas/")]
    f = rng.choice(some if rng.random() < 0.85 else fs)
    p = os.path.join(d, f)
    if kind in ("flip", "truncate", "append"):
        return f"{kind} {f}: {_bytes(rng, p, kind)}"
    if kind == "remove":
        os.remove(p)
        if not os.listdir(os.path.dirname(p)):
            os.rmdir(os.path.dirname(p))
        return f"remove {f}"
    if kind == "rename":
        g = f + rng.choice(["x", ".bak", "0"])
        os.rename(p, os.path.join(d, g))
        return f"rename {f} to {g}"
    if kind == "swap":
        g = rng.choice([x for x in some if x != f])
        _swap(p, os.path.join(d, g))
        return f"swap {f} {g}"
    g = os.path.join(os.path.dirname(f), rng.choice(ADDED))
    q = os.path.join(d, g)
    if os.path.exists(q.rstrip("/")):
        return mutate(rng, d)
    if g.endswith("/"):
        os.mkdir(q)
    else:
        with open(q, "wb") as x:
            x.write(b"{}\n")
    return f"add {g}"
