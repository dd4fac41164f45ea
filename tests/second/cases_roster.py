"""Part of the second verifier; see README.md beside it.

Rosters and trust files that are wrong or odd."""
from cases_links import *  # noqa: F403


# ---------------------------------------------------------------- rosters
def grown(build, exporter="c1", dossier_objects=None, trust_objects=None, pre=None, **kw):
    """build(w, rid) changes the roster and writes more."""
    def g():
        w = World().found()
        if pre:
            pre(w)
        rid, a = w.create("e2")
        w.write("e2", rid, a, role="field")
        w.write("e1", rid, {"amend": {"set": {"severity": 4}}})
        base = list(w.objects)
        build(w, rid)
        full = list(w.objects)
        if dossier_objects == "base":
            w.objects = base
        F = w.dossier(exporter=exporter, **kw)
        w.objects = full
        return F, w.trust(base if trust_objects == "base" else full)
    return g


def revoke(w, d, cut, by="e1", agency="emb", root=False, **kw):
    return w.add_chain(agency, {"revoke": {"device": w.dev[d].hex, "cut": cut and {"number": cut[0], "head": cut[1].hex()}, "reason": "lost", "effective_ms": T0}},
                       w.root[agency] if root else w.dev[by], **kw)


def note(w, d, rid, text="x", **kw):
    return w.write(d, rid, {"note": {"text": text}}, **kw)


def r_cut(w, rid):
    c = w.chain["e2"]
    note(w, "e2", rid, role="field")
    revoke(w, "e2", c)


def r_old_view_after_role_change(w, rid, cut):
    old = w.view()
    w.add_chain("emb", {"roles": {"device": w.dev["e2"].hex, "roles": ["exhibits"], "cut": cut and {"number": cut[0], "head": cut[1].hex()}}}, w.dev["e1"])
    note(w, "e2", rid, role="field", view=old)


