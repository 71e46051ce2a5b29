"""Puts the same generated requests to our evaluator and to iam-simulate, and explains or counts where they differ.

python -m tests.differential [--cases 20000] [--seed 1] [--show 5]
Exits with 3 where a disagreement is not explained by `tests.differential.differences`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

from org.policy.authorize import Engine
from org.policy.decision import Decision
from tests.differential.differences import AGREES, explain
from tests.differential.generate import Case, make_case
from tests.differential.peer import answers


def compare(cases: int, first: int, show: int = 0) -> Counter[str]:
    """Answer how many agree (`agree`), how many differ for each known reason, and how many for none (`unexplained`)."""
    made = [make_case(seed) for seed in range(first, first + cases)]
    engine, counted = Engine(), Counter[str]()
    for case, theirs in zip(made, answers([case.simulation for case in made]), strict=True):
        ours = engine.authorizer(case.grants).decide(case.request)
        if "error" in theirs:
            counted["refused by iam-simulate"] += 1
            if show and counted["refused by iam-simulate"] <= show:
                sys.stderr.write(f"refused {case.seed}: {json.dumps(theirs['error'])[:600]}\n")
            continue
        counted[f"{theirs['verdict']} there"] += 1
        if AGREES[theirs["verdict"]] is ours.verdict:
            counted["agree"] += 1
            continue
        why = explain(case, str(theirs["verdict"])) or "unexplained"
        counted[why] += 1
        if show and counted[why] <= show and why == "unexplained":
            _print(case, ours, theirs)
    return counted


def _print(case: Case, ours: Decision, theirs: dict[str, object]) -> None:
    sys.stderr.write(f"--- {case.seed}: ours {ours.verdict}, theirs {json.dumps(theirs)}\n")
    for each in ours.deciding:
        sys.stderr.write(f"    {each}\n")
    sys.stderr.write(json.dumps(case.simulation, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3)
    given = parser.parse_args()
    counted = compare(given.cases, given.seed, given.show)
    sys.stdout.write(json.dumps(dict(sorted(counted.items())), indent=2) + "\n")
    sys.exit(3 if counted["unexplained"] else 0)


if __name__ == "__main__":
    main()
