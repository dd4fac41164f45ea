"""Part of the second verifier; see README.md beside it.

Links, statements and roster objects that are wrong or odd."""
from cases_entries import *  # noqa: F403


# ---------------------------------------------------------------- links
@case
def fork():
    w, rid = std()
    c = w.chain["e1"]
    w.write("e1", rid, {"note": {"text": "a"}})
    w.chain["e1"] = c
    w.write("e1", rid, {"note": {"text": "b"}})
    return fin(w)


@case
def fork_in_other_links():
    w, rid = std()
    c = w.chain["e1"]
    w.other_link("e1")
    w.chain["e1"] = c
    w.other_link("e1", view=b"\5" * 32)
    return fin(w)


@case
def prev_names_another():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, chain=(1, b"\6" * 32))
    return fin(w)


@case
def link_gap():
    w, rid = std()
    w.chain["e1"] = (3, b"\6" * 32)
    w.write("e1", rid, {"note": {"text": "a"}})
    return fin(w)


def stx(f):
    def g():
        w, rid = std()
        w.other_link("e1")
        return fin(w, statement=f)
    return g


each("statement", {
    "chain-higher": stx(lambda S: S["chains"][0].update(number=9)),
    "chain-lower": stx(lambda S: S["chains"][0].update(number=1)),
    "chain-head": stx(lambda S: S["chains"][0].update(head="aa" * 32)),
    "chain-u64max": stx(lambda S: S["chains"][0].update(number=2**64 - 1, head="77" * 32)),
    "chain-2^63": stx(lambda S: S["chains"][0].update(number=2**63, head="77" * 32)),
    "chain-zero": stx(lambda S: S["chains"][0].update(number=0)),
    "chain-missing": stx(lambda S: S["chains"].pop() and None),
    "chains-unsorted": stx(lambda S: S["chains"].reverse()),
    "chain-extra": stx(lambda S: S["chains"].append({"device": "ff" * 32, "number": 1, "head": "aa" * 32})),
    "chain-twice": stx(lambda S: S["chains"].append(S["chains"][0])),
    "entries+1": stx(lambda S: S["records"][0].update(entries=4)),
    "entries-1": stx(lambda S: S["records"][0].update(entries=2)),
    "heads-none": stx(lambda S: S["records"][0].update(heads=[])),
    "heads-twice": stx(lambda S: S["records"][0].update(heads=S["records"][0]["heads"] * 2)),
    "record-extra": stx(lambda S: S["records"].append({"id": "aa" * 16, "reference": "R-9", "folder": "R-9", "entries": 0, "heads": []})),
    "record-twice": stx(lambda S: S["records"].append(S["records"][0])),
    "record-id": stx(lambda S: S["records"][0].update(id="aa" * 16)),
    "folder-dots": stx(lambda S: S["records"][0].update(folder="../x")),
    "no-records": stx(lambda S: S.update(records=[])),
    "operation": stx(lambda S: S.update(operation="aa" * 32)),
    "roster": stx(lambda S: S.update(roster="aa" * 32)),
    "v2": stx(lambda S: S.update(v=2)),
    "exporter": stx(lambda S: S.update(exporter="aa" * 32)),
    "agency": stx(lambda S: S.update(agency="police")),
    "agency-unknown": stx(lambda S: S.update(agency="zz")),
    "addressee": stx(lambda S: dict(list(S.items())[:5] + [("addressee", "court")] + list(S.items())[5:])),
    "addressee-unknown": stx(lambda S: dict(list(S.items())[:5] + [("addressee", "nobody")] + list(S.items())[5:])),
    "addressee-order": stx(lambda S: S.update(addressee="court")),
    "addressee-null": stx(lambda S: dict(list(S.items())[:5] + [("addressee", None)] + list(S.items())[5:])),
    "at-neg": stx(lambda S: S.update(at_ms=-1)),
    "at-huge": stx(lambda S: S.update(at_ms=2**62)),
    "unknown-member": stx(lambda S: S.update(x=1)),
    "space": stx(lambda S: json.dumps(S).encode() + b"\n"),
    "no-lf": stx(lambda S: dumps(S)),
    "two-lf": stx(lambda S: dumps(S) + b"\n\n"),
    "escaped": stx(lambda S: dumps(S).replace(b'"v"', b'"\\u0076"') + b"\n"),
    "absent-unknown": stx(lambda S: S["absent_exhibits"].append({"exhibit": "aa" * 32, "withheld": True, "why": "x"})),
    "redaction-unknown": stx(lambda S: S["redactions"].append({"entry": "aa" * 32, "paths": [], "ground": "x"})),
    "redaction-of-whole": stx(lambda S: S["redactions"].append({"entry": S["records"][0]["heads"][0], "paths": ["/action/amend/set/severity"], "ground": "x"})),
    "elsewhere": stx(lambda S: S["elsewhere"].append({"from": S["records"][0]["id"], "record": "aa" * 16, "reference": "R-7", "relation": "related", "owner": "police", "ground": "x"})),
    "elsewhere-relation": stx(lambda S: S["elsewhere"].append({"from": S["records"][0]["id"], "record": "aa" * 16, "reference": "R-7", "relation": "zzz", "ground": "x"})),
    "elsewhere-from": stx(lambda S: S["elsewhere"].append({"from": "bb" * 16, "record": "aa" * 16, "reference": "R-7", "relation": "related", "ground": "x"})),
    "elsewhere-here": stx(lambda S: S["elsewhere"].append({"from": S["records"][0]["id"], "record": S["records"][0]["id"], "reference": "R-1", "relation": "related", "ground": "x"})),
})


