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
from fold import Fold  # noqa: E402
from roster import Roster  # noqa: E402
from shapes import *  # noqa: E402, F403
from sources import CannotRead, civil, open_source, sshstr  # noqa: E402


class Verifier(Bag, Case, Fold):
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
            self.marks(ks)

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
            if it["status"] != "rejected" and self.known(it):
                nums.setdefault(it["link"].device, set()).add(it["head"].number)
        for d, ns in nums.items():
            n = len([n for n in range(1, min(max(ns), 10**6)) if n not in ns][:1000])
            if n:
                self.gap(f"{n} entries of this device are not here", rid, d.hex())
        self.reference(rec, order)

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
