"""Part of the second verifier; see README.md beside it.

What the place of an entry among the others makes of it: each case whole, and with something withheld."""
from cases_hidden import *  # noqa: F403


def both(name, build, redact=-1):
    """build(w, rid) writes; of the redacted copy the entry at this place in the log withholds its text."""
    def g(withheld):
        w, rid = std()
        build(w, rid)
        if withheld:
            w.log[redact]["redact"] = [NT]
        return fin(w)
    each(name, {"whole": lambda: g(False), "redacted": lambda: g(True)})


def crowd(w, rid):
    """Entries that all stand beside each other: more heads than an entry can cite."""
    first = w.log[0]
    for n in range(300):
        note(w, "e1", rid, text=str(n), heads=[first["id"]], number=2 + n)


both("crowd", crowd)