@case
def related_not_elsewhere():
    w, rid = std()
    w.write("e1", rid, {"relate": {"relation": "related", "to": "aa" * 16, "reference": "R-2", "undo": False}})
    return fin(w)


def links(f):
    def g():
        w, rid = std()
        w.other_link("e1")
        w.other_link("e1")
        p = f"data/chain/{w.dev['e1'].hex}.links"

        def files(F):
            F[p] = f(w, F[p], F) or F[p]
            if F[p] == b"-":
                del F[p]
        return fin(w, files=files)
    return g


each("links", {
    "good": links(lambda w, b, F: None),
    "last-sig-bad": links(lambda w, b, F: b[:-1] + b"\xff"),
    "first-sig-bad": links(lambda w, b, F: b[:200] + b"\xff\xff" + b[202:]),
    "swapped": links(lambda w, b, F: b[233:] + b[:233]),
    "twice": links(lambda w, b, F: b + b[-233:]),
    "twice-other-sig": links(lambda w, b, F: b + b[-233:-64] + b"\1" * 64),
    "missing-first": links(lambda w, b, F: b[233:]),
    "missing-last": links(lambda w, b, F: b[:233]),
    "short": links(lambda w, b, F: b[:-1]),
    "none": links(lambda w, b, F: b"-"),
    "empty": links(lambda w, b, F: F.update({f"data/chain/{w.dev['e2'].hex}.links": b""})),
    "stranger": links(lambda w, b, F: F.update({f"data/chain/{'ab' * 32}.links": b})),
    "junk-name": links(lambda w, b, F: F.update({"data/chain/x.links": b})),
    "entry-link-too": links(lambda w, b, F: w.log[2]["lb"] + w.log[2]["sig"] + b),
    "version2": links(lambda w, b, F: b[:233] + b"\2" + b[234:]),
    "other-operation": links(lambda w, b, F: b + (b"\x01" + b"\3" * 32 + b[234 - 201 + 0:0])),
    "upper-name": links(lambda w, b, F: (F.update({f"data/chain/{w.dev['e1'].hex.upper()}.links": b}), b"-")[1]),
})


@case
def other_link_of_other_operation():
    w, rid = std()
    n, i = w.chain["e1"]
    lb = b"\x01" + b"\3" * 32 + w.dev["e1"].pub + (n + 1).to_bytes(8, "big") + i + w.view() + b"\4" * 32
    w.log.append({"d": "e1", "rid": None, "lb": lb, "lid": tagged("intact/link/v1", lb), "sig": w.dev["e1"].sign("intact/link-sig/v1", lb), "n": n + 1})
    return fin(w)


