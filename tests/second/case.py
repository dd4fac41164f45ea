"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

Statement, roster, entries and links as they lie there: dossier.md 3, 4."""
import re

from roster import Roster
from shapes import *  # noqa: F403


class Case:
    """What is read, and not yet judged."""

    # ---- data/
    def jsonl(self, p):
        b = self.content[p]
        if b and not b.endswith(b"\n"):
            self.bad(p, "last line without a line feed")
        out = []
        for i, l in enumerate(b.split(b"\n")[:-1], 1):
            try:
                out.append((f"{p}:{i}", canonical(l)))
            except Bad as e:
                self.bad(f"{p}:{i}", str(e))
        return out

    def statement(self):
        p = "data/case/statement.json"
        if p not in self.content:
            self.bad(p, "is not here")
            return False
        b = self.content[p]
        try:
            need(b.endswith(b"\n"), "no line feed at the end")
            s = canonical(b[:-1])
            t500 = text(0, 65536)
            obj(s, [("v", integer(1, 1)), ("operation", E32), ("roster", E32), ("exporter", E32), ("agency", agency_id), ("addressee?", agency_id),
                    ("at_ms", i64), ("records", list_of(lambda v, w: obj(v, [
                        ("id", E16), ("reference", text(0, 64)), ("folder", text(1, 100)), ("entries", integer(0, 60000)), ("heads", list_of(E32, 0, 60000))], w), 1, 10000)),
                    ("chains", list_of(lambda v, w: obj(v, [("device", E32), ("number", integer(1, 2**63 - 1)), ("head", E32)], w), 0, 10**6)),
                    ("elsewhere", list_of(lambda v, w: obj(v, [("from", E16), ("record", E16), ("reference", text(0, 64)), ("relation", text(1, 64)),
                                                               ("owner?", agency_id), ("ground", t500)], w), 0, 10**6)),
                    ("redactions", list_of(lambda v, w: obj(v, [("entry", E32), ("paths", list_of(text(1, 65536), 0, 10**5)), ("ground", t500)], w), 0, 60000)),
                    ("absent_exhibits", list_of(lambda v, w: obj(v, [("exhibit", E32), ("withheld", boolean), ("why", t500)], w), 0, 60000))], "statement")
            for l, k in (("records", "id"), ("records", "folder"), ("chains", "device"), ("redactions", "entry"), ("absent_exhibits", "exhibit")):
                ks = [x[k].lower() for x in s[l]]
                need(len(set(ks)) == len(ks), f"{l}: {k} twice")
            for r in s["records"]:
                need(re.fullmatch(r"[A-Za-z0-9-]{1,73}", r["folder"]), "folder")
        except Bad as e:
            self.bad(p, str(e))
            return False
        self.s = s
        return True

    def read_roster(self):
        p = "data/roster/objects.jsonl"
        self.droster, self.objects = Roster(), []
        if p not in self.content:
            self.bad(p, "is not here")
            return
        lines = self.jsonl(p)
        if len(lines) > 64000:
            self.bad(p, "more than 64,000 objects")
        for w, o in lines:
            try:
                self.droster.add(o, "object")
                self.objects.append(o)
            except (Bad, Newer) as e:
                self.bad(w, str(e))
        self.droster.build()

    def read_entries(self):
        accounted = {"data/README.txt", "data/LISEZMOI.txt", "data/case/statement.json", "data/case/report.html", "data/case/report.pdf", "data/roster/objects.jsonl", "data/timeline.csv"}
        self.items = []
        total = 0
        for r in self.s["records"]:
            base = f"data/case/{r['folder']}/"
            for name in ("envelopes.jsonl", "redacted.jsonl"):
                p = base + name
                accounted.add(p)
                if p not in self.content:
                    if name == "envelopes.jsonl":
                        self.bad(p, "is not here")
                    continue
                for w, v in self.jsonl(p):
                    total += 1
                    try:
                        it = self.line(base, name, w, v)
                    except (Bad, Newer) as e:
                        self.bad(w, str(e))
                        if isinstance(v, dict) and isinstance(v.get("file"), str):
                            accounted.add(base + v["file"])
                        continue
                    it["rec"] = r
                    if it["file"]:
                        if it["file"] in accounted:
                            self.bad(w, "two lines for one file")
                        accounted.add(it["file"])
                    self.items.append(it)
        if total > 60000:
            self.bad("data/case", "more than 60,000 entries")
        self.read_links(accounted)
        for p in sorted(self.src.sizes):
            if not p.startswith("data/") or p in accounted:
                continue
            if p.split("/")[1] in ("evidence", "schemas", "interop", "log") and p.count("/") >= 2:
                continue
            self.bad(p, "nothing accounts for it")

    def read_links(self, accounted):
        self.links = {}
        for it in self.items:
            self.links.setdefault(it["link"].id, (it["link"], it["sig"], it["where"], True))
        authors = {it["link"].device.hex() for it in self.items}
        for p in sorted(self.content):
            m = re.fullmatch(r"data/chain/([0-9a-f]{64})\.links", p)
            if not m:
                continue
            accounted.add(p)
            if m[1] not in authors:
                self.bad(p, "links of a device that wrote nothing here")
            self.chain_file(p, m[1])

    def chain_file(self, p, device):
        b, last = self.content[p], (0, b"")
        if len(b) % 233 or not b:
            self.bad(p, f"{len(b)} bytes are no links of 233")
            return
        for i in range(0, len(b), 233):
            w = f"{p}:byte {i}"
            try:
                k = Link(b[i:i + 169])
            except (Bad, Newer) as e:
                self.bad(w, str(e))
                continue
            if k.device.hex() != device:
                self.bad(w, "a link of another device")
            if k.operation.hex() != self.s["operation"]:
                self.bad(w, "a link of another operation")
            if (k.number, k.id) <= last:
                self.bad(w, "links not by number, then id")
            if k.id in self.links:
                self.bad(w, "a link that is here already")
            last = (k.number, k.id)
            self.links.setdefault(k.id, (k, b[i + 169:i + 233], w, False))

    def line(self, base, name, w, v):
        common = [("envelope", E32), ("entry", E32), ("link", hexn(169)), ("signature", hexn(64)), ("header", lambda x, y: need(
            isinstance(x, str) and re.fullmatch(r"(?:[0-9a-f]{2}){1,16384}", x), "header: no hex")), ("ciphertext", E32)]
        it = {"where": w, "file": None, "malformed": None, "newer": None, "entry": None, "leaves": None}
        if name == "envelopes.jsonl":
            obj(v, [("file", text(1, 200))] + common, "line")
            need("/" not in v["file"], "file")
        else:
            obj(v, common + [("leaves", list_of(lambda *a: None, 1, 70000))], "line")
        x = bytes.fromhex
        it["link"], it["sig"], it["head"] = Link(x(v["link"])), x(v["signature"]), Header(x(v["header"]))
        need(it["link"].id.hex() == v["envelope"], "the envelope id is not that of the link")
        if name == "envelopes.jsonl":
            p = base + v["file"]
            it["file"] = p
            need(p in self.content, f"{p} is not here")
            raw = self.content[p]
            it["id"] = entry_id(it["link"].device, it["head"], raw)
            need(it["id"].hex() == v["entry"], "the entry id is not that of the file")
            try:
                it["entry"] = Entry(raw)
                if it["entry"].fields_root() != it["head"].root:
                    it["malformed"] = "the fields root differs"
            except Bad as e:
                it["malformed"] = str(e)
            except Newer as e:
                it["newer"] = str(e)
        else:
            it["id"] = x(v["entry"])
            ls, ps = [], []
            it["withheld"], it["shown"] = [], {}
            for l in v["leaves"]:
                need(isinstance(l, dict), "leaf")
                if "leaf" in l:
                    obj(l, [("path", text(1, 65536)), ("leaf", E32)], "leaf")
                    ls.append(x(l["leaf"]))
                    it["withheld"].append(l["path"])
                else:
                    obj(l, [("path", text(1, 65536)), ("value", text(1, 65536)), ("salt", E32)], "leaf")
                    ls.append(leaf(x(l["salt"]), l["path"].encode(), l["value"].encode()))
                    it["shown"][l["path"]] = canonical(l["value"].encode())
                ps.append(l["path"].encode())
            need(all(a < b for a, b in zip(ps, ps[1:])), "leaves not in the order of their paths")
            need(fields_root(ls) == it["head"].root, "the root over the leaves is not the header's")
            need(it["withheld"], "it withholds nothing")
            it["leaves"] = True
            self.kind(it)
            it["claims"] = {p.split(b"/")[2].decode() for p in ps if p.count(b"/") >= 2}
        need(body_commitment(it["head"], it["id"], x(v["ciphertext"])) == it["link"].body, "the link does not commit to header, entry and ciphertext")
        need(it["link"].operation.hex() == self.s["operation"], "a link of another operation")
        return it

    def kind(self, it):
        """Only what is shown tells the kind of a redacted entry."""
        kinds = {p[8:].split("/")[0] if p.startswith("/action/") else "" for p in it["shown"]}
        nonce = it["shown"].get("/action/create/nonce", "00" * 16)
        if len(kinds) > 1 or "" in kinds or not (isinstance(nonce, str) and re.fullmatch(r"[0-9a-f]{32}", nonce)):
            it["malformed"] = "it shows what no entry holds"
        it["kind"] = next(iter(kinds)) if len(kinds) == 1 else "?"
