"""Part of the second verifier; see README.md beside it.

Redactions, exhibits, files, labels and signatures that are wrong or odd."""
from cases_roster import *  # noqa: F403


# ---------------------------------------------------------------- redaction
def red(paths, f=None, st=None, which=2, setup=None, **kw):
    def g():
        w, rid = std()
        if setup:
            setup(w, rid)
        w.log[which]["redact"] = paths
        return fin(w, envelopes=f, statement=st, **kw)
    return g


S3 = "/action/amend/set/severity"
LEAF = lambda r: r[0]["leaves"][0]
each("redacted", {
    "good": red([S3]),
    "create": red(["/action/create/fields/summary"], which=0),
    "create-nonce": red(["/action/create/nonce"], which=0),
    "create-reference": red(["/action/create/reference"], which=0),
    "create-kind": red(["/action/create/kind"], which=0),
    "nothing-withheld": red([]),
    "leaf-changed": red([S3], f=lambda e, r: LEAF(r).update(leaf="11" * 32)),
    "shown-changed": red([], f=lambda e, r: LEAF(r).update(value="1")),
    "path-changed-withheld": red([S3], f=lambda e, r: LEAF(r).update(path="/action/amend/set/zzz"), st=lambda S: S["redactions"][0].update(paths=["/action/amend/set/zzz"])),
    "kind-changed-withheld": red([S3], f=lambda e, r: LEAF(r).update(path="/action/create/nonce"), st=lambda S: S["redactions"][0].update(paths=["/action/create/nonce"])),
    "kind-unknown": red([S3], f=lambda e, r: LEAF(r).update(path="/action/frob/x"), st=lambda S: S["redactions"][0].update(paths=["/action/frob/x"])),
    "path-no-pointer": red([S3], f=lambda e, r: LEAF(r).update(path="x"), st=lambda S: S["redactions"][0].update(paths=["x"])),
    "not-stated": red([S3], st=lambda S: S.update(redactions=[])),
    "paths-differ": red([S3], st=lambda S: S["redactions"][0].update(paths=["/action/x"])),
    "paths-none": red([S3], st=lambda S: S["redactions"][0].update(paths=[])),
    "ground-empty": red([S3], st=lambda S: S["redactions"][0].update(ground="")),
    "stated-twice": red([S3], st=lambda S: S["redactions"].append(S["redactions"][0])),
    "also-whole": red([S3], f=lambda e, r: e.append({"file": "x.json", **{k: v for k, v in r[0].items() if k != "leaves"}}), files=lambda F: F.update({"data/case/R-1/x.json": b"{}"})),
    "leaf-both": red([S3], f=lambda e, r: LEAF(r).update(value="4", salt="11" * 32)),
    "no-leaves": red([S3], f=lambda e, r: r[0].update(leaves=[])),
    "unsorted": red(["/action/create/fields/summary"], which=0, f=lambda e, r: r[0]["leaves"].reverse()),
    "wrong-sig": red([S3], f=lambda e, r: r[0].update(signature="11" * 64)),
    "order-member": red([S3], f=lambda e, r: r.__setitem__(0, dict(reversed(list(r[0].items()))))),
    "then-more": red([S3], setup=lambda w, r: note(w, "e1", r)),
    "bad-depth": red(["/action/note/text"], which=3, setup=lambda w, r: note(w, "e1", r, depth=9)),
    "bad-operator": red(["/action/note/text"], which=3, setup=lambda w, r: note(w, "e1", r, operator="ee" * 16)),
    "shown-not-canonical": red(["/action/create/fields/summary"], which=0, f=lambda e, r: [l.update(value=" " + l["value"]) for l in r[0]["leaves"] if l["path"].endswith("severity")]),
})