def other_link(led_back, **kw):
    """A link without content; an entry after it, or not."""
    w, rid = std()
    w.other_link("e1", **kw)
    if led_back:
        w.write("e1", rid, {"note": {"text": "a"}})
    return fin(w)


each("other-link", {
    "bad-signature": lambda: other_link(False, sig=b"\1" * 64),
    "bad-signature-led-back": lambda: other_link(True, sig=b"\1" * 64),
    "unknown-view": lambda: other_link(False, view=b"\5" * 32),
    "unknown-view-led-back": lambda: other_link(True, view=b"\5" * 32),
})


@case
def link_version_2():
    w, rid = std()
    w.log[2]["lb"] = b"\2" + w.log[2]["lb"][1:]
    w.log[2]["lid"] = tagged("intact/link/v1", w.log[2]["lb"])
    return fin(w)


@case
def header_version_2():
    w, rid = std()
    hb = w.log[2]["hb"]
    w.log[2]["hb"] = b"\2" + hb[1:]
    return fin(w)


@case
def view_unknown():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=b"\5" * 32)
    return fin(w)


@case
def view_of_unknown_epoch():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=w.view(epoch=b"\5" * 32))
    return fin(w)


@case
def view_without_own_agency():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=w.view(heads={"court": w.heads["court"]}))
    return fin(w)


@case
def view_before_enrolment():
    w = World().found()
    rid, a = w.create("e2")
    w.write("e2", rid, a, role="field", view=w.view(heads={**w.heads, "emb": (1, tagged("intact/chain/v1", w.objects[1]["chain"]["body"].encode()))}))
    return fin(w)


@case
def view_goes_back():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=w.view(heads={a: h for a, h in w.heads.items() if a != "police"}))
    return fin(w)


@case
def view_head_with_other_number():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=w.view(heads={**w.heads, "police": (2, w.heads["police"][1])}))
    return fin(w)


@case
def view_head_of_removed_agency_not_known():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "a"}}, view=w.view(heads={**w.heads, "zz": (1, b"\7" * 32)}))
    return fin(w)


def objs(f, **kw):
    def g():
        w, rid = std()
        return fin(w, objects=lambda o: f(w, o) or o, **kw)
    return g


