"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

The conventions of README.md: tagged hash, canonical JSON, numbers, age strings."""
import base64
import hashlib
import hmac
import json
import re

import ed25519_strict as ed


class Bad(Exception):
    """Malformed."""


class Newer(Exception):
    """Needs newer software."""


def sha256(b):
    return hashlib.sha256(b).digest()


def tagged(tag, *parts):
    t = tag.encode()
    h = hashlib.sha256(bytes([len(t)]) + t)
    for p in parts:
        h.update(len(p).to_bytes(8, "big") + p)
    return h.digest()


def sig_ok(key, tag, msg, sig):
    return ed.verify(key, tagged(tag, msg), sig)


# ---------------------------------------------------------------- JSON
def _pairs(pairs):
    d = {}
    for k, v in pairs:
        if k in d:
            raise Bad(f"member {k!r} twice")
        d[k] = v
    return d


def _nofloat(s):
    raise Bad(f"number {s} is no integer")


def _noint(s):
    if len(s) > 20:
        raise Bad("number too long")
    return int(s)


def loads(b):
    try:
        return json.loads(b.decode("utf-8"), object_pairs_hook=_pairs, parse_float=_nofloat, parse_int=_noint, parse_constant=_nofloat)
    except Bad:
        raise
    except (ValueError, RecursionError) as e:
        raise Bad(f"no JSON: {e}") from None


def dumps(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def canonical(b):
    v = loads(b)
    try:
        again = dumps(v)
    except UnicodeEncodeError:
        raise Bad("lone surrogate") from None
    if again != b:
        i = next((i for i, (x, y) in enumerate(zip(again, b)) if x != y), min(len(again), len(b)))
        raise Bad(f"not canonical JSON at byte {i}")
    return v


WS = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def need(ok, what):
    if not ok:
        raise Bad(what)


def obj(v, spec, what="object"):
    """spec: [(name, checker)], name ends with ? if optional; order is exact."""
    need(isinstance(v, dict), f"{what}: no object")
    names = [n.rstrip("?") for n, _ in spec]
    for k in v:
        need(k in names, f"{what}: unknown member {k!r}")
    for n, c in spec:
        opt = n.endswith("?")
        n = n.rstrip("?")
        if n not in v:
            need(opt, f"{what}: member {n!r} is missing")
            continue
        c(v[n], f"{what}.{n}")
    need(list(v) == [n for n in names if n in v], f"{what}: members out of order")


def text(lo, hi):
    def c(v, what):
        need(isinstance(v, str), f"{what}: no text")
        n = len(v.encode("utf-8"))
        need(lo <= n <= hi, f"{what}: {n} bytes")
        if lo > 0:
            need(v.strip(WS) != "", f"{what}: only white space")
    return c


def code(v, what):
    need(isinstance(v, str) and re.fullmatch(r"[\x21-\x7e]{1,96}", v), f"{what}: no code")


def hexn(n):
    def c(v, what):
        need(isinstance(v, str) and re.fullmatch(r"[0-9a-f]{%d}" % (2 * n), v), f"{what}: no {n} bytes of hex")
    return c


def integer(lo, hi):
    def c(v, what):
        need(isinstance(v, int) and not isinstance(v, bool), f"{what}: no integer")
        need(lo <= v <= hi, f"{what}: out of range")
    return c


def boolean(v, what):
    need(isinstance(v, bool), f"{what}: no boolean")


def one_of(*vals):
    def c(v, what):
        need(isinstance(v, str) and v in vals, f"{what}: {v!r}")
    return c


def list_of(c, lo, hi):
    def cc(v, what):
        need(isinstance(v, list), f"{what}: no list")
        need(lo <= len(v) <= hi, f"{what}: {len(v)} items")
        for i, x in enumerate(v):
            c(x, f"{what}[{i}]")
    return cc


def nullable(c):
    def cc(v, what):
        if v is not None:
            c(v, what)
    return cc


def agency_id(v, what):
    need(isinstance(v, str) and re.fullmatch(r"[a-z0-9-]{1,32}", v), f"{what}: no agency id")


I64 = (-2**63, 2**63 - 1)
i64 = integer(*I64)
U64MAX = 2**64 - 1

# ---------------------------------------------------------------- bech32 for age
_CH = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(s, hrp, n):
    if not s.startswith(hrp + "1"):
        return None
    try:
        data = [_CH.index(c) for c in s[len(hrp) + 1:]]
    except ValueError:
        return None
    chk = 1
    for v in [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + data:
        b = chk >> 25
        chk = (chk & 0x1FFFFFF) << 5 ^ v
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            chk ^= g if (b >> i) & 1 else 0
    if chk != 1:
        return None
    acc = bits = 0
    out = bytearray()
    for v in data[:-6]:
        acc = acc << 5 | v
        bits += 5
        if bits >= 8:
            bits -= 8
            out.append(acc >> bits & 255)
    if bits >= 5 or acc & ((1 << bits) - 1) or len(out) != n:
        return None
    return bytes(out)


def age_recipient(v, what):
    need(isinstance(v, str) and len(v) == 62 and bech32(v, "age", 32) is not None, f"{what}: no age recipient")


def age_identity(v, what):
    need(isinstance(v, str) and v == v.upper() and bech32(v.lower(), "age-secret-key-", 32) is not None, f"{what}: no age identity")


# ---------------------------------------------------------------- binary
class Reader:
    def __init__(self, b):
        self.b, self.i = b, 0

    def take(self, n):
        need(n <= len(self.b) - self.i, f"ends early at byte {len(self.b)}")
        self.i += n
        return self.b[self.i - n:self.i]

    def u(self, n):
        return int.from_bytes(self.take(n), "big")

    def s(self, n):
        return int.from_bytes(self.take(n), "big", signed=True)

    def varint(self):
        v = shift = 0
        while True:
            c = self.take(1)[0]
            need(shift < 63 or c <= 1, "varint above 64 bits")
            v |= (c & 127) << shift
            if not c & 128:
                need(c != 0 or shift == 0, "varint not shortest")
                return v
            shift += 7
            need(shift <= 63, "varint too long")

    def bytes_(self, mx):
        n = self.varint()
        need(n <= mx, f"length {n} above {mx}")
        return self.take(n)

    def text(self, mx):
        try:
            return self.bytes_(mx).decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("no UTF-8") from None

    def end(self):
        need(self.i == len(self.b), f"bytes after the last field, at byte {self.i}")


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def sleb(n):
    out = bytearray()
    while True:
        b = n & 127
        n >>= 7
        if (n == 0 and not b & 64) or (n == -1 and b & 64):
            out.append(b)
            return bytes(out)
        out.append(b | 128)
