"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

The fold of a record: order, lines, statuses, heads (entry.md 4, 5, 6), as far as no right of a single action is asked
(rule 16)."""
from shapes import *  # noqa: F403


def kind_of(it):
    """Of a whole entry its kind, of a redacted one what it shows, `?` where that is nothing."""
    return it["entry"].kind if it["entry"] else it.get("kind")


def stands_on_nothing(it, rid):
    """Whether it may be the creation of this record."""
    return kind_of(it) in ("create", "?") and not it["malformed"] and form(it, rid) is None


def form(it, rid):
    """Rules 1 and 2: why it is rejected, or nothing."""
    h = it["head"]
    if it["malformed"]:
        return it["malformed"]
    if h.record.hex() != rid:
        return "it names another record"
    kind = kind_of(it)
    if it["newer"] or kind == "?":
        return None
    if kind == "create":
        nonce = it["entry"].a["nonce"] if it["entry"] else it["shown"].get("/action/create/nonce")
        if nonce is not None and tagged("intact/record/v1", it["link"].device, nonce.encode())[:16] != h.record:
            return "record id, device and nonce do not agree"
        return "a creation that cites heads" if h.heads else None
    return None if h.heads else "no creation, and cites none"


class Line:
    """A device's line in a record: the number of its last entry, and the newest view that it cites."""

    def __init__(self):
        self.tip, self.view = 0, None


