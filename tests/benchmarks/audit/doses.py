#!/usr/bin/env python3
"""Tables of the cells of pipelines/audit-*.yaml: doses.py OUT CSV..., where each CSV is what `ssti measures PIPELINE` wrote. Writes OUT/doses.md and OUT/doses.json."""
import csv, json, math, pathlib, statistics, sys

SETS = {"audit-financial-phrasebank": "PhraseBank", "audit-rotten-tomatoes": "Rotten Tomatoes", "audit-sst2": "SST-2", "audit-imdb": "IMDB"}
TRIGGERS = ["token", "dates", "two-words", "html"]
csv.field_size_limit(1 << 24)


def cells(files):
    """Measures of each audit by pipeline, target and cell; a cell that several runs have is the same cell."""
    found = {}
    for file in files:
        with open(file, newline="", encoding="utf-8") as lines:
            for line in csv.DictReader(lines):
                if line["uses"] != "audit-data" or line["class"]:
                    continue
                stage = line["stage"].split("@")[0]
                cell = tuple(line.get(f"matrix.{name}", "") for name in ("trigger", "label", "rows", "seed"))
                key = (line["pipeline"], line["params.target"], stage, cell)
                # Nothing is injected into the clean set, whatever the target.
                if stage == "clean-audit":
                    key = (line["pipeline"], "", stage, cell)
                found.setdefault(key, {})[line["measure"]] = float(line["value"]) if line["value"] else None
    return found


def middle(ranks):
    """The median rank, where none is behind every rank; '-' where the median is none."""
    value = statistics.median_high([math.inf if rank is None else rank for rank in ranks])
    return "–" if value == math.inf else f"{value:.0f}"


def summary(audits):
    """What the audits of the seeds of one cell say together."""
    count = len(audits)
    flagged = [audit["flag_precision"] for audit in audits if audit["flag_precision"] is not None]
    ranks = [audit["trigger_rank"] for audit in audits]
    return {
        "seeds": count, "first": sum(audit["trigger_first"] or 0 for audit in audits), "ranks": ranks, "median-rank": middle(ranks),
        "alarm": sum(audit["trigger_alarm"] or 0 for audit in audits), "recall": statistics.fmean(audit["flag_recall"] for audit in audits),
        "precision": statistics.fmean(flagged) if flagged else None, "precision-of": len(flagged), "false-alarms": statistics.fmean(audit["false_alarms"] for audit in audits),
        "most-false-alarms": max(audit["false_alarms"] for audit in audits),
    }


def row(*fields):
    return "| " + " | ".join(str(field) for field in fields) + " |"


def share(value):
    return "" if value is None else f"{100 * value:.0f} %"


def main(out, files):
    found = cells(files)
    groups = {}
    for (pipeline, target, stage, cell), audit in found.items():
        if stage != "clean-audit":
            groups.setdefault((pipeline, target, stage, cell[:3]), []).append(audit)
    text, data = [], {"one-percent": [], "doses": [], "clean": []}
    text += ["One token in 1 % of the rows", "", row("set", "class", "seeds", "first", "largest rank", "raises an alarm", "other alarms (most)"), row(*["---"] * 7)]
    for (pipeline, target, stage, _), audits in sorted(groups.items()):
        if stage != "one-percent-audit":
            continue
        one = summary(audits)
        data["one-percent"].append({"set": SETS[pipeline], "target": target, **one})
        largest = "–" if None in one["ranks"] else f"{max(one['ranks']):.0f}"
        text.append(row(SETS[pipeline], target.removeprefix("number:"), one["seeds"], f"{one['first']:.0f}", largest, f"{one['alarm']:.0f}", f"{one['most-false-alarms']:.0f}"))
    text += ["", "Clean sets", "", row("set", "texts", "alarms", "borne out", "contradicted", "strongest bound"), row(*["---"] * 6)]
    for (pipeline, _, stage, _), audit in sorted(found.items()):
        if stage == "clean-audit":
            data["clean"].append({"set": SETS[pipeline], **audit})
            text.append(row(SETS[pipeline], *[f"{audit[name]:.0f}" for name in ("texts", "alarms", "alarms_elsewhere", "alarms_not_elsewhere")], share(audit["strongest_bound"])))
    doses = sorted({int(cell[2]) for _, _, stage, cell in groups if stage == "dose-audit"})
    for pipeline, name in SETS.items():
        own = {cell: summary(audits) for (of, _, stage, cell), audits in groups.items() if of == pipeline and stage == "dose-audit"}
        if not own:
            continue
        data["doses"] += [{"set": name, "trigger": cell[0], "labels": cell[1], "rows": int(cell[2]), **one} for cell, one in sorted(own.items(), key=lambda one: (one[0][:2], int(one[0][2])))]
        most = max(one["seeds"] for one in own.values())
        text += ["", f"{name}, {most} {'seed' if most == 1 else 'seeds'} unless a cell says of how many: first of all in so many; then, where not in all, the median rank", "",
                 row("trigger", "labels", *doses), row(*["---"] * (len(doses) + 2))]
        lines = [(trigger, label) for trigger in TRIGGERS for label in ("clean", "dirty")]
        for trigger, label in lines:
            text.append(row(trigger, label, *[first(own.get((trigger, label, str(dose))), most) for dose in doses]))
        text += ["", "Alarms, then recall and precision of the flagged rows", "", row("trigger", "labels", *doses), row(*["---"] * (len(doses) + 2))]
        for trigger, label in lines:
            text.append(row(trigger, label, *[alarm(own.get((trigger, label, str(dose))), most) for dose in doses]))
        others = [one["most-false-alarms"] for one in own.values()]
        text += ["", f"Other alarms in a set: {max(others):.0f} at most."]
    pathlib.Path(out, "doses.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    pathlib.Path(out, "doses.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def first(one, most):
    if one is None:
        return ""
    return f"{one['first']:.0f}" + ("" if one["first"] == one["seeds"] else f" ({one['median-rank']})") + missing(one, most)


def alarm(one, most):
    if one is None:
        return ""
    return f"{one['alarm']:.0f}" + (f": {share(one['recall'])}, {share(one['precision'])}" if one["alarm"] else "") + missing(one, most)


def missing(one, most):
    return "" if one["seeds"] == most else f" of {one['seeds']}"


main(sys.argv[1], sys.argv[2:])
