"""Part of the second verifier; see README.md beside it.

What somebody might hide behind a redaction, and tars."""
import io
import tarfile

from cases_files import *  # noqa: F403


# ---------------------------------------------------------------- redacted entries are judged by their headers too
NT = "/action/note/text"


def redw(build, **kw):
    def g():
        w, rid = std()
        build(w, rid)
        w.log[-1]["redact"] = [NT]
        return fin(w, **kw)
    return g


def rv(w, r):
    c = w.chain["e2"]
    note(w, "e2", r, role="field")
    revoke(w, "e2", c)
    w.log.append(w.log.pop(3))


each("redjudge", {
    "good": redw(lambda w, r: note(w, "e1", r)),
    "stranger": redw(lambda w, r: note(w, "x1", r)),
    "revoked": redw(rv),
    "unknown-view": redw(lambda w, r: note(w, "e1", r, view=b"\5" * 32)),
    "missing-head": redw(lambda w, r: note(w, "e1", r, heads=[b"\7" * 32], depth=4)),
    "number-same": redw(lambda w, r: note(w, "e1", r, number=1)),
    "number-skip": redw(lambda w, r: note(w, "e1", r, number=7)),
    "role": redw(lambda w, r: note(w, "e1", r, role="auditor")),
    "no-heads": redw(lambda w, r: note(w, "e1", r, heads=[], depth=1, number=1)),
    "goes-back": redw(lambda w, r: note(w, "e1", r, view=w.view(heads={a: h for a, h in w.heads.items() if a != "police"}))),
    "view-without-agency": redw(lambda w, r: note(w, "e1", r, view=w.view(heads={"court": w.heads["court"]}))),
    "fork": redw(lambda w, r: (C.__setitem__(0, w.chain["e1"]), note(w, "e1", r), w.chain.update(e1=C[0]), note(w, "e1", r, text="y"))),
})
C = [None]


@case
def redacted_in_another_records_folder():
    w, rid = std()
    r2, a = w.create("e1", ref="R-2", nonce="cd" * 16)
    w.write("e1", r2, a)
    e = note(w, "e1", r2)
    e["rid"], e["redact"] = rid, [NT]
    return fin(w)


@case
def redacted_create_of_other_device():
    w, rid = std()
    r2, a = w.create("e2", ref="R-2", nonce="cd" * 16)
    e = w.write("e1", r2, a)
    e["redact"] = ["/action/create/nonce"]
    return fin(w)


# ---------------------------------------------------------------- what a redaction can hide
def author_dropped(redact):
    """p1's only entry is dropped; the one entry that cites it withholds this."""
    w = World().found()
    rid, a = w.create("e2", fields={"severity": 3}, grants=[{"to": {"agency": {"id": "police", "epoch": 1}}, "key": "aa" * 16, "wrap": "bb" * 32}])
    w.write("e2", rid, a, role="field")
    w.write("p1", rid, {"note": {"text": "the vote was bought"}})
    x = w.write("e1", rid, {"amend": {"set": {"severity": 2, "station": "1"}}})
    note(w, "e1", rid, "later")
    x["redact"] = redact
    w.log.pop(1)
    return fin(w)


each("hide-author", {
    "behind-redaction": lambda: author_dropped(["/action/amend/set/station"]),
    "behind-empty-redaction": lambda: author_dropped([]),
    "without-redaction": lambda: author_dropped(None),
})


@case
def redaction_and_unknown_view():
    w, rid = std()
    w.log[1]["redact"] = [NT]
    note(w, "e1", rid, view=b"\5" * 32)
    return fin(w)


@case
def redaction_and_newer():
    w, rid = std()
    w.log[1]["redact"] = [NT]
    w.write("e1", rid, {"frob": {"x": 1}})
    return fin(w)


@case
def redaction_and_wrong_heads():
    w, rid = std()
    w.log[1]["redact"] = [NT]
    return fin(w, statement=lambda S: S["records"][0].update(heads=["77" * 32]))


@case
def redaction_and_wrong_reference():
    w, rid = std(ref="OTHER")
    w.log[1]["redact"] = [NT]
    return fin(w)


@case
def redaction_then_unauthorised_depth():
    """a whole entry after a redacted one, with a wrong depth"""
    w, rid = std()
    w.log[1]["redact"] = [NT]
    note(w, "e1", rid, depth=9)
    return fin(w)


@case
def redacted_twice():
    w, rid = std()
    w.log[1]["redact"] = [NT]
    return fin(w, envelopes=lambda e, r: r.append(r[0]), statement=lambda S: S["records"][0].update(entries=4))


@case
def whole_and_redacted():
    w, rid = std()

    def f(F):
        pass
    w.log.append(dict(w.log[1], redact=[NT], file="z.json"))
    return fin(w, statement=lambda S: S["records"][0].update(entries=4))


@case
def signature_only_in_links_file():
    w, rid = std()
    e = w.log[2]
    good = e["lb"] + e["sig"]
    e["sig"] = b"\1" * 64
    w.other_link("e1")
    p = f"data/chain/{w.dev['e1'].hex}.links"
    return fin(w, files=lambda F: F.update({p: good + F[p]}))


ALL["exhibit:redacted-hash-unstated"] = exh(redact=["/action/exhibit/sha256"], put_=False)
ALL["exhibit:redacted-hash-absent-gap"] = exh(redact=["/action/exhibit/sha256"], put_=False, absent={"withheld": False, "why": "x"})
ALL["exhibit:redacted-hash-absent-withheld"] = exh(redact=["/action/exhibit/sha256", ID], put_=False, absent={"withheld": True, "why": "x"})
def sg_revoked_second():
    w, rid = std()
    revoke(w, "e2", w.chain["e2"])
    return fin(w, sigs=lambda F, s: F.update({f"signatures/{TM}.emb.sig": s(w.dev["e2"], F[TM])}))


