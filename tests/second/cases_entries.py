"""Part of the second verifier; see README.md beside it.

Entries and links that are wrong or odd."""
from cases import *  # noqa: F403


# ---------------------------------------------------------------- entries
def ent(**kw):
    def f():
        w, rid = std()
        w.write("e1", rid, kw.pop("action", {"note": {"text": "x"}}) if "action" in kw else {"note": {"text": "x"}}, **kw)
        return fin(w)
    return f


def act(a, **k):
    def f():
        w, rid = std()
        w.write("e1", rid, a, **k)
        return fin(w)
    return f


each("entry", {
    "good": lambda: fin(std()[0]),
    "depth+1": lambda: ent(depth=9)(),
    "number-same": lambda: ent(number=1)(),
    "number-skip": lambda: ent(number=5)(),
    "role-unknown": lambda: ent(role="boss")(),
    "role-not-held": lambda: ent(role="auditor")(),
    "role-empty": lambda: ent(role="")(),
    "operator": lambda: ent(operator="ee" * 16)(),
    "root": lambda: ent(root=b"\1" * 32)(),
    "v2": lambda: ent(raw=b'{"v":2,"x":1}')(),
    "v2-noncanonical": lambda: ent(raw=b'{"v":2, "x":1}')(),
    "v0": lambda: ent(raw=b'{"v":0,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}')(),
    "v2-full": lambda: ent(raw=b'{"v":2,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}')(),
    "v-text": lambda: ent(raw=b'{"v":"2","salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}')(),
    "v-big": lambda: ent(raw=b'{"v":99999999999,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}')(),
    "v-neg": lambda: ent(raw=b'{"v":-1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}')(),
    "unknown-kind": lambda: act({"frob": {"x": 1}})(),
    "unknown-kind-scalar": lambda: act({"frob": 1})(),
    "unknown-kind-float": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"frob":1.5}}')(),
    "unknown-kind-bad-salt": lambda: ent(raw=b'{"v":1,"salt":"AAA","action":{"frob":{}}}')(),
    "unknown-kind-order": lambda: ent(raw=b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA","v":1,"action":{"frob":{}}}')(),
    "two-kinds": lambda: act({"note": {"text": "x"}, "frob": {}})(),
    "no-kind": lambda: act({})(),
    "salt-trailing-bits": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAB","action":{"note":{"text":"x"}}}')(),
    "space": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text": "x"}}}')(),
    "newline": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}\n')(),
    "escape-u": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"\\u0041"}}}')(),
    "del-char": lambda: act({"note": {"text": "x\x7f\u2028"}})(),
    "ctrl": lambda: act({"note": {"text": "x\x01\x1f\b\f"}})(),
    "minus-zero": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"amend":{"set":{"zzz":-0}}}}')(),
    "note-empty": lambda: act({"note": {"text": ""}})(),
    "note-space": lambda: act({"note": {"text": " \t"}})(),
    "note-nbsp": lambda: act({"note": {"text": "\u00a0\u2003"}})(),
    "note-x1c": lambda: act({"note": {"text": "\x1c"}})(),
    "note-zwsp": lambda: act({"note": {"text": "\u200b"}})(),
    "note-bom": lambda: act({"note": {"text": "\ufeff"}})(),
    "note-16384": lambda: act({"note": {"text": "x" * 16384}})(),
    "note-16385": lambda: act({"note": {"text": "x" * 16385}})(),
    "settles-empty": lambda: act({"amend": {"set": {"severity": 1}, "settles": []}})(),
    "settles-twice": lambda: act({"amend": {"set": {"severity": 1}, "settles": ["aa" * 32, "aa" * 32]}})(),
    "set-empty": lambda: act({"amend": {"set": {}}})(),
    "set-order": lambda: act({"amend": {"set": {"station": "1", "severity": 1}}})(),
    "set-null": lambda: act({"amend": {"set": {"zzz": None}}})(),
    "set-bool": lambda: act({"amend": {"set": {"zzz": True}}})(),
    "set-emptytext": lambda: act({"amend": {"set": {"zzz": ""}}})(),
    "set-emptylist": lambda: act({"amend": {"set": {"zzz": []}}})(),
    "domains-empty": lambda: act({"amend": {"set": {"domains": []}}})(),
    "set-list-empty-text": lambda: act({"amend": {"set": {"zzz": [""]}}})(),
    "set-i64": lambda: act({"amend": {"set": {"zzz": 2**63}}})(),
    "set-i64min": lambda: act({"amend": {"set": {"zzz": -2**63}}})(),
    "severity-text": lambda: act({"amend": {"set": {"severity": "3"}}})(),
    "severity-5": lambda: act({"amend": {"set": {"severity": 5}}})(),
    "station-empty": lambda: act({"amend": {"set": {"station": ""}}})(),
    "assigned-field": lambda: act({"amend": {"set": {"assigned": "x"}}})(),
    "assigned-long": lambda: act({"amend": {"set": {"assigned": "x" * 300}}})(),
    "code-upper": lambda: act({"amend": {"set": {"category": "Ops X"}}})(),
    "code-nocolon": lambda: act({"amend": {"set": {"category": "!!"}}})(),
    "state-new": lambda: act({"state": {"to": "new"}})(),
    "state-bad": lambda: act({"state": {"to": "zzz"}})(),
    "move-decided": lambda: act({"move": {"to": "decided"}})(),
    "move-draft": lambda: act({"move": {"to": "draft"}})(),
    "answer-offered": lambda: act({"answer": {"referral": "aa" * 32, "step": "offered"}})(),
    "answer-noreason": lambda: act({"answer": {"referral": "aa" * 32, "step": "declined"}})(),
    "unshare-both-empty": lambda: act({"unshare": {"agencies": [], "devices": []}})(),
    "unshare-twice": lambda: act({"unshare": {"agencies": ["emb", "emb"], "devices": []}})(),
    "unshare-unsorted": lambda: act({"unshare": {"agencies": ["police", "court"], "devices": []}})(),
    "grant-epoch0": lambda: act({"share": {"grants": [{"to": {"agency": {"id": "court", "epoch": 0}}, "key": "aa" * 16, "wrap": "bb" * 32}]}})(),
    "grant-device": lambda: act({"share": {"grants": [{"to": {"device": {"id": "cc" * 32}}, "key": "aa" * 16, "wrap": "bb" * 32}]}})(),
    "grant-twice": lambda: act({"share": {"grants": [{"to": {"agency": {"id": "court", "epoch": 1}}, "key": "aa" * 16, "wrap": "bb" * 32}] * 2}})(),
    "grant-unknown-agency": lambda: act({"share": {"grants": [{"to": {"agency": {"id": "nobody", "epoch": 1}}, "key": "aa" * 16, "wrap": "bb" * 32}]}})(),
    "relate-self": lambda: act({"relate": {"relation": "related", "to": "aa" * 16, "reference": "R-2", "undo": False}})(),
    "relate-undo": lambda: act({"relate": {"relation": "related", "to": "aa" * 16, "reference": "R-2", "undo": True}})(),
    "respond-neg": lambda: act({"refer": {"to": "police", "ask": "respond", "respond_by_ms": -5, "grants": []}})(),
    "refer-nobody": lambda: act({"refer": {"to": "nobody", "ask": "respond", "grants": []}})(),
    "custody-with": lambda: act({"custody": {"exhibit": "aa" * 32, "act": "sealed", "with": "emb"}})(),
    "decide": lambda: act({"decide": {"outcome": "upheld", "reasons": "x"}})(),
    "write": lambda: act({"write": {"section": "situation", "base": [], "at": 0, "delete": 0, "insert": " "}})(),
    "write-nothing": lambda: act({"write": {"section": "situation", "base": [], "at": 3, "delete": 0, "insert": ""}})(),
    "write-section": lambda: act({"write": {"section": "Needs", "base": [], "at": 0, "delete": 1, "insert": ""}})(),
    "write-neg": lambda: act({"write": {"section": "needs", "base": [], "at": -1, "delete": 1, "insert": ""}})(),
    "write-u32": lambda: act({"write": {"section": "needs", "base": [], "at": 2**32, "delete": 1, "insert": ""}})(),
    "write-long": lambda: act({"write": {"section": "needs", "base": [], "at": 0, "delete": 0, "insert": "x" * 16385}})(),
    "write-base": lambda: act({"write": {"section": "needs", "base": ["aa" * 32, "bb" * 32], "at": 0, "delete": 0, "insert": "x"}})(),
    "write-base-twice": lambda: act({"write": {"section": "needs", "base": ["aa" * 32] * 2, "at": 0, "delete": 0, "insert": "x"}})(),
    "sign": lambda: act({"sign": {"capacity": "prepared", "sections": {"needs": "", "situation": "x"}}})(),
    "sign-none": lambda: act({"sign": {"capacity": "prepared", "sections": {}}})(),
    "sign-order": lambda: act({"sign": {"capacity": "approved", "sections": {"situation": "x", "needs": ""}}})(),
    "sign-capacity": lambda: act({"sign": {"capacity": "seen", "sections": {}}})(),
    "sign-much": lambda: act({"sign": {"capacity": "taken-over", "sections": {c: "x" * 16000 for c in ("a", "b", "c")}}})(),
    "create-report": lambda: act({"create": {"kind": "situation-report", "nonce": "ab" * 16, "owner": "emb", "reference": "R-1", "fields": {}, "grants": []}})(),
    "optional-null": lambda: ent(raw=b'{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"state":{"to":"closed","reason":null}}}')(),
    "second-create": lambda: act({"create": {"kind": "incident", "nonce": "ab" * 16, "owner": "emb", "reference": "R-1", "fields": {}, "grants": []}})(),
    "wall-2300": lambda: ent(wall=10**14)(),
    "wall-neg": lambda: ent(wall=-10**14)(),
    "sig-other-device": lambda: ent(signer=Key("zz"))(),
    "head-missing": lambda: ent(heads=[b"\7" * 32], depth=4)(),
    "head-missing-depth-low": lambda: ent(heads=[b"\7" * 32], depth=2)(),
    "no-heads-not-create": lambda: ent(heads=[], depth=1, number=1)(),
    "unauth-field-decides": lambda: act({"assign": {"to": "x"}}, )(),
})


