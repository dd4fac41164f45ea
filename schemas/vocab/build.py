#!/usr/bin/env python3
"""Turns the gathered code lists into this folder's files. Same input, same bytes.

    INTACT_SHARED=DIR python3 schemas/vocab/build.py [--check]

DIR/codelists holds the lists as they were gathered; additions.json holds what the project wrote
itself (French and Arabic wording, words for type-ahead, the `info` scheme). --check compares and writes
nothing: exit 1 when a committed file differs.
"""
import json
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("INTACT_SHARED", HERE.parents[2] / "shared"))
CODE = re.compile(r"[a-z0-9.-]+:[a-z0-9.-]+\Z")
MAX_CODE = 96  # logbook::vocab::MAX_CODE

# Lists whose items carry no scheme of their own get one, so that every code reads scheme:code.
SCHEME = {
    "admissibility_grounds": "ground", "clock_confidence": "clock", "complaint_standing": "standing",
    "complaint_states": "complaint-state", "complaint_subjects": "subject",
    "custody_events": "custody", "decision_types": "decision", "edr_deadlines": "edr-deadline",
    "evidence_minimum_metadata": "evidence-field", "evidence_principles": "evidence-principle",
    "evidence_types": "evidence-type", "remedies": "remedy",
    "restriction_safeguards": "restriction",
}
LICENCE = {
    "cyber_incident_rsit": "CC0-1.0 (RSIT)",
    "acled_events": "ACLED terms of use: code names only, no ACLED content",
    "severity_and_sharing": "TLP: FIRST Standards Definitions; MISP taxonomies: CC0-1.0 or BSD-2-Clause",
    "stix_incident_enums": "OASIS STIX extension draft, vocabulary values only",
}
# A planning note about tools, not terms that a record can carry.
LEFT_OUT = {"export_formats"}
# DISARM ids are CC BY-SA 4.0, which a EUPL-1.2 binary does not carry; shown as bare codes.
LEFT_OUT_SCHEMES = {"disarm"}
# Remarks on which tools were at hand, inside otherwise good definitions.
TRIM = [re.compile(r"; validator veraPDF.*\Z")]


def dump(value):
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def item(raw, name, extra):
    """One output item: what was gathered, its full code, its status, and our own words beside it."""
    scheme = SCHEME.get(name)
    code = raw["id"] if ":" in raw["id"] else f"{scheme}:{raw['id']}"
    code = code.lower().replace("_", "-")
    if not CODE.match(code) or len(code) > MAX_CODE:
        sys.exit(f"{name}: {code} is not scheme:code")
    definition = raw.get("definition") or ""
    for pattern in TRIM:
        definition = pattern.sub("", definition)
    own = extra.pop(code, {})
    label_fr = raw.get("label_fr")
    doubtful = bool(label_fr) and "(doubtful wording)" in label_fr
    if doubtful:  # a wording that its finder doubted is a proposal, not an official label
        own.setdefault("fr", label_fr.replace(" (doubtful wording)", ""))
        label_fr = None
    out = {
        "id": raw["id"], "code": code, "label_en": raw["label_en"], "label_fr": label_fr,
        "definition": definition, "source": raw["source"], "confidence": raw["confidence"],
        "status": "proposal" if raw["confidence"] == "GK" else "sourced",
    }
    if own.get("fr"):
        out["label_fr_proposal"] = own["fr"]
    if own.get("ar"):
        out["label_ar_proposal"] = own["ar"]
    words = {lang: own[key] for lang, key in (("en", "en_words"), ("fr", "fr_words")) if own.get(key)}
    if words:
        out["synonyms"] = words
    return out


def build():
    """All files of this folder, as {file name: text}."""
    additions = json.loads((HERE / "additions.json").read_text(encoding="utf-8"))
    extra = dict(additions["terms"])
    files = {}
    for path in sorted((SHARED / "codelists").glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        name = path.stem
        if name in LEFT_OUT:
            continue
        if name == "workflow_complaints":
            files[path.name] = dump(raw)
            continue
        head = {"list": name, "title": raw["title"], "version": raw["version"]}
        if name in LICENCE:
            head["licence"] = LICENCE[name]
        head["label_fr_note"] = ("label_fr is an official wording or null; label_fr_proposal is "
                                 "the project's own translation and is not official")
        rest = {k: v for k, v in raw.items()
                if k not in ("list", "title", "version", "label_fr_note", "items")}
        kept = [i for i in raw["items"] if i["id"].split(":")[0] not in LEFT_OUT_SCHEMES]
        if name == "information_manipulation":
            head["title"] = "Information manipulation: ABCDE, FIMI terms"
        files[path.name] = dump({**head, "items": [item(i, name, extra) for i in kept], **rest})
    for own in additions["lists"]:
        head = {k: v for k, v in own.items() if k != "items"}
        files[own["list"] + ".json"] = dump(
            {**head, "items": [item(i, own["list"], extra) for i in own["items"]]})
    if extra:
        sys.exit(f"additions.json names codes that no list has: {sorted(extra)}")
    return files


def main():
    if not (SHARED / "codelists").is_dir():
        sys.exit("set INTACT_SHARED to the folder that holds codelists/")
    files = build()
    differing = [n for n, text in files.items()
                 if not (HERE / n).is_file() or (HERE / n).read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        if differing:
            sys.exit(f"differs from its source: {', '.join(differing)}")
        return
    for name in differing:
        (HERE / name).write_text(files[name], encoding="utf-8")
    print(f"{len(files)} files, {len(differing)} written")


if __name__ == "__main__":
    main()
