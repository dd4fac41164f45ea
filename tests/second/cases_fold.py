"""Part of the second verifier; see README.md beside it.

What the place of an entry among the others makes of it: each case whole, and with something withheld."""
from cases_hidden import *  # noqa: F403


def both(name, build, redact=(-1,)):
    """build(w, rid) writes, and gives the heads where they are not all that nobody cites; of the redacted copy the
    entries at these places in the log withhold their text."""
    def g(withheld):
        w, rid = std()
        heads = build(w, rid)
        for at in redact if withheld else ():
            w.log[at]["redact"] = [NT]

        def statement(S):
            S["records"][0]["entries"] = sum(e["rid"] == rid for e in w.log)
            S["redactions"] = [r for n, r in enumerate(S["redactions"]) if r not in S["redactions"][:n]]
            if heads:
                S["records"][0]["heads"] = sorted(e["id"].hex() for e in heads)
        return fin(w, statement=statement)
    each(name, {"whole": lambda: g(False), "redacted": lambda: g(True)})


NEWER = b'{"v":2,"x":1}'


def crowd(w, rid):
    """Entries that all stand beside each other: more heads than an entry can cite."""
    first = w.log[0]
    for n in range(300):
        note(w, "e1", rid, text=str(n), heads=[first["id"]], number=2 + n)


def newer_number(w, rid):
    """What cannot be read yet is in no line: its number keeps no other from being used."""
    w.write("e1", rid, None, raw=NEWER, number=100)
    note(w, "e1", rid, number=5)


def clone_number(w, rid):
    """A clone uses a number of the record again, and one of the chain: it is beyond the fork before all."""
    before = w.chain["e1"]
    note(w, "e1", rid, number=2)
    w.chain["e1"] = before
    note(w, "e1", rid, text="of the clone", number=2)


def clone_number_alone(w, rid):
    """A number of the record used again in one chain, by who had seen it."""
    last = note(w, "e1", rid, number=2)
    note(w, "e1", rid, text="again", number=2)
    return [last]


def rejected_cited(w, rid):
    """The same, cited by another before that was seen: listed, and nobody falls with it."""
    clone_number_alone(w, rid)
    note(w, "e2", rid, role="field")


def revoked_operator(w, rid):
    """Who never was its device's operator is rejected, also beyond a cut."""
    cut = w.chain["e2"]
    note(w, "e2", rid, role="field", operator="ee" * 16)
    revoke(w, "e2", cut)
    return [w.log[2]]


def contested(w, rid):
    """Under one of two successors of a chain entry, of which the root named none."""
    head = w.heads["emb"]
    w.add_chain("emb", w.enrol("e3", ["desk"]), w.dev["e1"])
    view = w.view()
    w.heads["emb"] = head
    w.add_chain("emb", w.enrol("x1", ["desk"]), w.dev["e1"])
    w.heads["emb"] = head
    note(w, "e3", rid, view=view)
    return [w.log[2]]


def newer_depth(w, rid):
    w.write("e1", rid, None, raw=NEWER, depth=9)
    return [w.log[2]]


def sealed(w, e, number, prev):
    """The same entry once more, in another place of its device's chain."""
    lb = b"\x01" + w.op + w.dev[e["d"]].pub + number.to_bytes(8, "big") + prev + e["view"] + e["lb"][137:]
    again = dict(e, lb=lb, lid=tagged("intact/link/v1", lb), sig=w.dev[e["d"]].sign("intact/link-sig/v1", lb), n=number, file=f"again-{number}.json")
    w.log.append(again)
    return again


def sealed_lower(w, rid):
    """Whoever has the key seals an entry again under a lower number; a cut names the branch that stands."""
    first = w.chain["e1"]
    w.other_link("e1")
    w.other_link("e1")
    e = note(w, "e1", rid)
    sealed(w, e, 2, first[1])
    w.add_chain("emb", {"revoke": {"device": w.dev["e1"].hex, "cut": {"number": 4, "head": e["lid"].hex()}, "reason": "lost", "effective_ms": T0}}, w.root["emb"])


def sealed_higher(w, rid):
    """Of two that both stand, the one with the lower number."""
    e = note(w, "e1", rid)
    again = sealed(w, e, e["n"] + 1, e["lid"])
    w.chain["e1"] = (again["n"], again["lid"])


def behind_itself(w, rid):
    """Back twice: the second is measured from the newest, not from what went back itself."""
    old = w.view(heads={a: h for a, h in w.heads.items() if a != "police"})
    note(w, "e1", rid, view=old)
    note(w, "e1", rid, text="y", view=old)


def unseen(w, rid):
    note(w, "e1", rid, heads=[w.log[1]["id"]])


def lower_later(w, rid):
    """The deeper entry was signed first; the shallower one had not seen it."""
    note(w, "e2", rid, role="field")
    note(w, "e1", rid, number=2)
    note(w, "e1", rid, heads=[w.log[2]["id"]], number=3)


both("fold-crowd", crowd)
both("fold-newer-number", newer_number)
both("fold-clone-number", clone_number)
both("fold-number-used", clone_number_alone)
both("fold-rejected-cited", rejected_cited, (-2,))
both("fold-revoked-operator", revoked_operator)
both("fold-contested", contested)
both("fold-newer-depth", newer_depth, (1,))
both("fold-sealed-lower", sealed_lower, (-1, -2))
both("fold-sealed-higher", sealed_higher, (-1, -2))
both("fold-behind-itself", behind_itself)
both("fold-unseen", unseen)
both("fold-lower-later", lower_later)