each("roster", {
    "revoked-cut": grown(r_cut),
    "revoked-cut-trust-old": grown(r_cut, trust_objects="base"),
    "revoked-cut-dossier-old": grown(r_cut, dossier_objects="base"),
    "revoked-null": grown(lambda w, r: revoke(w, "e2", None)),
    "revoked-cut-other-head": grown(lambda w, r: revoke(w, "e2", (1, b"\1" * 32))),
    "revoked-exporter": grown(lambda w, r: revoke(w, "c1", (5, b"\1" * 32), agency="court", root=True)),
    "revoked-exporter-dossier-old": grown(lambda w, r: revoke(w, "c1", (5, b"\1" * 32), agency="court", root=True), dossier_objects="base"),
    "role-change-null-old-view": grown(lambda w, r: r_old_view_after_role_change(w, r, None)),
    "role-change-cut-old-view": grown(lambda w, r: r_old_view_after_role_change(w, r, w.chain["e2"])),
    "enrol-after": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]), note(w, "e3", r))),
    "enrol-after-trust-old": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]), note(w, "e3", r)), trust_objects="base"),
    "enrol-after-dossier-old": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]), note(w, "e3", r)), dossier_objects="base"),
    "enrol-short-network": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], short=True), w.dev["e1"]), note(w, "e3", r))),
    "enrol-bad-network": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], extra={"network_signature": "11" * 64}), w.dev["e1"]), note(w, "e3", r))),
    "enrol-bad-recipient": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], extra={"recipient": "age1xyz"}), w.dev["e1"]), note(w, "e3", r))),
    "enrol-lowertext-recipient": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], extra={"recipient": recipient("e3").upper()}), w.dev["e1"]), note(w, "e3", r))),
    "enrol-roles-unsorted": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["admin", "desk"]), w.dev["e1"]), note(w, "e3", r))),
    "enrol-roles-none": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", []), w.dev["e1"]), note(w, "e3", r))),
    "enrol-unit": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], extra={"unit": "u"}), w.dev["e1"]), note(w, "e3", r))),
    "enrol-by-root": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.root["emb"]), note(w, "e3", r))),
    "enrol-by-other-root": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.root["court"]), note(w, "e3", r))),
    "enrol-by-epoch-admin": grown(lambda w, r: note(w, "e3", r), pre=lambda w: (w.add_chain("emb", {"roles": {"device": w.dev["e1"].hex, "roles": ["desk"], "cut": None}}, w.dev["e1"]), w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]))),
    "enrol-in-two": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]), w.add_chain("court", w.enrol("e3", ["desk"], agency="emb"), w.dev["c1"]), note(w, "e3", r))),
    "enrol-in-two-short": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"], short=True), w.dev["e1"]), w.add_chain("court", w.enrol("e3", ["adjudicator"], short=True, agency="court"), w.dev["c1"]), note(w, "e3", r))),
    "contested": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"], take=False), w.add_chain("emb", w.enrol("x1", ["desk"]), w.dev["e1"]), note(w, "e1", r))),
    "contested-cite-before": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"], take=False), w.add_chain("emb", w.enrol("x1", ["desk"]), w.dev["e1"], take=False), note(w, "e1", r))),
    "contested-root": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"], take=False), w.add_chain("emb", w.enrol("x1", ["desk"]), w.root["emb"]), note(w, "x1", r))),
    "contested-root-after": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"], take=False), w.add_chain("emb", w.enrol("x1", ["desk"]), w.dev["e1"]), w.add_chain("emb", w.enrol("c2", ["desk"], agency="emb"), w.root["emb"]), note(w, "x1", r))),
    "contested-cite-dead-branch": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"]), note(w, "e1", r), w.heads.update(emb=OLD[0]), w.add_chain("emb", w.enrol("x1", ["desk"]), w.root["emb"])), pre=lambda w: OLD.__setitem__(0, w.heads["emb"])),
    "other-agency-dead-branch": grown(lambda w, r: (w.add_chain("police", w.enrol("e3", ["desk"], agency="police"), w.dev["p1"]), note(w, "e1", r), w.heads.update(police=OLD[0]), w.add_chain("police", w.enrol("x1", ["desk"], agency="police"), w.root["police"])), pre=lambda w: OLD.__setitem__(0, w.heads["police"])),
    "trust-has-other-branch": grown(lambda w, r: None),
    "epoch2": grown(lambda w, r: (w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"]), note(w, "e1", r))),
    "epoch2-two-of-three-no-court": grown(lambda w, r: (w.add_epoch(("cert", "court", "emb", "police"), ["emb", "police"]), note(w, "e1", r))),
    "epoch2-not-yet-cited": grown(lambda w, r: w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"]), trust_objects="base"),
    "epoch2-only-trust": grown(lambda w, r: w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"]), dossier_objects="base"),
    "epoch2-removes-police": grown(lambda w, r: (w.add_epoch(("court", "emb"), ["court", "emb"]), note(w, "e1", r))),
    "epoch2-removes-court": grown(lambda w, r: (w.add_epoch(("emb", "police"), ["emb", "police", "court"]), note(w, "e1", r))),
    "epoch2-renames": grown(lambda w, r: (w.add_epoch(operation_name="Other"), note(w, "e1", r))),
    "epoch2-two": grown(lambda w, r: (w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"], take=False), w.add_epoch(("court", "emb"), ["court", "emb"]))),
    "epoch2-two-cited": grown(lambda w, r: (w.add_epoch(("cert", "court", "emb", "police"), ["court", "emb"], take=False), w.add_epoch(("court", "emb"), ["court", "emb"]), note(w, "e1", r))),
    "epoch2-new-root": grown(lambda w, r: (w.root.update({"emb": Key("root emb 2")}), w.add_epoch_roots(["court", "emb"], {"emb": Key("root emb")}), note(w, "e1", r))),
    "police-author-after-removal": grown(lambda w, r: (note(w, "p1", r), w.add_epoch(("court", "emb"), ["court", "emb"]), note(w, "p1", r))),
    "police-author-old-view-after-removal": grown(lambda w, r: (OLD.__setitem__(0, w.view()), w.add_epoch(("court", "emb"), ["court", "emb"]), note(w, "p1", r, view=OLD[0]))),
    "rules-junk": grown(lambda w, r: None, pre=None),
    "second-revocation-later": grown(lambda w, r: (note(w, "e2", r, role="field"), revoke(w, "e2", (1, w.log[0]["lid"])), revoke(w, "e2", w.chain["e2"]))),
    "second-approval-missing": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk", "admin"]), w.dev["e1"]), revoke(w, "e2", None, take=False))),
    "self-revoke-exporter-emb": grown(lambda w, r: (w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"])), exporter="e3"),
    "field-exports": grown(lambda w, r: None, exporter="e2"),
})
OLD = [None]


def add_epoch_roots(self, signers, old):
    ags = [self.agency(a) for a in ("court", "emb", "police")]
    now = dict(self.root)
    self.root.update(old)
    o, i = self.epoch_obj(self.epoch_no + 1, self.epoch.hex(), ags, signers, accept=False)
    self.root = now
    self.objects.append(o)
    self.epoch, self.epoch_no = i, self.epoch_no + 1


World.add_epoch_roots = add_epoch_roots


def first(**kw):
    def g():
        w = World()
        w.add_epoch(**kw)
        for a, d, r in (("emb", "e1", ["field", "desk", "admin"]), ("police", "p1", ["desk", "admin"]), ("court", "c1", ["desk", "admin"])):
            w.add_chain(a, w.enrol(d, r), w.dev[d])
        rid, a = w.create("e1")
        w.write("e1", rid, a)
        return fin(w)
    return g


def rules(s):
    return first(edit=None, body=None, **{"signers": None, "rules_": s})


def with_rules(text):
    def g():
        w = World()
        ags = [w.agency(a) for a in ("court", "emb", "police")]
        body = j({"v": 1, "operation_name": "Vote", "exercise": False, "number": 1, "prev": None, "nonce": "00" * 16, "agencies": ags, "rules": text, "at_ms": T0})
        return _from(w, body)
    return g


def _from(w, body):
    ags = [w.agency(a) for a in ("court", "emb", "police")]
    o, i = w.epoch_obj(1, None, ags, ["court", "emb", "police"], body=body)
    w.objects.append(o)
    w.epoch, w.epoch_no = i, 1
    for a, d, r in (("emb", "e1", ["field", "desk", "admin"]), ("police", "p1", ["desk", "admin"]), ("court", "c1", ["desk", "admin"])):
        w.add_chain(a, w.enrol(d, r), w.dev[d])
    rid, a = w.create("e1")
    w.write("e1", rid, a)
    return fin(w)


def epbody(f):
    def g():
        w = World()
        ags = [w.agency(a) for a in ("court", "emb", "police")]
        v = {"v": 1, "operation_name": "Vote", "exercise": False, "number": 1, "prev": None, "nonce": "00" * 16, "agencies": ags, "at_ms": T0}
        v = f(v) or v
        return _from(w, v if isinstance(v, str) else j(v))
    return g


RULE = {"id": "lodge", "trigger": "act", "amount": 3, "unit": "day", "counting_mode": "calendar", "first_day_excluded": True, "roll_over": "none", "citation": "art. 1", "effect_of_lapse": "x"}
SET = {"version": "1", "zone": "Europe/Paris", "rest_days": ["sun"], "holidays": [], "rules": [RULE]}
each("epoch", {
    "missing-signature": first(signers=["emb", "court"]),
    "exercise": epbody(lambda v: v.update(exercise=True)),
    "rules-junk": with_rules("junk"),
    "rules-empty": with_rules(""),
    "rules-object": with_rules("{}"),
    "rules-good": with_rules(j(SET)),
    "rules-spaces": with_rules(json.dumps(SET)),
    "rules-order": with_rules(j(dict(reversed(list(SET.items()))))),
    "rules-bad-zone": with_rules(j(dict(SET, zone="Mars/X"))),
    "rules-all-rest": with_rules(j(dict(SET, rest_days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))),
    "hierarchy-space": epbody(lambda v: v["agencies"][0].update(hierarchy=" x")),
    "hierarchy-nbsp": epbody(lambda v: v["agencies"][0].update(hierarchy="\u00a0x")),
    "hierarchy": epbody(lambda v: v["agencies"][0].update(hierarchy="State")),
    "admins-none": epbody(lambda v: v["agencies"][2].update(admins=[])),
    "rules-null": epbody(lambda v: dict(list(v.items())[:7] + [("rules", None)] + list(v.items())[7:])),
    "hierarchy-null": epbody(lambda v: v["agencies"][0].update(hierarchy=None)),
    "kind-other": epbody(lambda v: v["agencies"][2].update(kind="other")),
    "kind-bad": epbody(lambda v: v["agencies"][2].update(kind="zzz")),
    "root-small-order": epbody(lambda v: v["agencies"][2].update(admins=["01" + "00" * 31])),
    "name-space": epbody(lambda v: v.update(operation_name=" ")),
    "name-padded": epbody(lambda v: v.update(operation_name=" Vote ")),
    "spaces": epbody(lambda v: json.dumps(v)),
    "recipient-bad": epbody(lambda v: v["agencies"][2].update(recipient="age1x")),
    "at-neg": epbody(lambda v: v.update(at_ms=-1)),
    "agency-id-hyphen": epbody(lambda v: v["agencies"][2].update(id="-")),
    "unsorted": epbody(lambda v: v["agencies"].reverse()),
})


# ---------------------------------------------------------------- trust file
def tr(f):
    def g():
        w, rid = std()
        return fin(w, trust=w.trust(edit=lambda t: f(w, t)))
    return g


each("trust", {
    "good": tr(lambda w, t: None),
    "compact": tr(lambda w, t: dumps(t)),
    "order": tr(lambda w, t: dict(reversed(list(t.items())))),
    "unknown": tr(lambda w, t: t.update(x=1)),
    "no-logs": tr(lambda w, t: t.pop("logs") and None),
    "no-cosigners": tr(lambda w, t: t.pop("cosigners") and None),
    "logs": tr(lambda w, t: t["logs"].append("x")),
    "logs-obj": tr(lambda w, t: t["logs"].append({"key": "x"})),
    "v2": tr(lambda w, t: t.update(v=2)),
    "operation": tr(lambda w, t: t.update(operation="aa" * 32)),
    "name": tr(lambda w, t: t.update(name="Other")),
    "name-empty": tr(lambda w, t: t.update(name="")),
    "as-of-fraction": tr(lambda w, t: t.update(as_of="2026-11-24T12:30:00.5Z")),
    "as-of-offset": tr(lambda w, t: t.update(as_of="2026-11-24T12:30:00+00:00")),
    "as-of-nonsense": tr(lambda w, t: t.update(as_of="2026-13-44T12:30:00Z")),
    "as-of-text": tr(lambda w, t: t.update(as_of="today")),
    "as-of-leap": tr(lambda w, t: t.update(as_of="2026-12-31T23:59:60Z")),
    "view": tr(lambda w, t: t["roster"].append({"view": w.views[w.view()].hex()})),
    "namein": tr(lambda w, t: t["roster"].append({"name": w.names[0]})),
    "reversed": tr(lambda w, t: t["roster"].reverse()),
    "empty-roster": tr(lambda w, t: t.update(roster=[])),
    "no-epoch": tr(lambda w, t: t.update(roster=t["roster"][1:])),
    "no-chains": tr(lambda w, t: t.update(roster=t["roster"][:1])),
    "dup-member": tr(lambda w, t: dumps(t).replace(b'{"v":1', b'{"v":1,"v":1', 1)),
    "chain-bad-sig": tr(lambda w, t: t["roster"].append({"chain": dict(t["roster"][4]["chain"], signature="11" * 64)})),
    "bom": tr(lambda w, t: b"\xef\xbb\xbf" + dumps(t)),
    "two-histories": tr(lambda w, t: t["roster"].extend([w.epoch_obj(2, w.epoch.hex(), [w.agency("court"), w.agency("emb")], ["emb", "court"])[0], w.epoch_obj(2, w.epoch.hex(), [w.agency("court"), w.agency("emb"), w.agency("police")], ["emb", "court"])[0]])),
    "two-firsts": tr(lambda w, t: t["roster"].append(w.epoch_obj(1, None, [w.agency("emb")], ["emb"], nonce="22" * 16)[0])),
    "other-branch": tr(lambda w, t: t["roster"].__setitem__(4, w.chain_obj("emb", w.enrol("e3", ["desk"]), w.dev["e1"], number=2, prev=tagged("intact/chain/v1", w.objects[1]["chain"]["body"].encode()))[0])),
    "both-branches": tr(lambda w, t: t["roster"].append(w.chain_obj("emb", w.enrol("e3", ["desk"]), w.dev["e1"], number=2, prev=tagged("intact/chain/v1", w.objects[1]["chain"]["body"].encode()))[0])),
    "unfit-extra": tr(lambda w, t: t["roster"].append(w.chain_obj("emb", w.enrol("e2", ["desk"]), w.dev["e1"])[0])),
    "epoch2-incomplete": tr(lambda w, t: t["roster"].append(w.epoch_obj(2, w.epoch.hex(), [w.agency("court"), w.agency("emb")], ["emb"])[0])),
    "trailing": tr(lambda w, t: dumps(t) + b"x"),
    "object-extra-member": tr(lambda w, t: t["roster"][0].update(x=1)),
    "epoch-member-order": tr(lambda w, t: t["roster"].__setitem__(0, {"epoch": dict(reversed(list(t["roster"][0]["epoch"].items())))})),
})