# ---------------------------------------------------------------- exhibits
def exh(name="photo.jpg", ext="jpg", data=b"jpegdata", absent=None, put_=True, redact=None, size=None, files=None, st=None, ident=IDENTITY, where=None):
    def g():
        w, rid = std()
        e = w.write("e2", rid, {"exhibit": {"name": name, "size": len(data) if size is None else size, "sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest(), "address": "aa" * 32, "sealed_size": 300, "identity": ident, "acquired_ms": T0}}, role="field")
        i = e["id"].hex()
        e["redact"] = redact
        ab = [dict(absent, exhibit=i) if False else {"exhibit": i, **absent}] if absent else []
        return fin(w, exhibits=[(where or i, ext, data)] if put_ else [], absent=ab, files=(lambda F: files(F, i)) if files else None, statement=st)
    return g


ID = "/action/exhibit/identity"
each("exhibit", {
    "good": exh(),
    "no-ext": exh("photo", "bin"),
    "upper-ext": exh("photo.JPG", "bin"),
    "upper-ext-lowered": exh("photo.JPG", "jpg"),
    "tar-gz": exh("a.tar.gz", "gz"),
    "dotfile": exh(".bashrc", "bin"),
    "dotfile-ext": exh(".bashrc", "bashrc"),
    "long-ext": exh("a.abcdefghi", "bin"),
    "trailing-dot": exh("a.", "bin"),
    "wrong-ext": exh("a.jpg", "png"),
    "path-name": exh("x.d/a", "bin"),
    "path-name2": exh("x.d/a", "d"),
    "absent-withheld-shown": exh(put_=False, absent={"withheld": True, "why": "x"}),
    "absent-withheld": exh(put_=False, absent={"withheld": True, "why": "x"}, redact=[ID]),
    "absent-gap": exh(put_=False, absent={"withheld": False, "why": "x"}),
    "absent-here": exh(absent={"withheld": False, "why": "x"}),
    "absent-gap-redacted": exh(put_=False, absent={"withheld": False, "why": "x"}, redact=[ID]),
    "unstated": exh(put_=False),
    "redacted-here": exh(redact=[ID]),
    "redacted-hash-here": exh(redact=["/action/exhibit/sha256", "/action/exhibit/sha512"]),
    "redacted-all-hash-size": exh(redact=["/action/exhibit/sha256", "/action/exhibit/sha512", "/action/exhibit/size"]),
    "redacted-name-here": exh(redact=["/action/exhibit/name"]),
    "redacted-name-bin": exh(redact=["/action/exhibit/name"], ext="bin"),
    "redacted-unstated": exh(redact=[ID], put_=False),
    "redacted-desc": exh(redact=["/action/exhibit/name"], put_=False, absent={"withheld": True, "why": "x"}),
    "size": exh(size=9),
    "empty": exh(data=b""),
    "identity-lower": exh(ident=IDENTITY.lower()),
    "identity-bad": exh(ident="AGE-SECRET-KEY-1AAAA"),
    "no-derived": exh(files=lambda F, i: (F.pop(f"data/evidence/{i}/exhibit.json"), F.pop(f"data/evidence/{i}/custody.jsonl"))),
    "extra": exh(files=lambda F, i: F.update({f"data/evidence/{i}/note.txt": b"x"})),
    "two-originals": exh(files=lambda F, i: F.update({f"data/evidence/{i}/original.bin": b"x"})),
    "stranger": exh(files=lambda F, i: F.update({f"data/evidence/{'ab' * 32}/original.bin": b"x"})),
    "loose": exh(files=lambda F, i: F.update({"data/evidence/x": b"x"})),
    "sealed-age": exh(files=lambda F, i: F.update({f"data/evidence/{i}/sealed.age": b"x"})),
    "junk-derived": exh(files=lambda F, i: F.update({f"data/evidence/{i}/custody.jsonl": b"\xff"})),
    "why-empty": exh(put_=False, absent={"withheld": False, "why": ""}),
})


# ---------------------------------------------------------------- files
def fl(f, **kw):
    def g():
        w, rid = std()
        return fin(w, files=f, **kw)
    return g


def rm(p):
    return fl(lambda F: F.pop(p) and None)


E1 = "data/case/R-1/envelopes.jsonl"
each("file", {
    "no-readme": rm("data/README.txt"),
    "no-lisezmoi": rm("data/LISEZMOI.txt"),
    "no-report": rm("data/case/report.html"),
    "no-timeline": rm("data/timeline.csv"),
    "no-schemas": rm("data/schemas/x.json"),
    "no-objects": rm("data/roster/objects.jsonl"),
    "no-statement": rm("data/case/statement.json"),
    "no-envelopes": rm(E1),
    "case-extra": fl(lambda F: F.update({"data/case/x.txt": b"x"})),
    "record-extra": fl(lambda F: F.update({"data/case/R-1/x.json": b"{}"})),
    "data-extra": fl(lambda F: F.update({"data/x": b"x"})),
    "log": fl(lambda F: F.update({"data/log/x": b"x"})),
    "interop": fl(lambda F: F.update({"data/interop/a/b": b"x"})),
    "schemas-file": fl(lambda F: F.update({"data/schemas/x.json": b"junk"})),
    "log-file": fl(lambda F: F.update({"data/log": b"x"})),
    "roster-extra": fl(lambda F: F.update({"data/roster/x": b"x"})),
    "empty-folder-name": fl(lambda F: F.update({"data/case/R-2/envelopes.jsonl": b""})),
    "redacted-empty": fl(lambda F: F.update({"data/case/R-1/redacted.jsonl": b""})),
    "crlf": fl(lambda F: F.update({E1: F[E1].replace(b"\n", b"\r\n")})),
    "no-last-lf": fl(lambda F: F.update({E1: F[E1][:-1]})),
    "extra-lf": fl(lambda F: F.update({E1: F[E1] + b"\n"})),
    "lines-reversed": fl(lambda F: F.update({E1: b"".join(F[E1].splitlines(True)[::-1])})),
    "member-order": fl(lambda F: F.update({E1: b"".join(dumps(dict(reversed(list(json.loads(l).items())))) + b"\n" for l in F[E1].splitlines())})),
    "spaces": fl(lambda F: F.update({E1: b"".join(json.dumps(json.loads(l)).encode() + b"\n" for l in F[E1].splitlines())})),
    "escapes": fl(lambda F: F.update({E1: F[E1].replace(b'"file"', b'"\\u0066ile"')})),
    "unknown-member": fl(lambda F: F.update({E1: F[E1].replace(b'{"file"', b'{"x":1,"file"')})),
    "dup-member": fl(lambda F: F.update({E1: F[E1].replace(b'{"file"', b'{"file":"a","file"', 1)})),
    "upper-hex": fl(lambda F: F.update({E1: b"".join(dumps({**(d := json.loads(l)), "ciphertext": d["ciphertext"].upper()}) + b"\n" for l in F[E1].splitlines())})),
    "bom": fl(lambda F: F.update({E1: b"\xef\xbb\xbf" + F[E1]})),
    "aux": fl(lambda F: F.update({"data/log/aux.txt": b"x"})),
    "com1-tar": fl(lambda F: F.update({"data/log/com1.tar.gz": b"x"})),
    "com-space": fl(lambda F: F.update({"data/log/com1 .txt": b"x"})),
    "tilde": fl(lambda F: F.update({"data/log/~x": b"x"})),
    "lead-space": fl(lambda F: F.update({"data/log/ x": b"x"})),
    "lead-dot": fl(lambda F: F.update({"data/log/.x": b"x"})),
    "case-twins": fl(lambda F: F.update({"data/log/A": b"x", "data/log/a": b"x"})),
    "folder-case-twins": fl(lambda F: F.update({"data/log/A/x": b"x", "data/log/a/y": b"x"})),
    "deep16": fl(lambda F: F.update({"data/log/" + "/".join("abcdefghijklmn"): b"x"})),
    "deep17": fl(lambda F: F.update({"data/log/" + "/".join("abcdefghijklmno"): b"x"})),
    "long240": fl(lambda F: F.update({"data/log/" + "x" * 231: b"x"})),
    "long241": fl(lambda F: F.update({"data/log/" + "x" * 232: b"x"})),
    "percent": fl(lambda F: F.update({"data/log/a%0Ab": b"x"})),
    "conout": fl(lambda F: F.update({"data/log/conout$": b"x"})),
    "com0": fl(lambda F: F.update({"data/log/COM0": b"x"})),
    "auxiliary": fl(lambda F: F.update({"data/log/auxiliary.txt": b"x"})),
    "zip-named": fl(lambda F: F.update({"data/log/x.zip": b"PK"})),
    "bagit-097": fl(lambda F: F.update({"bagit.txt": b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"})),
    "bagit-crlf": fl(lambda F: F.update({"bagit.txt": b"BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8\r\n"})),
    "bagit-lower": fl(lambda F: F.update({"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: utf-8\n"})),
    "bagit-nolf": fl(lambda F: F.update({"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8"})),
})


def env(f):
    def g():
        w, rid = std()
        return fin(w, envelopes=f)
    return g


each("line", {
    "file-slash": env(lambda e, r: e[0].update(file="../x.json")),
    "file-missing": env(lambda e, r: e[0].update(file="x.json")),
    "envelope-id": env(lambda e, r: e[0].update(envelope="11" * 32)),
    "entry-id": env(lambda e, r: e[0].update(entry="11" * 32)),
    "ciphertext": env(lambda e, r: e[0].update(ciphertext="11" * 32)),
    "signature": env(lambda e, r: e[0].update(signature="11" * 64)),
    "link-short": env(lambda e, r: e[0].update(link=e[0]["link"][:-2])),
    "header-extra": env(lambda e, r: e[0].update(header=e[0]["header"] + "00")),
    "header-empty": env(lambda e, r: e[0].update(header="")),
})


@case
def entry_file_named_otherwise():
    w, rid = std()
    w.log[1]["file"] = "hello.json"
    return fin(w)


@case
def entry_file_without_json():
    w, rid = std()
    w.log[1]["file"] = "hello.txt"
    return fin(w)


def bi(f, **kw):
    def g():
        w, rid = std()
        return fin(w, info=f, **kw)
    return g


each("baginfo", {
    "oxum": bi(lambda k: k[5].__setitem__(1, "1.1")),
    "order": bi(lambda k: k.reverse()),
    "extra": bi(lambda k: k.append(["Contact-Name", "X"])),
    "missing": bi(lambda k: k.pop(0) and None),
    "missing-oxum": bi(lambda k: k.pop() and None),
    "missing-date": bi(lambda k: k.pop(1) and None),
    "missing-id": bi(lambda k: k.pop(2) and None),
    "twice": bi(lambda k: k.append(k[0])),
    "date": bi(lambda k: k[1].__setitem__(1, "24.11.2026")),
    "date-nonsense": bi(lambda k: k[1].__setitem__(1, "2026-99-99")),
    "id": bi(lambda k: k[2].__setitem__(1, "aa" * 32)),
    "org": bi(lambda k: k[0].__setitem__(1, "Nobody")),
    "org-empty": bi(lambda k: k[0].__setitem__(1, "")),
    "agent": bi(lambda k: k[4].__setitem__(1, "x")),
    "utf8": bi(lambda k: k[0].__setitem__(1, "Cour constitutionnelle é")),
    "fold": bi(None, infotext=lambda k: "".join(f"{a}: {b}\n" for a, b in k).replace("Dossier", "Dossier\n  more").encode()),
    "crlf": bi(None, infotext=lambda k: "".join(f"{a}: {b}\r\n" for a, b in k).encode()),
    "latin1": bi(None, infotext=lambda k: "".join(f"{a}: {b}\n" for a, b in k).replace("COURT", "é").encode("latin1")),
    "lower-label": bi(None, infotext=lambda k: "".join(f"{a.lower()}: {b}\n" for a, b in k).encode()),
    "colon-nospace": bi(None, infotext=lambda k: "".join(f"{a}:{b}\n" for a, b in k).encode()),
})


def sg(f, **kw):
    def g():
        w, rid = std()
        return fin(w, sigs=lambda F, s: f(w, F, s) and None, **kw)
    return g


TM = "tagmanifest-sha256.txt"
each("sig", {
    "no-allowed": sg(lambda w, F, s: F.pop("signatures/allowed_signers")),
    "allowed-junk": sg(lambda w, F, s: F.update({"signatures/allowed_signers": b"x\n"})),
    "allowed-other-key": sg(lambda w, F, s: F.update({"signatures/allowed_signers": F["signatures/allowed_signers"].replace(b"court", b"emb")})),
    "tsr-junk": sg(lambda w, F, s: F.update({"signatures/tagmanifest-sha256.txt.tsr": b"x"})),
    "tsa-junk": sg(lambda w, F, s: F.update({"signatures/tsa-chain.pem": b"x"})),
    "tlog-junk": sg(lambda w, F, s: F.update({"signatures/bundle.tlog-proof": b"x"})),
    "unknown-file": sg(lambda w, F, s: F.update({"signatures/x": b"x"})),
    "subfolder": sg(lambda w, F, s: F.update({"signatures/a/x": b"x"})),
    "second-good": sg(lambda w, F, s: F.update({f"signatures/{TM}.emb.sig": s(w.dev["e1"], F[TM])})),
    "second-field": sg(lambda w, F, s: F.update({f"signatures/{TM}.emb.sig": s(w.dev["e2"], F[TM])})),
    "second-wrong-agency": sg(lambda w, F, s: F.update({f"signatures/{TM}.police.sig": s(w.dev["e1"], F[TM])})),
    "second-stranger": sg(lambda w, F, s: F.update({f"signatures/{TM}.police.sig": s(Key("zz"), F[TM])})),
    "second-other-file": sg(lambda w, F, s: F.update({f"signatures/{TM}.emb.sig": s(w.dev["e1"], b"x")})),
    "second-unknown-agency": sg(lambda w, F, s: F.update({f"signatures/{TM}.zz.sig": s(w.dev["e1"], F[TM])})),
    "second-root": sg(lambda w, F, s: F.update({f"signatures/{TM}.emb.sig": s(w.root["emb"], F[TM])})),
    "second-badname": sg(lambda w, F, s: F.update({f"signatures/{TM}.EMB.sig": s(w.dev["e1"], F[TM])})),
    "own-missing": sg(lambda w, F, s: F.pop(f"signatures/{TM}.court.sig")),
    "own-by-other": sg(lambda w, F, s: F.update({f"signatures/{TM}.court.sig": s(w.dev["e1"], F[TM])})),
    "seal-by-other": sg(lambda w, F, s: F.update({"signatures/seal.txt.sig": s(w.dev["e1"], b"x")})),
    "crlf": sg(lambda w, F, s: F.update({f"signatures/{TM}.court.sig": F[f"signatures/{TM}.court.sig"].replace(b"\n", b"\r\n")})),
    "nolf": sg(lambda w, F, s: F.update({f"signatures/{TM}.court.sig": F[f"signatures/{TM}.court.sig"][:-1]})),
    "seal-itself": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"signatures/seal.txt.sig": s(w.dev["e1"], F["signatures/seal.txt"])})))(std()[0]),
    "empty-folder": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"data/log/": b""})))(std()[0]),
    "empty-top-folder": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"zzz/": b""})))(std()[0]),
    "top-file": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"x.txt": b""})))(std()[0]),
    "fetch": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"fetch.txt": b""})))(std()[0]),
    "no-bagit": lambda: (lambda w: fin(w, after=lambda F, s: F.pop("bagit.txt") and None))(std()[0]),
    "no-512": lambda: (lambda w: fin(w, after=lambda F, s: F.pop("manifest-sha512.txt") and None))(std()[0]),
    "no-tagmanifest": lambda: (lambda w: fin(w, after=lambda F, s: F.pop(TM) and None))(std()[0]),
    "no-baginfo": lambda: (lambda w: fin(w, after=lambda F, s: F.pop("bag-info.txt") and None))(std()[0]),
    "tagmanifest-512": lambda: (lambda w: fin(w, after=lambda F, s: F.update({"tagmanifest-sha512.txt": b""})))(std()[0]),
})