@case
def create_owner_other():
    w = World().found()
    rid, a = w.create("e2")
    a["create"]["owner"] = "police"
    w.write("e2", rid, a, role="field")
    return fin(w)


@case
def create_wrong_nonce():
    w = World().found()
    rid, a = w.create("e2")
    a["create"]["nonce"] = "cd" * 16
    w.write("e2", rid, a, role="field")
    return fin(w)


@case
def reference_differs():
    w, rid = std(ref="OTHER-9")
    return fin(w)


@case
def folder_differs():
    w, rid = std()

    def files(F):
        for p in [p for p in F if p.startswith("data/case/R-1/")]:
            F[p.replace("R-1", "XYZ")] = F.pop(p)

    def st(S):
        S["records"][0]["folder"] = "XYZ"
    return fin(w, files=files, statement=st)


@case
def rejected_then_child():
    w, rid = std()
    b = w.write("e1", rid, {"note": {"text": "bad"}}, root=b"\1" * 32)
    w.write("e2", rid, {"note": {"text": "child"}}, role="field")
    return fin(w)


@case
def concurrent_pair():
    w, rid = std()
    h = [w.log[2]["id"]]
    w.write("e2", rid, {"note": {"text": "a"}}, heads=h, role="field")
    w.write("e1", rid, {"note": {"text": "b"}}, heads=h)
    return fin(w)


