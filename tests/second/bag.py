"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

Trust file, bag, signatures: dossier.md 1, 2, 5."""
import hashlib
import os
import re

from roster import Roster
from shapes import *  # noqa: F403
from sources import CannotRead, check_sshsig, path_problem

TOP = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt"]
LABELS = ["Source-Organization", "Bagging-Date", "External-Identifier", "Internal-Sender-Description", "Bag-Software-Agent", "Payload-Oxum"]
ONE, ALL = 256 << 20, 1 << 30


class Bag:
    """What needs no entry."""

    # ---- trust file
    def trust(self, path):
        try:
            if os.path.getsize(path) > ONE:
                raise Bad("above 256 MiB")
            t = loads(open(path, "rb").read())
            need(isinstance(t, dict) and set(t) == {"v", "operation", "name", "as_of", "roster", "logs", "cosigners"}, "trust file: members")
            need(t["v"] == 1, "trust file: version")
            E32(t["operation"], "operation")
            text(0, 65536)(t["name"], "name")
            need(isinstance(t["as_of"], str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", t["as_of"]), "as_of")
            need(isinstance(t["roster"], list) and isinstance(t["logs"], list) and isinstance(t["cosigners"], list), "lists")
            for o in t["roster"]:  # members in any order
                if isinstance(o, dict) and isinstance(o.get("epoch"), dict):
                    e = o["epoch"]
                    o["epoch"] = {k: e[k] for k in ["body", "signatures", "acceptances", "waivers"] if k in e} | e
                elif isinstance(o, dict) and isinstance(o.get("chain"), dict):
                    e = o["chain"]
                    o["chain"] = {k: e[k] for k in ["body", "by", "signature"] if k in e} | e
            r = Roster()
            for i, o in enumerate(t["roster"]):
                r.add(o, f"roster[{i}]")
            r.build()
            need(r.line, "no complete epoch 1")
            list_of(text(0, 65536), 0, 10**6)(t["logs"], "logs")
            list_of(text(0, 65536), 0, 10**6)(t["cosigners"], "cosigners")
            need(r.operation.hex() == t["operation"], "its roster is of another operation")
        except (Bad, OSError, Newer) as e:
            raise CannotRead("trust file", f"no usable trust file: {e}") from None
        self.t, self.troster = t, r

    # ---- bag
    def whole(self, p, mx=ONE):
        if self.src.sizes[p] > mx:
            raise CannotRead(p, "too large to be interpreted")
        self.interpreted += self.src.sizes[p]
        if self.interpreted > ALL:
            raise CannotRead(p, "interpreted files above 1 GiB")
        with self.src.open(p) as f:
            return f.read()

    def manifest(self, p, n):
        b = self.whole(p)
        try:
            s = b.decode("ascii")
            need(s.endswith("\n") or not s, "last line without a line feed")
            d = {}
            for i, l in enumerate(s.split("\n")[:-1], 1):
                m = re.fullmatch(r"([0-9a-f]{%d})  (.+)" % n, l)
                need(m, f"line {i} is malformed")
                bad = path_problem(m[2])
                need(not bad, f"line {i}: path refused: {bad}")
                need(m[2] not in d, f"line {i}: path twice")
                d[m[2]] = m[1]
            need("".join(f"{d[k]}  {k}\n" for k in sorted(d)) == s, "not sorted")
            return d
        except (Bad, UnicodeDecodeError) as e:
            self.bad(p, str(e))
            return None

    def bag(self):
        S = self.src
        self.interpreted = 0
        self.names()
        if "bagit.txt" not in S.sizes:
            raise CannotRead("bagit.txt", "no bag: it is not here")
        self.content, self.digest = {}, {}
        for p in sorted(S.sizes):
            self.hash(p)
        for d in S.empty:
            self.bad(d, "an empty folder")
        for p in S.sizes:
            if "/" not in p and p not in TOP and p != "tagmanifest-sha256.txt":
                self.bad(p, "a file at the top that has no place there")
            elif "/" in p and p.split("/")[0] not in ("data", "signatures"):
                self.bad(p, "a folder at the top that has no place there")
        if self.content["bagit.txt"] != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            self.bad("bagit.txt", "not the two lines of version 1.0")
        data = {p for p in S.sizes if p.startswith("data/")}
        for listing in (("tagmanifest-sha256.txt", 64, 1, set(TOP)), ("manifest-sha256.txt", 64, 1, data), ("manifest-sha512.txt", 128, 2, data)):
            self.listed(*listing)
        if "bag-info.txt" in S.sizes:
            try:
                self.bag_info(data)
            except (Bad, UnicodeDecodeError) as e:
                self.bad("bag-info.txt", str(e))

    def names(self):
        """No two names that some system takes for one."""
        S, low, dirs = self.src, {}, set()
        for p in S.sizes:
            parts = p.split("/")
            dirs |= {"/".join(parts[:i]) for i in range(1, len(parts))}
        for p in list(S.sizes) + sorted(dirs) + S.empty:
            if low.setdefault(p.lower(), p) != p:
                raise CannotRead(p, f"differs from {low[p.lower()]} only in case")
        for p in dirs:
            if p in S.sizes:
                raise CannotRead(p, "both file and folder")

    def hash(self, p):
        h2, h5, keep, n = hashlib.sha256(), hashlib.sha512(), [], 0
        small = not p.startswith("data/evidence/") or not re.search(r"/original\.[a-z0-9]+$", p)
        small = small and self.src.sizes[p] <= ONE
        with self.src.open(p) as f:
            while b := f.read(1 << 20):
                n += len(b)
                h2.update(b)
                h5.update(b)
                if small:
                    keep.append(b)
        self.digest[p] = (n, h2.hexdigest(), h5.hexdigest(), h5.digest())
        if small:
            self.content[p] = b"".join(keep)

    def listed(self, name, n, ix, what):
        """A manifest lists exactly `what`, as it is."""
        if name not in self.src.sizes:
            self.bad(name, "is not here")
            return
        m = self.manifest(name, n)
        if m is None:
            return
        for p in sorted(set(m) - what):
            self.bad(p, f"{name} lists it, and it is not here" if p not in self.src.sizes else f"{name} must not list it")
        for p in sorted(what - set(m)):
            self.bad(p, f"{name} does not list it")
        for p in sorted(set(m) & what):
            if p not in self.src.sizes:
                self.bad(p, "is not here")
            elif self.digest[p][ix] != m[p]:
                self.bad(p, f"its hash is not the one in {name}")

    def bag_info(self, data):
        lines = self.content["bag-info.txt"].decode("utf-8").split("\n")
        need(lines[-1] == "", "last line without a line feed")
        kv = [line.split(": ", 1) for line in lines[:-1]]
        need([k[0] for k in kv] == LABELS and all(len(k) == 2 for k in kv), "labels")
        self.info = dict(kv)
        plain = lambda v: v == v.strip() and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in v)  # noqa: E731
        need(all(map(plain, self.info.values())), "a value")
        octets = sum(self.src.sizes[p] for p in data)
        need(self.info["Payload-Oxum"] == f"{octets}.{len(data)}", "Payload-Oxum is not that of data/")

    # ---- signatures/
    def signatures(self):
        S = self.src
        sigs = sorted(p for p in S.sizes if p.startswith("signatures/"))
        self.sigs = {}
        for need_ in ("signatures/seal.txt", "signatures/seal.txt.sig"):
            if need_ not in S.sizes:
                self.bad(need_, "is not here")
        for p in sigs:
            n = p[len("signatures/"):]
            m = re.fullmatch(r"tagmanifest-sha256\.txt\.([a-z0-9-]{1,32})\.sig", n)
            if m:
                self.sigs[m[1]] = p
            elif n not in ("allowed_signers", "tagmanifest-sha256.txt.tsr", "tsa-chain.pem", "bundle.tlog-proof", "seal.txt", "seal.txt.sig"):
                self.bad(p, "has no place in signatures/")
        if "signatures/seal.txt" in S.sizes:
            m = self.manifest("signatures/seal.txt", 64)
            if m is not None:
                what = set(sigs) - {"signatures/seal.txt", "signatures/seal.txt.sig"}
                for p in sorted(set(m) - what):
                    self.bad(p, "seal.txt lists it, and it is not here")
                for p in sorted(what - set(m)):
                    self.bad(p, "seal.txt does not list it")
                for p in sorted(what & set(m)):
                    if m[p] != self.digest[p][1]:
                        self.bad(p, "its hash is not the one in seal.txt")
        self.keys = {}
        for p, over in [(p, "tagmanifest-sha256.txt") for p in self.sigs.values()] + [("signatures/seal.txt.sig", "signatures/seal.txt")]:
            if p not in S.sizes or over not in S.sizes:
                continue
            try:
                self.keys[p] = check_sshsig(self.content[p], self.digest[over][3]).hex()
            except Bad as e:
                self.bad(p, str(e))
