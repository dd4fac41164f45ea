#!/usr/bin/env python3
"""A second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it. Python 3, standard
library only.

    python3 verify.py DOSSIER --trust FILE [--json]

Exit: 0 INTACT, 1 INTACT, WITH GAPS, 2 NOT INTACT, 3 CANNOT BE READ, 64 wrong usage."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bag import Bag  # noqa: E402
from case import Case  # noqa: E402
from roster import Roster  # noqa: E402
from shapes import *  # noqa: E402, F403
from sources import CannotRead, civil, open_source, sshstr  # noqa: E402


def hexed(value):
    return value.hex() if isinstance(value, bytes) else value


def R_knows(roster, it):
    """Whether the roster knows the device of an entry."""
    try:
        return roster.device(it["link"].device.hex())[1] is not None
    except (KeyError, TypeError):
        return False


class Verifier(Bag, Case):
    """Judges one dossier under one trust file."""

    def __init__(self, trust, path):
        self.problems, self.gaps, self.notes, self.quarantined, self.notauth, self.rejected, self.elsewhere = [], [], [], [], [], [], []
        self.out = {}
        self.trust(trust)
        self.src = open_source(path)
        self.run()

    def bad(self, path, what):
        self.problems.append({"path": path, "what": what})

    def gap(self, what, record=None, device=None):
        g = {"what": what}
        if record:
            g["record"] = record
        if device:
            g["device"] = device
        self.gaps.append(g)

    def choose(self):
        D, T = self.droster, self.troster
        op = "data/roster/objects.jsonl"
        if not getattr(D, "line", None):
            self.bad(op, "no complete epoch 1")
            return False
        if D.operation != T.operation or self.s["operation"] != T.operation.hex():
            self.bad("data/case/statement.json", "dossier and trust file are of two operations")
            return False
        if getattr(self, "info", None):
            if self.info["External-Identifier"] != self.s["operation"]:
                self.bad("bag-info.txt", "External-Identifier is not the operation")
            if self.info["Bagging-Date"] != civil(self.s["at_ms"]):
                self.bad("bag-info.txt", "Bagging-Date is not the day of the statement")
        if tagged("intact/roster/v1", D.view()).hex() != self.s["roster"]:
            self.bad(op, "the objects do not give the exporter's view")
        elif bytes.fromhex(self.s["roster"]) not in D.views:
            self.bad(op, "the exporter's view is not among the objects")
        self.histories(op)
        if D.continues(T):
            self.R = D
        elif T.continues(D):
            self.R = T
            T.views, T.names = D.views, D.names
            self.notes.append("the trust file knows more of the roster than the dossier")
        else:
            self.bad(op, "neither roster continues the other")
            return False
        return True

    def histories(self, op):
        """Two complete successors of one epoch, in dossier and trust file together."""
        both = Roster()
        for o in self.objects + self.t["roster"]:
            if "epoch" in o:
                both.add(o, "object")
        both.build()
        if not both.fork:
            return
        last = both.line[-1].number
        cited = {it["link"].view for it in self.items} | {bytes.fromhex(self.s["roster"])}
        seen = [v for h, v in self.droster.views.items() if h in cited]
        if self.droster.line[-1].number > last or any(v.number > last for v in seen):
            self.bad(op, "two histories, and the dossier rests on one of them")
        else:
            self.notes.append("two histories: an epoch has two complete successors")

    def check_exporter(self):
        s, R = self.s, self.R
        o = R.device(s["exporter"])
        if not o or o[0] != s["agency"]:
            self.bad("data/case/statement.json", "the exporter is no device of the stated agency")
        elif o[1].revoked:
            self.bad("data/case/statement.json", "the exporter is revoked")
        allowed = f'{s["agency"]} namespaces="evidence-bundle@v1" ssh-ed25519 '.encode() + base64.b64encode(sshstr(b"ssh-ed25519") + sshstr(bytes.fromhex(s["exporter"]))) + b"\n"
        if self.content.get("signatures/allowed_signers", allowed) != allowed:
            self.bad("signatures/allowed_signers", "is not the line of the exporter")
        own = self.sigs.get(s["agency"])
        if not own:
            self.bad(f"signatures/tagmanifest-sha256.txt.{s['agency']}.sig", "is not here")
        elif own in self.keys and self.keys[own] != s["exporter"]:
            self.bad(own, "is not by the exporter")
        k = "signatures/seal.txt.sig"
        if k in self.keys and self.keys[k] != s["exporter"]:
            self.bad(k, "is not by the exporter")
        for a, p in self.sigs.items():
            if p == own or p not in self.keys:
                continue
            o = R.device(self.keys[p])
            if not o or o[0] != a:
                self.bad(p, "is not by a device of the agency in its name")

    def check_links(self):
        checked, todo = set(), []
        for i, (k, sig, w, entry) in self.links.items():
            if entry:
                if not k.sig_ok(sig):
                    self.bad(w, "the link's signature does not hold")
                todo.append(k)
        seen = set()

        def back(k):
            while True:
                if k.id in seen:
                    return
                seen.add(k.id)
                n = self.links.get(k.prev)
                if not n or n[0].device != k.device or n[0].number != k.number - 1:
                    return
                k = n[0]
        for k in todo:
            back(k)
        rest = sorted((v for i, v in self.links.items() if not v[3]), key=lambda v: -v[0].number)
        for k, sig, w, _ in rest:
            if k.id in seen:
                continue
            if not k.sig_ok(sig):
                self.bad(w, "the link's signature does not hold")
            back(k)

    def check_chains(self):
        by = {}
        for k, *_ in self.links.values():
            by.setdefault(k.device, []).append(k)
        stated = {c["device"]: c for c in self.s["chains"]}
        st = "data/case/statement.json"
        for d in sorted(set(stated) - {d.hex() for d in by}):
            self.gap(f"the chain of {d[:8]} is stated, and nothing of it is here", device=d)
        self.forked, self.went_back = set(), set()
        for d, ks in by.items():
            c = stated.get(d.hex())
            byid = {k.id: k for k in ks}
            at = {}
            for k in ks:
                at.setdefault(k.number, set()).add(k.id)
                if k.number > 1:
                    at.setdefault(k.number - 1, set()).add(k.prev)
            top = max(k.number for k in ks)
            if not c:
                self.bad(st, f"no chain of {d.hex()[:8]} is stated")
            else:
                if top > c["number"]:
                    self.bad(st, f"the chain of {d.hex()[:8]} goes on beyond the stated head")
                have = {k.number for k in ks}
                expected = 1
                for n in sorted(have | {c["number"] + 1})[:10**7]:
                    if n > expected:
                        self.gap(f"links {expected} to {n - 1} are missing", device=d.hex())
                        if sum(g.get("device") == d.hex() for g in self.gaps) >= 20:
                            break
                    expected = n + 1
                if c["number"] in have and c["head"] != min(k.id for k in ks if k.number == c["number"]).hex():
                    self.bad(st, f"the chain of {d.hex()[:8]} ends elsewhere than stated")
            self.marks(d, ks, byid, min((n for n, ids in at.items() if len(ids) > 1), default=None))

    def marks(self, d, ks, byid, fork):
        R = self.R
        if fork is not None:
            keep = set()
            o = R.device(d.hex())
            if o and o[1].revoked and o[1].cut[1]:
                h = bytes.fromhex(o[1].cut[1])
                while h in byid and h not in keep:
                    keep.add(h)
                    h = byid[h].prev
            self.forked |= {k.id for k in ks if k.number >= fork and k.id not in keep}
        for k in ks:
            p = byid.get(k.prev)
            a, b = R.views.get(k.view), p and R.views.get(p.view)
            if a and b and R.usable(a) and R.usable(b) and R.behind(a, b):
                self.went_back.add(k.id)

    # ---- fold: rules 1 to 15 of entry.md section 5 (16 touches the verdict only where it waits)
    def fold(self, rec, items):
        R = self.R
        rid = rec["id"]
        items.sort(key=lambda it: (it["head"].depth, it["id"], it["link"].number, it["link"].id))
        by, order = {}, []
        for it in items:
            o = by.get(it["id"])
            if o:
                if o["link"].id == it["link"].id:
                    self.bad(it["where"], "one envelope twice")
                continue
            by[it["id"]] = it
            order.append(it)
        later = {}
        for it in reversed(order):
            it["ahead"] = list(later.get(it["link"].device, ()))
            # What stands on nothing stands in no line, except a creation, before which nothing is.
            if it["head"].heads or (it["entry"] and it["entry"].kind == "create"):
                later.setdefault(it["link"].device, []).append(it["link"].number)
        self.tips = getattr(self, "tips", {})
        past = {}
        opaque = False
        redacted_before = 0
        for it in order:
            h, k = it["head"], it["link"]
            heads = [by.get(x) for x in h.heads]
            complete = all(x is not None and x["linked"] for x in heads)
            mine = {}
            for x in heads:
                if x is None or not x["linked"]:
                    continue
                for d, n in past[x["id"]].items():
                    mine[d] = max(mine.get(d, 0), n)
                d = x["link"].device
                mine[d] = max(mine.get(d, 0), x["head"].number)
            past[it["id"]] = mine
            it["status"], it["why"] = self.status(rid, it, complete, [x for x in heads if x], mine)
            kind = it["entry"].kind if it["entry"] else it.get("kind")
            deepest = max((x["head"].depth for x in heads if x), default=0)
            grounded = bool(h.heads) or kind in ("create", "?")
            it["linked"] = complete and grounded and h.record.hex() == rid and h.depth == 1 + deepest
            if it["leaves"]:
                opaque = True
            elif opaque:
                redacted_before += 1
        if redacted_before:
            self.notes.append(f"{redacted_before} entries after a redacted one cannot be judged in full")
        self.stated(rec, items, order, by)
        self.told(rid, order)
        return order

    def told(self, rid, order):
        """What the statuses say of the dossier: after the heads, since a rejected entry that is cited is no error."""
        for it in order:
            entry = {"record": rid, "entry": it["id"].hex(), "device": it["link"].device.hex(), "why": it["why"]}
            if it["status"] == "rejected" and it["covered"]:
                self.rejected.append(entry)
            elif it["status"] == "rejected":
                self.bad(it["where"], f"rejected: {it['why']}")
            elif it["status"] == "waiting":
                self.gap(f"entry {it['id'].hex()[:8]} is waiting: {it['why']}", rid)
            elif it["status"] == "quarantined":
                self.quarantined.append(entry)
            elif it["status"] == "not-authorised":
                self.notauth.append(entry)

    def stated(self, rec, items, order, by):
        rid, w = rec["id"], "data/case/statement.json"
        if rec["entries"] != len(items):
            self.bad(w, f"record {rec['reference']}: {rec['entries']} entries are stated, {len(items)} are here")
        cited = {x for it in order for x in it["head"].heads}
        if self.heads_of(order, by) != rec["heads"]:
            self.bad(w, f"record {rec['reference']}: the heads are not those stated")
        if cited - set(by):
            self.gap(f"{len(cited - set(by))} entries that others cite are not here", rid)
        nums = {}
        for it in order:
            if it["status"] != "rejected" and R_knows(self.R, it):
                nums.setdefault(it["link"].device, set()).add(it["head"].number)
        for d, ns in nums.items():
            n = len([n for n in range(1, min(max(ns), 10**6)) if n not in ns][:1000])
            if n:
                self.gap(f"{n} entries of this device are not here", rid, d.hex())
        self.reference(rec, order)

    def heads_of(self, order, by):
        """What the next entry may cite: linked, not rejected, of a known device, and not yet seen."""
        heads, covered = set(), set()
        for it in order:
            it["citable"] = it["linked"] and it["status"] != "rejected" and R_knows(self.R, it)
            if not it["citable"]:
                continue
            under = list(it["head"].heads)
            while under:
                x = by.get(under.pop())
                if x is None or x["id"] in heads:
                    heads.discard(x["id"] if x else None)
                elif not x["citable"] and x["id"] not in covered:
                    covered.add(x["id"])
                    under.extend(x["head"].heads)
            heads.add(it["id"])
        for it in order:
            it["covered"] = it["id"] in covered
        return sorted(x.hex() for x in heads)

    def reference(self, rec, order):
        """That of the creation; of one that counts for nothing, or of which that cannot be told, that or none."""
        names = []
        for it in order:
            if it["entry"] and it["entry"].kind == "create" and it["status"] != "rejected":
                names.append((it["entry"].a["reference"], it["status"] == "valid"))
            elif it["leaves"] and it["kind"] in ("create", "?"):
                names.append((it["shown"].get("/action/create/reference"), False))
        if any(sure for _, sure in names):
            names = [(name, sure) for name, sure in names if sure]
        elif not rec["reference"] or any(name is None for name, _ in names):
            return
        if names and rec["reference"] not in [name for name, _ in names]:
            self.bad("data/case/statement.json", f"the reference of {rec['id']} is not that of its creation")

    def status(self, rid, it, complete, heads, mine):
        R, h, k = self.R, it["head"], it["link"]
        if it["newer"]:
            return "waiting", it["newer"]
        if it["malformed"]:
            return "rejected", it["malformed"]
        kind = it["entry"].kind if it["entry"] else it["kind"]
        if h.record.hex() != rid:
            return "rejected", "it names another record"
        if kind == "create":
            if h.heads:
                return "rejected", "a creation that cites heads"
            nonce = it["entry"].a["nonce"] if it["entry"] else it["shown"].get("/action/create/nonce")
            if isinstance(nonce, str) and tagged("intact/record/v1", k.device, nonce.encode())[:16] != h.record:
                return "rejected", "record id, device and nonce do not agree"
        elif not h.heads and kind != "?":
            return "rejected", "no creation, and cites none"
        if complete:
            if h.heads and h.depth != 1 + max(x["head"].depth for x in heads):
                return "rejected", "depth"
            if h.number <= mine.get(k.device, 0):
                return "rejected", "number"
        v = R.views.get(k.view)
        if not v or not R.usable(v):
            return "waiting", "the roster view that its link cites is not here"
        roles, why = R.roles_in(v, k.device.hex(), k.number)
        if why:
            return "rejected", why
        if not complete:
            return "waiting", "earlier entries are missing"
        if k.id in self.forked:
            return "quarantined", "beyond a fork"
        a, st = R.device(k.device.hex())
        if st.revoked and k.number > st.cut[0]:
            return "quarantined", "written after its device was revoked"
        if st.revoked and k.number == st.cut[0] and k.id.hex() != hexed(st.cut[1]):
            return "quarantined", "the cut names another link of this number"
        if h.operator.hex() != st.enrol.a["operator"]:
            return "rejected", "its operator is not the device's"
        if a not in R.agencies:
            return "rejected", "its agency is in no epoch"
        unseen = mine.get(k.device, 0) < self.tips.get((rid, k.device), 0)
        if h.heads and (unseen or any(n < k.number for n in it["ahead"])):
            return "quarantined", "beside its own"
        self.tips[(rid, k.device)] = h.number
        if k.id in self.went_back:
            return "not-authorised", "its link cites a roster behind its predecessor's"
        if h.role not in roles:
            return "not-authorised", "the role in its header is none that the view gives"
        return "valid", None

    # ---- exhibits
    def exhibits(self, entries):
        S = self.src
        absent = {x["exhibit"]: x for x in self.s["absent_exhibits"]}
        ex, count = {}, 0
        for it in entries:
            if it["entry"] and it["entry"].kind == "exhibit":
                ex[it["id"].hex()] = (it, it["entry"].a)
            elif it["leaves"] and "exhibit" in it["claims"]:
                ex[it["id"].hex()] = (it, {p.split("/")[3]: v for p, v in it["shown"].items() if p.count("/") == 3})
        accounted = set()
        for i, (it, a) in sorted(ex.items()):
            base = f"data/evidence/{i}/"
            orig = [p for p in S.sizes if p.startswith(base + "original.")]
            accounted |= {base + "exhibit.json", base + "custody.jsonl", base + "sealed.age"}
            if i in absent:
                if orig:
                    self.bad(orig[0], "it is stated as absent, and is here")
                if absent[i]["withheld"]:
                    if it["entry"] or "identity" in a:
                        self.bad(it["where"], "the exhibit is withheld, and the identity that opens it is shown")
                else:
                    self.gap(f"exhibit {i[:8]} is not here: {absent[i]['why']}")
                accounted |= set(orig)
                continue
            if not orig:
                self.bad(base + "original", "the exhibit is not here, and not stated as absent")
                continue
            p = orig[0]
            accounted.add(p)
            n, h2, h5, _ = self.digest[p]
            if not all(k in a for k in ("size", "sha256", "sha512")):
                self.bad(p, "an original whose entry does not show size and both hashes")
                continue
            count += 1
            for k, v in (("size", n), ("sha256", h2), ("sha512", h5)):
                if k in a and a[k] != v:
                    self.bad(p, f"its {k} is not the one in its entry")
        for x in sorted(set(absent) - set(ex)):
            self.bad("data/case/statement.json", f"absent exhibit {x[:8]} is none of this dossier")
        for p in sorted(S.sizes):
            if p.startswith("data/evidence/") and p not in accounted:
                self.bad(p, "nothing accounts for it")
        return count

    def redactions(self):
        red = {it["id"].hex(): it for it in self.items if it["leaves"]}
        st = {r["entry"]: r for r in self.s["redactions"]}
        w = "data/case/statement.json"
        for i in sorted(set(red) ^ set(st)):
            self.bad(w, f"redaction of {i[:8]}: stated and not here, or here and not stated")
        for i in sorted(set(red) & set(st)):
            if st[i]["paths"] != red[i]["withheld"]:
                self.bad(w, f"redaction of {i[:8]}: the paths are not those withheld")

    def run(self):
        self.bag()
        self.signatures()
        if not self.statement():
            return
        self.read_roster()
        self.read_entries()
        if not self.choose():
            return
        self.check_exporter()
        self.check_links()
        self.check_chains()
        order = []
        for r in self.s["records"]:
            order += self.fold(r, [it for it in self.items if it["rec"] is r])
        n = self.exhibits(order)
        self.redactions()
        for e in self.s["elsewhere"]:
            self.elsewhere.append({"what": e["reference"], **({"owner": e["owner"]} if "owner" in e else {}), "ground": e["ground"]})
        devs = {it["link"].device.hex() for it in order}
        self.out = {"entries": len(self.items), "devices": len(devs), "agencies": len({self.R.device(d)[0] for d in devs if self.R.device(d)}), "exhibits": n}

    def verdict(self):
        return ("NOT INTACT", 2) if self.problems else ("INTACT, WITH GAPS", 1) if self.gaps else ("INTACT", 0)


def main(argv):
    args, trust, js = [], None, False
    i = 0
    while i < len(argv):
        if argv[i] == "--json":
            js = True
        elif argv[i] == "--trust" and i + 1 < len(argv):
            i += 1
            trust = argv[i]
        elif argv[i].startswith("-"):
            args = []
            break
        else:
            args.append(argv[i])
        i += 1
    if len(args) != 1 or not trust:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        v = Verifier(trust, args[0])
        word, code_ = v.verdict()
        doc = {"verdict": word, "as_of": v.t["as_of"], **v.out, "gaps": v.gaps, "elsewhere": v.elsewhere, "quarantined": v.quarantined,
               "not_authorised": v.notauth, "rejected": v.rejected, "notes": v.notes, "problems": v.problems}
    except CannotRead as e:
        word, code_ = "CANNOT BE READ", 3
        doc = {"verdict": word, "problems": [{"path": e.path, "what": e.what}]}
    if js:
        print(json.dumps(doc, ensure_ascii=False))
    else:
        print(word)
        for k in ("problems", "gaps", "quarantined", "not_authorised", "rejected", "elsewhere", "notes"):
            for x in doc.get(k, []):
                print(f"  {k}: {x if isinstance(x, str) else ' '.join(f'{a}={b}' for a, b in x.items())}")
        if "entries" in doc:
            print(f"  {doc['entries']} entries, {doc['devices']} devices, {doc['agencies']} institutions, {doc['exhibits']} exhibits; roster as known on {doc['as_of']}")
    return code_


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