class Fold:
    """What the entries of a record count for."""

    # ---- the chain of a device
    def cut(self, k):
        """(number, head) of the cut of a link's device, where it is revoked."""
        o = self.R.device(k.device.hex())
        return (o[1].cut[0], o[1].cut[1] and bytes.fromhex(o[1].cut[1])) if o and o[1].revoked else None

    def marks(self, ks):
        """Forks, and links that went back, of all links of one device."""
        byid = {k.id: k for k in ks}
        at = {}
        for k in ks:
            at.setdefault(k.number, set()).add(k.id)
            if k.number > 1:
                at.setdefault(k.number - 1, set()).add(k.prev)
        cut = self.cut(ks[0])
        keep, head = set(), cut and cut[1]
        if head:
            at.setdefault(cut[0], set()).add(head)
        while head in byid and head not in keep:
            keep.add(head)
            head = byid[head].prev
        fork = min((n for n, ids in at.items() if len(ids) > 1), default=None)
        if fork is not None:
            keep.add(cut and cut[1])
            self.forked |= {k.id for k in ks if k.number >= fork and k.id not in keep}
        newest = {}
        for k in sorted(ks, key=lambda k: (k.number, k.id)):
            before = newest.get(k.prev) if k.number > 1 else None
            back = self.goes_back(before, k.view)
            if back:
                self.went_back.add(k.id)
            newest[k.id] = before if back or not self.view_of(k.view) else k.view

    def view_of(self, h):
        v = self.R.views.get(h)
        return v if v and self.R.usable(v) else None

    def goes_back(self, before, after):
        a, b = self.view_of(after), before and self.view_of(before)
        return bool(a and b and before != after and self.R.behind(a, b))

    def unsound(self, k):
        """Rules 7 to 9."""
        cut = self.cut(k)
        if k.id in self.forked:
            return "beyond a fork"
        if cut and k.number > cut[0]:
            return "written after its device was revoked"
        if cut and k.number == cut[0] and k.id != cut[1]:
            return "the cut names another link of this number"
        return None

    # ---- what an envelope counts for by itself
    def standing(self, it, rid):
        """Rules 1 to 5 and 7 to 10: the first that fits; none if all let it pass. Keeps the roles."""
        R, k, why = self.R, it["link"], form(it, rid)
        it["roles"] = ()
        if why:
            return "rejected", why
        view = self.view_of(k.view)
        if not view:
            return "waiting", "the roster view that its link cites is not here"
        it["roles"], why = R.roles_in(view, k.device.hex(), k.number)
        if why:
            return ("waiting", "not in effect") if R.pending(view, k.device.hex()) else ("rejected", why)
        agency, device = R.device(k.device.hex())
        if it["head"].operator.hex() != device.enrol.a["operator"]:
            return "rejected", "its operator is not the device's"
        if agency not in R.agencies:
            return "rejected", "its agency is in no epoch"
        why = self.unsound(k)
        if why:
            return "quarantined", why
        return ("waiting", it["newer"]) if it["newer"] else None

    # ---- the walk
    def order(self, items, rid):
        """The entries in fold order, of each the envelope that stands."""
        by = {}
        for it in items:
            by.setdefault(it["id"], []).append(it)
        order = []
        for its in by.values():
            its.sort(key=lambda it: (self.unsound(it["link"]) is not None, it["link"].number, it["link"].id))
            for it, other in zip(its, its[1:]):
                if it["link"].id == other["link"].id:
                    self.bad(it["where"], "one envelope twice")
            order.append(its[0])
        order.sort(key=lambda it: (it["head"].depth, it["id"]))
        lowest = {}
        for it in reversed(order):
            d, n = it["link"].device, it["link"].number
            it["standing"] = self.standing(it, rid)
            it["ahead"] = lowest.get(d, n)
            if it["standing"] is None:
                lowest[d] = min(lowest.get(d, n), n)
        return order

    def fold(self, rec, items):
        rid = rec["id"]
        order = self.order(items, rid)
        by = {it["id"]: it for it in order}
        lines = {}
        opaque, unjudged = False, 0
        for it in order:
            h = it["head"]
            seen = [x for x in map(by.get, h.heads) if x and x.get("linked")]
            it["past"] = {}
            for x in seen:
                for d, n in x["past"].items():
                    it["past"][d] = max(it["past"].get(d, 0), n)
            complete = h.record.hex() == rid and len(seen) == len(h.heads) and (h.heads or stands_on_nothing(it, rid))
            fits = h.depth == 1 + max((x["head"].depth for x in seen), default=0)
            it["linked"] = bool(complete and fits)
            it["status"], it["why"] = self.status(it, complete and not fits, lines.setdefault(it["link"].device, Line()))
            if it["leaves"]:
                opaque = True
            elif opaque and it["status"] == "valid":
                unjudged += 1
        if unjudged:
            self.notes.append(f"{unjudged} entries after a redacted one cannot be judged in full")
        self.stated(rec, items, order, by)
        self.told(rid, order)
        return order

    def status(self, it, broken, line):
        """The first of the rules that fits, 16 left out."""
        stands = it["standing"]
        if stands and stands[0] == "rejected":
            return stands
        if broken:
            return "rejected", "depth"
        if stands and stands[0] == "waiting":
            return stands
        if not it["linked"]:
            return "waiting", "earlier entries are missing"
        return stands or self.in_line(it, line) or self.acting(it, line) or ("valid", None)

    def in_line(self, it, line):
        """Rules 12 and 13; what passes is the line's last entry from now on."""
        k, number = it["link"], it["head"].number
        seen = it["past"].get(k.device, 0)
        if it["ahead"] < k.number or seen < line.tip:
            return "quarantined", "beside its own"
        if number <= seen:
            return "rejected", "its number was used"
        line.tip = it["past"][k.device] = number
        if not self.goes_back(line.view, k.view):
            line.view = k.view
        return None

    def acting(self, it, line):
        """Rules 14 and 15."""
        k, why = it["link"], None
        if k.id in self.went_back or self.goes_back(line.view, k.view):
            why = "its link cites a roster behind an earlier one"
        elif it["head"].role not in it["roles"]:
            why = "the role in its header is none that the view gives"
        if why and self.R.pending(self.view_of(k.view), k.device.hex()):
            return "waiting", "not in effect"
        return why and ("not-authorised", why)

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

    def known(self, it):
        """Whether the roster knows the device of an entry."""
        return self.R.device(it["link"].device.hex()) is not None

    def heads_of(self, order, by):
        """What the next entry may cite: linked, not rejected, of a known device, and not yet seen."""
        heads, covered = set(), set()
        for it in order:
            it["citable"] = it["linked"] and it["status"] != "rejected" and self.known(it)
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
