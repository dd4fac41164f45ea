"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

roster.md: epochs, device chains, views, names. Judged as a set."""
from shapes import *  # noqa: F403

KINDS = ["emb", "police", "cert", "court", "prosecutor", "oversight", "other"]


def edkey(v, what):
    E32(v, what)
    need(ed.good_key(bytes.fromhex(v)), f"{what}: no strict Ed25519 key")


def roles_list(lo):
    def c(v, what):
        list_of(one_of(*ROLES), lo, len(ROLES))(v, what)
        ix = [ROLES.index(r) for r in v]
        need(ix == sorted(set(ix)), f"{what}: roles not ascending")
    return c


def hierarchy(v, what):
    text(1, 200)(v, what)
    need(v == v.strip(WS), f"{what}: white space at an end")


def agency_rec(v, what):
    obj(v, [("id", agency_id), ("kind", one_of(*KINDS)), ("name", text(1, 200)), ("root", edkey), ("admins", list_of(E32, 1, 16)),
            ("recipient", age_recipient), ("hierarchy?", hierarchy)], what)
    need(len(set(v["admins"])) == len(v["admins"]), f"{what}: an admin twice")


def statement(v, what):
    obj(v, [("agency", agency_id), ("signature", hexn(64))], what)


def statements(v, what):
    list_of(statement, 0, 64)(v, what)
    ids = [x["agency"] for x in v]
    need(all(a < b for a, b in zip(ids, ids[1:])), f"{what}: not ascending by agency")


class Epoch:
    def __init__(self, body):
        raw = body.encode()
        need(len(raw) <= 262144 and len(dumps(body)) <= 262144, "epoch body too long")
        v = canonical(raw)
        obj(v, [("v", integer(1, 1)), ("operation_name", text(1, 200)), ("exercise", boolean), ("number", integer(1, U64MAX)),
                ("prev", nullable(E32)), ("nonce", E16), ("agencies", list_of(agency_rec, 1, 64)), ("rules?", text(0, 524288)),
                ("at_ms", i64)], "epoch")
        need((v["prev"] is None) == (v["number"] == 1), "epoch: prev null if and only if number is 1")
        ids = [a["id"] for a in v["agencies"]]
        need(all(a < b for a, b in zip(ids, ids[1:])), "epoch: agencies not ascending")
        need(len({a["root"] for a in v["agencies"]}) == len(ids), "epoch: two agencies with one root")
        self.raw, self.v, self.number = raw, v, v["number"]
        self.prev = bytes.fromhex(v["prev"]) if v["prev"] else None
        self.agencies = {a["id"]: a for a in v["agencies"]}
        self.id = tagged("intact/epoch/v1", raw)
        self.waiting = {"signatures": {}, "acceptances": {}, "waivers": {}}  # agency -> set of signatures
        self.good = {k: set() for k in self.waiting}
        self.complete = False


def cut_(v, what):
    obj(v, [("number", integer(1, 2**63 - 1)), ("head", E32)], what)


def second(v, what):
    obj(v, [("by", E32), ("signature", hexn(64))], what)


def sealed_hex(v, what):
    need(isinstance(v, str) and re.fullmatch(r"(?:[0-9a-f]{2})*", v) and 2 <= len(v) <= 4096, f"{what}: sealed")


def wrap_(v, what):
    obj(v, [("device", E32), ("sealed", sealed_hex)], what)


CHAIN = {
    "enrol": [("device", edkey), ("name", text(1, 100)), ("network_key", edkey), ("network_signature", hexn(64)), ("recipient", age_recipient),
              ("operator", E16), ("operator_commitment", E32), ("roles", roles_list(1)), ("unit?", text(1, 64))],
    "revoke": [("device", E32), ("cut", nullable(cut_)), ("reason", text(1, 2000)), ("effective_ms", i64), ("second?", second)],
    "roles": [("device", E32), ("roles", roles_list(0)), ("cut", nullable(cut_)), ("second?", second)],
    "agency-key": [("epoch", integer(2, 2**32 - 1)), ("recipient", age_recipient), ("wraps", list_of(wrap_, 0, 64))],
}


class ChainEntry:
    def __init__(self, body):
        raw = body.encode()
        need(len(raw) <= 65536, "chain entry body too long")
        v = canonical(raw)
        need(isinstance(v, dict) and isinstance(v.get("action"), dict) and len(v["action"]) == 1, "chain entry: action")
        obj(v, [("v", integer(1, 1)), ("agency", agency_id), ("number", integer(1, U64MAX)), ("prev", nullable(E32)), ("at_ms", i64),
                ("action", lambda *a: None)], "chain entry")
        need((v["prev"] is None) == (v["number"] == 1), "chain entry: prev null if and only if number is 1")
        self.kind = next(iter(v["action"]))
        need(self.kind in CHAIN, f"chain entry: kind {self.kind!r}")
        self.a = v["action"][self.kind]
        obj(self.a, CHAIN[self.kind], self.kind)
        self.raw, self.v, self.agency, self.number = raw, v, v["agency"], v["number"]
        self.prev = bytes.fromhex(v["prev"]) if v["prev"] else None
        self.id = tagged("intact/chain/v1", raw)
        self.by = {}  # key hex -> signature
        if self.kind == "enrol":
            dev, nk = bytes.fromhex(self.a["device"]), bytes.fromhex(self.a["network_key"])
            s = bytes.fromhex(self.a["network_signature"])
            self.names_agency = sig_ok(dev, "intact/network-key/v1", nk + self.agency.encode(), s)
            need(self.names_agency or sig_ok(dev, "intact/network-key/v1", nk, s), "enrol: the endpoint key is not certified")
        if self.kind == "agency-key":
            ds = [w["device"] for w in self.a["wraps"]]
            need(len(set(ds)) == len(ds), "agency-key: a device twice")


class View:
    def __init__(self, b):
        need(len(b) >= 1, "view is empty")
        if b[0] != 1:
            raise Newer(f"view of version {b[0]}")
        r = Reader(b)
        r.take(1)
        self.raw, self.number, self.epoch = b, r.varint(), r.take(32)
        need(self.number >= 1, "view: epoch number 0")
        n = r.varint()
        need(n <= 256, "view: more than 256 heads")
        self.heads = {}
        last = ""
        for _ in range(n):
            a = r.text(32)
            agency_id(a, "view")
            need(a > last, "view: heads not ascending")
            last = a
            m, h = r.varint(), r.take(32)
            need(m >= 1, "view: number 0")
            self.heads[a] = (m, h)
        r.end()
        self.hash = tagged("intact/roster/v1", b)


class DevState:
    def __init__(self, e):
        self.enrol, self.roles, self.changed, self.revoked, self.cut, self.revoker = e, list(e.a["roles"]), False, False, None, None


class Roster:
    def __init__(self):
        self.epochs, self.chain, self.views, self.names = {}, {}, {}, {}

    def add(self, o, what="object", allow=("epoch", "chain", "view", "name")):
        need(isinstance(o, dict) and len(o) == 1, f"{what}: not exactly one member")
        k, v = next(iter(o.items()))
        need(k in allow, f"{what}: kind {k!r}")
        if k == "epoch":
            obj(v, [("body", text(1, 262144)), ("signatures", statements), ("acceptances", statements), ("waivers?", statements)], "epoch")
            need(v.get("waivers") != [], "epoch: empty waivers")
            e = Epoch(v["body"])
            if e.number == 1:  # each copy of epoch 1 carries all its signatures
                held = {x["agency"] for x in v["signatures"] if x["agency"] in e.agencies and sig_ok(
                    bytes.fromhex(e.agencies[x["agency"]]["root"]), "intact/epoch-sig/v1", e.raw, bytes.fromhex(x["signature"]))}
                need(held == set(e.agencies), "epoch 1 without all its signatures")
            e = self.epochs.setdefault(e.id, e)
            for l in e.waiting:
                for s in v.get(l, []):
                    e.waiting[l].setdefault(s["agency"], set()).add(bytes.fromhex(s["signature"]))
        elif k == "chain":
            obj(v, [("body", text(1, 65536)), ("by", E32), ("signature", hexn(64))], "chain entry")
            e = ChainEntry(v["body"])
            s = bytes.fromhex(v["signature"])
            need(sig_ok(bytes.fromhex(v["by"]), "intact/chain-sig/v1", e.raw, s), "chain entry: the signature does not hold")
            e = self.chain.setdefault(e.id, e)
            e.by[v["by"]] = s
        elif k == "view":
            need(isinstance(v, str) and re.fullmatch(r"(?:[0-9a-f]{2})+", v), "view: no hex")
            w = View(bytes.fromhex(v))
            self.views[w.hash] = w
        else:
            obj(v, [("operator", E16), ("name", text(1, 300)), ("salt", E16)], "name")
            self.names.setdefault(v["operator"], []).append(v)

    # ---- epochs
    def build(self):
        for e in sorted(self.epochs.values(), key=lambda e: e.number):
            prev = self.epochs.get(e.prev) if e.prev else e
            if prev and e.prev and prev.number != e.number - 1:
                prev = None
            same = prev and (prev.v["operation_name"], prev.v["exercise"]) == (e.v["operation_name"], e.v["exercise"])
            for l, tag, src in (("signatures", "epoch-sig", prev), ("acceptances", "epoch-accept", e), ("waivers", "epoch-waive", prev)):
                if not src:
                    continue
                for a, sigs in e.waiting[l].items():
                    if a in src.agencies and any(sig_ok(bytes.fromhex(src.agencies[a]["root"]), f"intact/{tag}/v1", e.raw, s) for s in sigs):
                        e.good[l].add(a)
            e.complete = bool(same) and self._complete(e, prev)
        firsts = [e for e in self.epochs.values() if e.number == 1 and e.complete]
        self.line = []
        self.fork = ()
        cur = firsts[0] if len(firsts) == 1 else None
        while cur:
            self.line.append(cur)
            nxt = [e for e in self.epochs.values() if e.prev == cur.id and e.number == cur.number + 1 and e.complete]
            self.fork = tuple(nxt) if len(nxt) > 1 else ()
            cur = nxt[0] if len(nxt) == 1 else None
        self.operation = self.line[0].id if self.line else None
        self.agencies = set()
        for e in self.line:
            self.agencies |= set(e.agencies)
        self.walks = {a: self._walk(a) for a in sorted({e.agency for e in self.chain.values()})}
        self.owner = {}
        for a, w in self.walks.items():
            for d, st in w["dev"].items():
                self.owner.setdefault(d, []).append((a, st))
        for d, l in self.owner.items():
            def key(x):
                first = next((e.number for e in self.line if x[0] in e.agencies), 10**9)
                return (not x[1].enrol.names_agency, first, x[0])
            l.sort(key=key)
        self._plaus = {}

    def _complete(self, e, prev):
        if e.number == 1:
            return set(e.agencies) == e.good["signatures"]
        if not prev.complete:
            return False
        up = lambda s: "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in s)
        hier = lambda a: up(prev.agencies[a].get("hierarchy") or a)
        n = len({hier(a) for a in prev.agencies})
        k = n // 2 + 1
        if len({hier(a) for a in e.good["signatures"]}) < k:
            return False
        for kind in ("emb", "court", "oversight"):
            had = [a for a, r in prev.agencies.items() if r["kind"] == kind]
            if had and not any(a in e.agencies and e.agencies[a]["kind"] == kind for a in had):
                return False
        kinds = {r["kind"] for r in prev.agencies.values()}
        if "emb" in kinds and "court" in kinds:
            signed = {prev.agencies[a]["kind"] for a in e.good["signatures"]}
            for kind in ("emb", "court"):
                if kind in signed:
                    continue
                gone = any(r["kind"] == kind and (a not in e.agencies or e.agencies[a]["kind"] != kind or e.agencies[a]["root"] != r["root"])
                           for a, r in prev.agencies.items())
                if not (gone and "oversight" in signed):
                    return False
        named, x = set(), e
        while x:
            named |= set(x.agencies)
            x = self.epochs.get(x.prev) if x.prev else None
        return len(named) <= 256

    # ---- chains
    def _roots(self, a):
        rs = []
        for e in self.line:
            if a in e.agencies and (not rs or rs[-1] != e.agencies[a]["root"]):
                rs.append(e.agencies[a]["root"])
        return rs

    def _listed(self, a):
        return {d for e in self.line if a in e.agencies for d in e.agencies[a]["admins"]}

    def _children(self):
        ch = {}
        for e in self.chain.values():
            p = self.chain.get(e.prev) if e.prev else None
            if p and p.number + 1 == e.number and p.agency == e.agency:
                ch.setdefault(p.id, []).append(e)
        return ch

    def _walk(self, a):
        roots, listed = self._roots(a), self._listed(a)
        in_force, former = (roots[-1] if roots else None), set(roots[:-1])
        children = self._children()

        def covered(e):
            todo = [e]
            while todo:
                x = todo.pop()
                if in_force in x.by:
                    return True
                todo += children.get(x.id, [])
            return False

        dev, eff, key_epoch, contested = {}, [], 1, False
        admin = lambda d: d in dev and not dev[d].revoked and ("admin" in dev[d].roles or (d in listed and not dev[d].changed))

        def fits(e):
            if e.kind == "enrol":
                return e.a["device"] not in dev
            if e.kind == "agency-key":
                return e.a["epoch"] == key_epoch + 1
            return e.a["device"] in dev

        def second_ok(e, by):
            if e.kind not in ("revoke", "roles"):
                return True
            d = e.a["device"]
            if e.kind == "roles" and (d == by or not admin(d) or "admin" in e.a["roles"]):
                return True
            others = [x for x in dev if admin(x) and x not in (by, d)]
            if not others:
                return True
            s = e.a.get("second")
            if not s or s["by"] not in others:
                return False
            n = e.a["cut"]["number"] if e.a["cut"] else 0
            m = f"revoke {d} after {n}" if e.kind == "revoke" else f"roles {d} {','.join(e.a['roles']) or '-'} after {n}"
            return sig_ok(bytes.fromhex(s["by"]), "intact/revoke-second/v1", m.encode(), bytes.fromhex(s["signature"]))

        def may(e):
            for by in e.by:
                if by == in_force or (by in former and covered(e)):
                    return True
                if admin(by) and second_ok(e, by):
                    return True
                if e.number == 1 and e.kind == "enrol" and e.a["device"] == by and by in listed:
                    return True
            return False

        prev, n = None, 1
        while len(eff) < 16384:
            c = [e for e in self.chain.values() if e.agency == a and e.number == n and e.prev == prev and fits(e) and may(e)]
            if len(c) > 1:
                c = [e for e in c if covered(e)]
                contested = len(c) != 1
            if len(c) != 1:
                break
            e = c[0]
            if e.kind == "enrol":
                dev[e.a["device"]] = DevState(e)
            elif e.kind == "roles":
                dev[e.a["device"]].roles, dev[e.a["device"]].changed = list(e.a["roles"]), True
            elif e.kind == "revoke":
                st = dev[e.a["device"]]
                cut = (e.a["cut"]["number"], e.a["cut"]["head"]) if e.a["cut"] else (0, None)
                if not st.revoked or cut[0] < st.cut[0]:
                    st.cut = cut
                st.revoked, st.revoker = True, next(iter(e.by))
            else:
                key_epoch = e.a["epoch"]
            eff.append(e)
            prev, n = e.id, n + 1
        return {"eff": eff, "ids": {e.id: e.number for e in eff}, "dev": dev, "contested": contested}

    def device(self, d):
        """(agency, state) of a device, or None."""
        l = self.owner.get(d)
        return l[0] if l else None

    def view(self):
        if not self.line:
            return None
        heads = [(a, w["eff"][-1]) for a, w in self.walks.items() if w["eff"]]
        b = b"\x01" + varint(self.line[-1].number) + self.line[-1].id + varint(len(heads))
        for a, e in sorted(heads):
            b += varint(len(a)) + a.encode() + varint(e.number) + e.id
        return b

    def continues(self, old):
        """Whether this roster holds all that the old one has in effect."""
        mine = {e.id for e in self.line}
        if any(e.id not in mine for e in old.line):
            return False
        return all(e.id in self.walks.get(a, {"ids": {}})["ids"] for a, w in old.walks.items() for e in w["eff"])

    def plausible(self, e, depth=0):
        if e.id in self._plaus:
            return self._plaus[e.id]
        self._plaus[e.id] = False
        prev = None
        if e.number > 1:
            prev = self.chain.get(e.prev)
            if not prev or prev.number + 1 != e.number or prev.agency != e.agency or not self.plausible(prev):
                return False
        a = e.agency
        keys = {x.agencies[a]["root"] for x in self.epochs.values() if a in x.agencies}
        keys |= {d for x in self.epochs.values() if a in x.agencies for d in x.agencies[a]["admins"]}
        for x in self.chain.values():
            if x.agency == a and x.number < e.number and x.kind in ("enrol", "roles") and "admin" in x.a["roles"] and self.plausible(x):
                keys.add(x.a["device"])
        self._plaus[e.id] = any(b in keys for b in e.by)
        return self._plaus[e.id]

    def usable(self, v):
        e = self.epochs.get(v.epoch)
        if not e or not e.complete or e.number != v.number:
            return False
        for a, (n, h) in v.heads.items():
            c = self.chain.get(h)
            if not c or c.agency != a or c.number != n or not self.plausible(c):
                return False
        return True

    def position(self, a, h):
        ids = self.walks[a]["ids"] if a in self.walks else {}
        c = self.chain.get(h)
        while c:
            if c.id in ids:
                return ids[c.id]
            c = self.chain.get(c.prev) if c.prev else None
        return 0

    def behind(self, x, y):
        """View x is behind view y."""
        if x.number < y.number:
            return True
        for a, (_, h) in y.heads.items():
            mine = self.position(a, x.heads[a][1]) if a in x.heads else 0
            if mine < self.position(a, h):
                return True
        return False

    def roles_in(self, v, d, number=None):
        """(roles, None) or (None, reason)."""
        o = self.device(d)
        if not o:
            return None, "the device was never enrolled"
        a = o[0]
        if a not in v.heads or a not in self.epochs[v.epoch].agencies:
            return None, "the view does not know the device"
        p = self.position(a, v.heads[a][1])
        roles = None
        for e in self.walks[a]["eff"][:p]:
            if e.kind in ("enrol", "roles") and e.a["device"] == d:
                roles = e.a["roles"]
        if roles is not None and number is not None:  # roster.md 3: a role taken away is gone for links above the cut
            now = None
            for e in self.walks[a]["eff"]:
                if e.kind in ("enrol", "roles") and e.a["device"] == d:
                    if now is not None and e.kind == "roles":
                        gone = set(now) - set(e.a["roles"])
                        if number > (e.a["cut"]["number"] if e.a["cut"] else 0) and e.number > p:
                            roles = [r for r in roles if r not in gone]
                    now = e.a["roles"]
        return (roles, None) if roles is not None else (None, "the view does not know the device")

    def pending(self, v, d):
        """Whether an entry that enrols a device or changes its roles is here under a head of a view, and the agency's
        chain as it takes effect ends before it."""
        for a, (number, head) in v.heads.items():
            eff = self.walks[a]["eff"] if a in self.walks else []
            at, found = head, False
            for _ in range(len(eff), number):
                e = self.chain.get(at)
                if not e:
                    break
                found = found or (e.kind in ("enrol", "roles") and e.a["device"] == d)
                at = e.prev
            else:
                if found and at == (eff[-1].id if eff else None):
                    return True
        return False

    def name_of(self, op):
        for o in self.names.get(op, []):
            c = tagged("intact/name/v1", bytes.fromhex(op), o["salt"].encode(), o["name"].encode()).hex()
            for d, l in self.owner.items():
                if l[0][1].enrol.a["operator"] == op and l[0][1].enrol.a["operator_commitment"] == c:
                    return o["name"]
        return None
