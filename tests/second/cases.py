"""Part of the second verifier; see README.md beside it.

The list of cases, and the operation that most of them start from."""
from forge import *  # noqa: F403

ALL = {}


def case(f):
    ALL[f.__name__] = f
    return f


def each(name, items):
    """Registers a family: items is {suffix: function}."""
    for k, f in items.items():
        ALL[f"{name}:{k}"] = f


def std(**kw):
    """e2 (field) creates and notes, e1 (desk) amends."""
    w = World().found()
    rid, a = w.create("e2", **kw)
    w.write("e2", rid, a, role="field")
    w.write("e2", rid, {"note": {"text": "hello"}}, role="field")
    w.write("e1", rid, {"amend": {"set": {"severity": 4}}})
    return w, rid


def fin(w, trust=None, **kw):
    return w.dossier(**kw), w.trust() if trust is None else trust