@case
def heads_redundant():
    """cites an entry and its ancestor too"""
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "b"}}, heads=[w.log[2]["id"], w.log[0]["id"]])
    return fin(w)


@case
def head_of_another_record():
    w, rid = std()
    r2, a = w.create("e1", ref="R-2", nonce="cd" * 16)
    w.write("e1", r2, a)
    w.write("e1", rid, {"note": {"text": "b"}}, heads=[w.log[3]["id"]], depth=2)
    return fin(w)


@case
def own_previous_unseen():
    """number 2 of e1 does not have e1's number 1 in its past, both present"""
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "b"}}, heads=[w.log[1]["id"]])
    return fin(w)


@case
def same_number_concurrent():
    w, rid = std()
    w.write("e1", rid, {"note": {"text": "b"}}, heads=[w.log[1]["id"]], number=1)
    return fin(w)


@case
def entry_in_other_records_folder():
    w, rid = std()
    r2, a = w.create("e1", ref="R-2", nonce="cd" * 16)
    e = w.write("e1", r2, a)
    e["rid"] = rid
    return fin(w)


@case
def one_entry_two_envelopes():
    w, rid = std()
    e = w.write("e1", rid, {"note": {"text": "b"}})
    n, i = w.chain["e1"]
    f = dict(e)
    lb = b"\x01" + w.op + w.dev["e1"].pub + (n + 1).to_bytes(8, "big") + i + e["view"] + e["lb"][137:]
    f.update(lb=lb, lid=tagged("intact/link/v1", lb), sig=w.dev["e1"].sign("intact/link-sig/v1", lb), n=n + 1, file="second.json")
    w.log.append(f)
    w.chain["e1"] = (n + 1, f["lid"])
    return fin(w)


@case
def one_envelope_two_lines():
    w, rid = std()
    f = dict(w.log[2], file="second.json")
    w.log.append(f)
    return fin(w)


@case
def one_file_two_lines():
    w, rid = std()
    return fin(w, envelopes=lambda env, red: env.append(env[0]))