ALL["sig:second-revoked"] = sg_revoked_second


# ---------------------------------------------------------------- tar
def tarred(f=None, fmt="ustar", top="", raw=None):
    def g():
        w, rid = std()
        F = w.dossier()
        b = io.BytesIO()
        t = tarfile.open(fileobj=b, mode="w", format={"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}[fmt])
        for p in sorted(F):
            i = tarfile.TarInfo(top + p)
            i.size = len(F[p])
            if f:
                i = f(i) or i
            t.addfile(i, io.BytesIO(F[p]))
        t.close()
        x = b.getvalue()
        return {"TAR": raw(x) if raw else x}, w.trust()
    return g


def with_dirs(top=""):
    def g():
        w, rid = std()
        F = w.dossier()
        b = io.BytesIO()
        t = tarfile.open(fileobj=b, mode="w", format=tarfile.USTAR_FORMAT)
        ds = sorted({top + "/".join(p.split("/")[:i]) for p in F for i in range(1, p.count("/") + 1)} | ({top.rstrip("/")} if top else set()))
        for d in ds:
            i = tarfile.TarInfo(d)
            i.type = tarfile.DIRTYPE
            t.addfile(i)
        for p in sorted(F):
            i = tarfile.TarInfo(top + p)
            i.size = len(F[p])
            t.addfile(i, io.BytesIO(F[p]))
        t.close()
        return {"TAR": b.getvalue()}, w.trust()
    return g


def field(name, v):
    return lambda i: setattr(i, name, v)


each("tar", {
    "ustar": tarred(),
    "gnu": tarred(fmt="gnu"),
    "pax": tarred(fmt="pax"),
    "top": tarred(top="dossier/"),
    "dot": tarred(top="./"),
    "two-deep": tarred(top="a/b/"),
    "dirs": with_dirs(),
    "top-dirs": with_dirs("d/"),
    "mtime-pax": tarred(field("mtime", 1.5), fmt="pax"),
    "owner": tarred(field("uname", "root")),
    "mode": tarred(field("mode", 0o777)),
    "owner-pax": tarred(field("uname", "r\u00e9"), fmt="pax"),
    "absolute": tarred(top="/"),
    "end-cut": tarred(raw=lambda x: x[:-9000]),
    "no-end": tarred(raw=lambda x: x.rstrip(b"\0")),
    "one-zero-block": tarred(raw=lambda x: x.rstrip(b"\0") + bytes(-len(x.rstrip(b"\0")) % 512) + bytes(512)),
    "trailing": tarred(raw=lambda x: x + b"x"),
    "trailing-zeros": tarred(raw=lambda x: x + bytes(512)),
    "trailing-odd": tarred(raw=lambda x: x + bytes(7)),
    "trailing-2m": tarred(raw=lambda x: x + bytes(2 << 20)),
    "sum-spelling": tarred(raw=lambda x: x[:154] + b" \0" + x[156:]),
    "sum-7": tarred(raw=lambda x: x[:148] + b"0" + x[148:154] + b"\0" + x[156:]),
    "padding": tarred(raw=lambda x: x[:512 + 230] + b"x" + x[512 + 231:]),
    "empty": tarred(raw=lambda x: b""),
    "zip": tarred(raw=lambda x: b"PK\x03\x04" + x),
    "gz": tarred(raw=lambda x: b"\x1f\x8b" + x),
    "age": tarred(raw=lambda x: b"age-encryption.org/v1\n" + x),
    "junk": tarred(raw=lambda x: b"hello"),
})


# ---------------------------------------------------------------- two histories, names
def histories(dossier, cite):
    """Two successors of epoch 1, both in the trust file; the dossier has those named, and an entry may rest on the first."""
    def g():
        w = World().found()
        rid, a = w.create("e2")
        w.write("e2", rid, a, role="field")
        base, one = list(w.objects), None
        w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"])
        one = w.objects[-1]
        two = w.epoch_obj(2, w.first.hex(), [w.agency("court"), w.agency("emb")], ["court", "emb"])[0]
        if cite:
            note(w, "e1", rid)
        w.objects = base + [{"one": one, "two": two}[k] for k in dossier]
        if dossier != ["one"]:
            w.epoch, w.epoch_no = w.first, 1
        F = w.dossier()
        return F, w.trust(base + [one, two])
    return g


each("histories", {
    "none": histories([], False),
    "one": histories(["one"], False),
    "one-cited": histories(["one"], True),
    "both": histories(["one", "two"], False),
    "both-cited": histories(["one", "two"], True),
    "two-cited-one": histories(["two"], True),
})


def unnamed(revoked, redact=None, reference=""):
    def g():
        w, rid = std()
        if revoked:
            revoke(w, "e2", None)
        w.log[0]["redact"] = redact
        return fin(w, statement=lambda S: S["records"][0].update(reference=reference))
    return g


each("reference", {
    "empty": unnamed(False),
    "empty-revoked": unnamed(True),
    "other-revoked": unnamed(True, reference="R-9"),
    "empty-redacted": unnamed(False, ["/action/create/nonce"]),
    "other-redacted": unnamed(False, ["/action/create/nonce"], "R-9"),
    "other-withheld": unnamed(False, ["/action/create/reference"], "R-9"),
})