each("objects", {
    "twice": objs(lambda w, o: o + o[-1:]),
    "reversed": objs(lambda w, o: o[::-1]),
    "no-names": objs(lambda w, o: [x for x in o if "name" not in x]),
    "name-wrong": objs(lambda w, o: o[:-1] + [{"name": dict(o[-1]["name"], name="Liar")}]),
    "name-stranger": objs(lambda w, o: o + [{"name": {"operator": "aa" * 16, "name": "X", "salt": "bb" * 16}}]),
    "name-two": objs(lambda w, o: o + [{"name": dict(o[-1]["name"], name="Liar")}]),
    "name-not-author": objs(lambda w, o: o + [{"name": n} for n in w.names if n["operator"] == w.operator["p1"]]),
    "name-empty": objs(lambda w, o: o + [{"name": {"operator": "aa" * 16, "name": " ", "salt": "bb" * 16}}]),
    "view-extra": objs(lambda w, o: o + [{"view": w.views[w.view(heads={"court": w.heads["court"]})].hex()}]),
    "view-unusable": objs(lambda w, o: o + [{"view": w.views[w.view(epoch=b"\1" * 32)].hex()}]),
    "view-malformed": objs(lambda w, o: o + [{"view": "0100"}]),
    "view-v2": objs(lambda w, o: o + [{"view": "02"}]),
    "view-none": objs(lambda w, o: [x for x in o if "view" not in x]),
    "view-upper": objs(lambda w, o: o + [{"view": next(x["view"] for x in o if "view" in x).upper()}]),
    "card": objs(lambda w, o: o + [{"card": "00"}]),
    "two-members": objs(lambda w, o: o + [{"view": "0100", "name": {}}]),
    "blank-line": objs(lambda w, o: o + [b""]),
    "spaces": objs(lambda w, o: o[:-1] + [json.dumps(o[-1]).encode()]),
    "chain-sig-bad": objs(lambda w, o: o + [{"chain": dict(o[4]["chain"], signature="11" * 64)}]),
    "chain-sig-bad-only": objs(lambda w, o: o[:2] + [{"chain": dict(o[2]["chain"], signature="11" * 64)}] + o[3:]),
    "chain-by-stranger-too": objs(lambda w, o: o + [{"chain": {"body": o[4]["chain"]["body"], "by": Key("zz").hex, "signature": Key("zz").sign("intact/chain-sig/v1", o[4]["chain"]["body"].encode()).hex()}}]),
    "chain-by-root-too": objs(lambda w, o: o + [{"chain": {"body": o[4]["chain"]["body"], "by": w.root["emb"].hex, "signature": w.root["emb"].sign("intact/chain-sig/v1", o[4]["chain"]["body"].encode()).hex()}}]),
    "chain-by-stranger": objs(lambda w, o: o + [w.chain_obj("emb", w.enrol("e3", ["field"]), Key("zz"))[0]]),
    "chain-unlisted-agency": objs(lambda w, o: o + [w.chain_obj("cert", w.enrol("x1", ["field"], agency="cert"), w.dev["x1"])[0]]),
    "chain-not-fit": objs(lambda w, o: o + [w.chain_obj("emb", w.enrol("e2", ["desk"]), w.dev["e1"])[0]]),
    "chain-orphan": objs(lambda w, o: o + [w.chain_obj("emb", w.enrol("e3", ["field"]), w.dev["e1"], number=9, prev=b"\1" * 32)[0]]),
    "chain-field-signs": objs(lambda w, o: o + [w.chain_obj("emb", w.enrol("e3", ["field"]), w.dev["e2"])[0]]),
    "chain-unknown-kind": objs(lambda w, o: o + [w.chain_obj("emb", {"frob": {}}, w.dev["e1"])[0]]),
    "chain-malformed": objs(lambda w, o: o + [{"chain": {"body": "{}", "by": "aa" * 32, "signature": "bb" * 64}}]),
    "epoch-no-acceptances": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], acceptances=[])}] + o[1:]),
    "epoch-sig-bad-one": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], signatures=[dict(o[0]["epoch"]["signatures"][0], signature="11" * 64)] + o[0]["epoch"]["signatures"][1:])}] + o[1:]),
    "epoch-sig-split": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], signatures=o[0]["epoch"]["signatures"][:1])}, {"epoch": dict(o[0]["epoch"], signatures=o[0]["epoch"]["signatures"][1:])}] + o[1:]),
    "epoch-accept-bad": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], acceptances=[dict(o[0]["epoch"]["acceptances"][0], signature="11" * 64)])}] + o[1:]),
    "epoch-waivers-empty": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], waivers=[])}] + o[1:]),
    "epoch-unsorted": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], signatures=o[0]["epoch"]["signatures"][::-1])}] + o[1:]),
    "epoch-waivers": objs(lambda w, o: [{"epoch": dict(o[0]["epoch"], waivers=[{"agency": "emb", "signature": "11" * 64}])}] + o[1:]),
    "epoch2-incomplete": objs(lambda w, o: o + [w.epoch_obj(2, w.epoch.hex(), [w.agency("court"), w.agency("emb")], ["emb"])[0]]),
    "epoch1-other-complete": objs(lambda w, o: o + [w.epoch_obj(1, None, [w.agency("emb")], ["emb"], nonce="22" * 16)[0]]),
    "epoch1-other-first": objs(lambda w, o: [w.epoch_obj(1, None, [w.agency("emb")], ["emb"], nonce="22" * 16)[0]] + o),
    "epoch2-orphan": objs(lambda w, o: o + [w.epoch_obj(3, "aa" * 32, [w.agency("emb")], ["emb"])[0]]),
    "empty-file": objs(lambda w, o: [x for x in o if False] or [b""]),
    "unknown-kind-member": objs(lambda w, o: o + [{"frob": 1}]),
})
