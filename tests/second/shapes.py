"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

Links, headers, changes (envelope.md) and entries (entry.md)."""
import base64
import hmac

from canon import *  # noqa: F403


# ---------------------------------------------------------------- envelope.md
ZERO32 = bytes(32)


class Link:
    def __init__(self, b):
        need(len(b) >= 1, "link is empty")
        if b[0] != 1:
            raise Newer(f"link of version {b[0]}")
        need(len(b) == 169, f"link of {len(b)} bytes")
        r = Reader(b)
        r.take(1)
        self.raw = b
        self.operation, self.device = r.take(32), r.take(32)
        self.number = r.u(8)
        self.prev, self.view, self.body = r.take(32), r.take(32), r.take(32)
        need(1 <= self.number <= 2**63 - 1, "link number out of range")
        need((self.prev == ZERO32) == (self.number == 1), "link: zeros as predecessor if and only if the number is 1")
        self.id = tagged("intact/link/v1", b)

    def sig_ok(self, sig):
        return sig_ok(self.device, "intact/link-sig/v1", self.raw, sig)


ROLES = ["field", "desk", "commander", "registrar", "adjudicator", "communications", "exhibits", "auditor", "admin"]


class Header:
    def __init__(self, b):
        need(len(b) >= 1, "header is empty")
        if b[0] != 1:
            raise Newer(f"header of version {b[0]}")
        r = Reader(b)
        r.take(1)
        self.raw = b
        self.record = r.take(16)
        self.number, self.depth = r.varint(), r.varint()
        need(1 <= self.number < 2**40 and 1 <= self.depth < 2**40, "header number or depth out of range")
        n = r.varint()
        need(n <= 256, "more than 256 heads")
        self.heads = [r.take(32) for _ in range(n)]
        need(all(a < c for a, c in zip(self.heads, self.heads[1:])), "heads not ascending")
        need((n == 0) == (self.depth == 1), "no heads if and only if the depth is 1")
        need(n > 0 or self.number == 1, "without heads the number is 1")
        self.operator = r.take(16)
        self.unit, self.role = r.text(64), r.text(64)
        c = r.u(1)
        need(c <= 1, "checkpoint byte")
        self.checkpoint = r.take(72) if c else None
        self.wall_ms, self.offset = r.s(8), r.s(2)
        need(-1440 <= self.offset <= 1440, "offset from UTC")
        need(1 <= r.u(1) <= 5, "clock confidence")
        self.root = r.take(32)
        r.end()
        self.hash = tagged("intact/header/v1", b)


def entry_id(device, h, entry):
    """The hash of the Automerge change that the entry makes."""
    actor = tagged("intact/actor/v1", device, h.record, h.number.to_bytes(8, "big"), b"".join(h.heads), entry)[:16]
    meta = varint(len(entry) * 16 + 7)
    key = actor.hex().encode()
    c = varint(len(h.heads)) + b"".join(h.heads)
    c += varint(16) + actor + b"\x01" + varint(h.depth) + b"\0\0\0" + b"\x06"
    c += b"\x15\x22" + b"\x34\x01" + b"\x42\x02" + b"\x56" + varint(1 + len(meta)) + b"\x57" + varint(len(entry)) + b"\x70\x02"
    c += b"\x7f\x20" + key + b"\x01" + b"\x7f\x01" + b"\x7f" + meta + entry + b"\x7f\x00"
    return sha256(b"\x01" + varint(len(c)) + c)


def body_commitment(h, entry, ciphertext):
    return tagged("intact/body/v1", h.hash, entry, ciphertext)


# ---------------------------------------------------------------- entry.md
TIME = integer(-2208988800000, 7258118400000)
CODES16 = list_of(code, 0, 16)
N9 = integer(0, 10**9)
KNOWN = {}
for _n in "category phase date_precision verification tlp pap reporter_role channel source_reliability subject remedy standing".split():
    KNOWN[_n] = code
for _n in ("classifications", "domains"):
    KNOWN[_n] = CODES16
for _n in "occurred_from_ms occurred_to_ms aware_at_ms filed_at_ms".split():
    KNOWN[_n] = TIME
for _n in "accuracy_m injuries deaths interrupted_min voters_affected".split():
    KNOWN[_n] = N9
KNOWN["lat_e7"] = integer(-9 * 10**8, 9 * 10**8)
KNOWN["lon_e7"] = integer(-18 * 10**8, 18 * 10**8)
KNOWN["severity"], KNOWN["priority"] = integer(1, 4), integer(1, 5)
for _m, _ns in ((64, "station"), (100, "country"), (200, "district source_id"), (300, "summary perpetrator name"), (500, "place"),
                (1000, "hazards people services affected systems_affected contact"),
                (2000, "immediate_action source alleged_effect_on_result challenges"), (4000, "ask_text"), (16384, "description")):
    for _n in _ns.split():
        KNOWN[_n] = text(1, _m)


def fields(lo):
    def c(v, what):
        need(isinstance(v, dict), f"{what}: no map")
        need(lo <= len(v) <= 160, f"{what}: {len(v)} fields")
        need(list(v) == sorted(v), f"{what}: fields out of order")
        for k, x in v.items():
            w = f"{what}.{k}"
            need(re.fullmatch(r"[a-z0-9_]{1,40}", k), f"{w}: name")
            if k in KNOWN:
                KNOWN[k](x, w)
            elif isinstance(x, bool) or x is None or isinstance(x, dict):
                raise Bad(f"{w}: value")
            elif isinstance(x, int):
                i64(x, w)
            elif isinstance(x, str):
                text(1, 16384)(x, w)
            else:
                list_of(text(1, 200), 0, 64)(x, w)
    return c


def to_(v, what):
    need(isinstance(v, dict) and len(v) == 1, f"{what}: recipient")
    k = next(iter(v))
    if k == "agency":
        obj(v[k], [("id", agency_id), ("epoch", integer(1, 2**32 - 1))], what)
    elif k == "device":
        obj(v[k], [("id", hexn(32))], what)
    else:
        raise Bad(f"{what}: recipient {k!r}")


def section(v, what):
    need(isinstance(v, str) and re.fullmatch(r"[a-z-]{1,40}", v), f"{what}: section")


def ascending(v, what):
    list_of(hexn(32), 0, 16)(v, what)
    need(all(a < b for a, b in zip(v, v[1:])), f"{what}: not ascending")


def sections(v, what):
    need(isinstance(v, dict) and len(v) <= 16 and list(v) == sorted(v), f"{what}: sections")
    for k, x in v.items():
        section(k, what)
        text(0, 16384)(x, what)
    need(sum(len(x.encode()) for x in v.values()) <= 40960, f"{what}: signed text")


def grant(v, what):
    obj(v, [("to", to_), ("key", hexn(16)), ("wrap", hexn(32))], what)


def grants(lo):
    return list_of(grant, lo, 256)


E32, E16 = hexn(32), hexn(16)
INCIDENT = "new out-of-scope unfounded closed resolved contained triaged assigned verifying in-progress reopened".split()
COMPLAINT = ("draft filed receipted deficient transferred admissibility-review inadmissible admitted assigned evidence hearing-set heard "
             "deliberation decided notified appealed final lapsed joined withdrawn").split()
REFERRAL = "offered received seen recalled declined returned accepted done closed disputed".split()
ANSWERS = "received seen accepted declined done returned closed disputed recalled".split()

ACTIONS = {
    "create": [("kind", one_of("incident", "complaint", "brief", "sealed-part", "situation-report", "handover")), ("nonce", E16), ("owner", agency_id),
               ("reference", text(1, 64)), ("parent?", E16), ("fields", fields(0)), ("grants", grants(0))],
    "note": [("text", text(1, 16384))],
    "amend": [("set", fields(1)), ("settles?", list_of(E32, 1, 256))],
    "state": [("to", one_of(*INCIDENT)), ("reason?", text(1, 2000))],
    "assign": [("to", text(1, 200))],
    "relate": [("relation", one_of("duplicate-of", "related", "caused-by", "incident", "brief", "sealed-part", "complaint")),
               ("to", E16), ("reference", text(1, 64)), ("undo", boolean)],
    "share": [("grants", grants(1))],
    "unshare": [("agencies", list_of(agency_id, 0, 256)), ("devices", list_of(E32, 0, 256))],
    "refer": [("to", agency_id), ("ask", one_of("respond", "investigate", "advise", "preserve", "provide-evidence")),
              ("respond_by_ms?", i64), ("text?", text(1, 4000)), ("grants", grants(0))],
    "answer": [("referral", E32), ("step", one_of(*ANSWERS)), ("reason?", text(1, 2000)), ("outcome?", text(1, 4000))],
    "exhibit": [("name", text(1, 500)), ("description?", text(1, 4000)), ("size", integer(0, 2**63 - 1)), ("sha256", E32), ("sha512", hexn(64)),
                ("address", E32), ("sealed_size", integer(0, 2**63 - 1)), ("identity", age_identity), ("acquired_ms", i64)],
    "custody": [("exhibit", E32), ("act", one_of("transferred-out", "transferred-in", "sealed", "unsealed", "exported", "do-not-touch")),
                ("with?", agency_id), ("remark?", text(1, 2000))],
    "move": [("to", one_of(*COMPLAINT)), ("reason?", text(1, 4000))],
    "decide": [("outcome", code), ("reasons", text(1, 32768)), ("remedy?", code)],
    "escalate": [("to", text(1, 200)), ("reason", text(1, 2000))],
    "write": [("section", section), ("base", ascending), ("at", integer(0, 2**32 - 1)), ("delete", integer(0, 2**32 - 1)), ("insert", text(0, 16384))],
    "sign": [("capacity", one_of("prepared", "approved", "taken-over")), ("sections", sections)],
}


def b64url(s, n):
    need(isinstance(s, str) and re.fullmatch(r"[A-Za-z0-9_-]*", s), "no base64url")
    try:
        b = base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))
    except ValueError:
        raise Bad("no base64url") from None
    need(len(b) == n and base64.urlsafe_b64encode(b).rstrip(b"=").decode() == s, "base64url with bits that are not zero")
    return b


class Entry:
    def __init__(self, raw):
        need(1 <= len(raw) <= 65536, f"entry of {len(raw)} bytes")
        # newer before canonical
        try:
            o = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as e:
            raise Bad(f"no JSON: {e}") from None
        if isinstance(o, dict) and type(o.get("v")) is int:
            action = o.get("action")
            unknown = isinstance(action, dict) and len(action) == 1 and next(iter(action)) not in ACTIONS
            if 1 < o["v"] <= U64MAX or (o["v"] == 1 and unknown):
                raise Newer("this entry needs newer software")
        v = canonical(raw)
        need(isinstance(v, dict), "entry: no object")
        need(list(v) == ["v", "salt", "action"] and v["v"] == 1 and v["v"] is not True, "entry: members")
        self.salt = b64url(v["salt"], 16)
        a = v["action"]
        need(isinstance(a, dict) and len(a) == 1, "entry: action has not exactly one member")
        self.kind = next(iter(a))
        if self.kind not in ACTIONS:
            raise Newer(f"action {self.kind!r}")
        self.a = a[self.kind]
        obj(self.a, ACTIONS[self.kind], self.kind)
        if self.kind == "unshare":
            need(1 <= len(self.a["agencies"]) + len(self.a["devices"]) <= 256, "unshare: nobody, or above 256")
        if self.kind == "answer":
            need("reason" in self.a or self.a["step"] not in ("declined", "returned", "disputed"), "answer: reason needed")
        if self.kind == "write":
            need(self.a["delete"] or self.a["insert"], "write: changes nothing")
        if self.kind == "custody":
            need(("with" in self.a) == self.a["act"].startswith("transferred"), "custody: with if and only if transferred")
        self.v = v

    def leaves(self):
        out = []

        def walk(p, x):
            if isinstance(x, dict) and x:
                for k, y in x.items():
                    walk(p + "/" + k.replace("~", "~0").replace("/", "~1"), y)
            elif isinstance(x, list) and x:
                for i, y in enumerate(x):
                    walk(f"{p}/{i}", y)
            else:
                out.append((p.encode(), dumps(x)))
        walk("/action", self.v["action"])
        return sorted(out)

    def fields_root(self):
        return fields_root([leaf(field_salt(self.salt, p), p, x) for p, x in self.leaves()])


def field_salt(salt, pointer):
    return hmac.new(salt, pointer, hashlib.sha256).digest()


def leaf(fsalt, pointer, value):
    return tagged("intact/field/v1", fsalt, pointer, value)


def fields_root(leaves):
    return tagged("intact/fields/v1", *leaves)
