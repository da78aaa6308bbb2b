"""What a newcomer types: one line about every command, and commands to copy.

The lines fit the list of ``giftlive --help``; the examples stand at the end of every command's
``--help`` and in the reference. The tests parse each of them.
"""

from __future__ import annotations

from typing import Any

START = """\b
Start here:
  giftlive doctor                          is this machine fit?
  giftlive run --demo                      the whole loop on a built-in world
  giftlive run --source LOGS --out RUN     the same on your logs
  giftlive report RUN --lang zh            its report again, in Chinese
  giftlive COMMAND --help                  options and examples of a command
"""

SHORT = {
    "run": "Analyse logs, or the demo, from raw files to the report.",
    "ingest": "Read raw logs into checked Parquet tables.",
    "tables": "Build labels and features; add new days to old ones.",
    "audit": "List defects of the logs; prove that no feature sees ahead.",
    "facts": "Print facts of the logs, each with its denominator.",
    "study": "Answer one question; `giftlive study list` names them.",
    "allocate": "Play one setting of the console's sliders on small worlds.",
    "leaderboard": "Compare the value models of a run.",
    "ope": "Estimate what a policy earns from another policy's log.",
    "roadmap": "Print what is answered, what is open and what comes next.",
    "report": "Write a run's report again, or its summary or slides.",
    "gates": "Print what a run answers and how its gates stand.",
    "verify": "Find every number of a run again from its rows.",
    "replay": "Send a log to a running service, as a platform would.",
    "serve": "Serve decisions over HTTP: who sees which room now.",
    "coverage": "Show how often each kind of interval holds the truth.",
    "doctor": "Check whether this machine is fit, and say what to do.",
    "world": "Make, check and describe worlds whose truth is known.",
    "keys": "Make, list and revoke API keys of the service.",
    "bench": "Measure speed as a ratio to a peer.",
    "world calibrate": "Fit a preset to the published aggregates.",
    "world generate": "Write the logs of a world, and the truth behind them.",
    "world check": "Hold logs or worlds against the published values.",
    "world card": "Describe a world: fitted, emerging and assumed.",
    "world decisions": "Let a policy decide; log each with its propensities.",
    "bench tables": "Labels and features of a full-size log.",
    "bench models": "Fit, prediction and Scorer of value models.",
    "bench ope": "Off-policy estimates of a million decisions.",
    "bench allocation": "Allocation beside its bound; solvers beside the flow.",
    "bench service": "Decisions per second of the service.",
    "bench all": "Every benchmark, and docs/benchmarks.md.",
}

EXAMPLES = {
    "run": (
        "giftlive run --demo --out RUN",
        "giftlive run --source LOGS --out RUN --set arena.seeds=4",
    ),
    "ingest": (
        "giftlive ingest --template MINE",
        "giftlive ingest --source MINE --out STORE",
    ),
    "tables": ("giftlive tables --source LOGS --out TABLES",),
    "audit": (
        "giftlive audit --source LOGS",
        "giftlive audit --source LOGS --planted-leak label",
    ),
    "facts": ("giftlive facts --source LOGS",),
    "study": (
        "giftlive study list",
        "giftlive study exploration --source LOGS --out RUN1",
    ),
    "allocate": ("giftlive allocate --fairness 5 --whale-cap 1",),
    "leaderboard": ("giftlive leaderboard RUN",),
    "ope": (
        "giftlive ope --log DECISIONS --policy greedy",
        "giftlive ope --log DECISIONS --policy softmax --set temperature=0.2 --out PAGE",
    ),
    "roadmap": ("giftlive roadmap RUN", "giftlive roadmap RUN --since OLD_RUN"),
    "report": (
        "giftlive report RUN --lang zh",
        "giftlive report RUN --summary",
        "giftlive report RUN --add RUN1",
    ),
    "gates": ("giftlive gates RUN",),
    "verify": ("giftlive verify RUN",),
    "replay": ("giftlive replay --source LOGS --url http://127.0.0.1:8000 --decisions 3000",),
    "serve": ("giftlive serve --run RUN --no-keys --db sqlite:///log.db",),
    "coverage": ("giftlive coverage",),
    "doctor": ("giftlive doctor",),
    "world calibrate": ("giftlive world calibrate --out mine.toml --scale small --seeds 16",),
    "world generate": ("giftlive world generate --preset kuailive --scale tiny --out LOGS",),
    "world check": (
        "giftlive world check LOGS",
        "giftlive world check --preset kuailive --scale small --seeds 8",
    ),
    "world card": ("giftlive world card --out CARD.md --no-sensitivity",),
    "world decisions": ("giftlive world decisions --policy softmax --out DECISIONS",),
    "keys create": ("giftlive keys create --scope decide --name front",),
    "keys revoke": ("giftlive keys revoke KEY_ID",),
    "keys list": ("giftlive keys list",),
    "bench tables": ("giftlive bench tables",),
    "bench models": ("giftlive bench models",),
    "bench ope": ("giftlive bench ope",),
    "bench allocation": ("giftlive bench allocation",),
    "bench service": ("giftlive bench service",),
    "bench all": ("giftlive bench all",),
}


def give_examples(app: Any, path: str = "") -> None:
    """Put the examples at the end of every command's help, and its line into the list.

    Parameters
    ----------
    app : a ``typer.Typer``; its commands and those of its groups are changed in place.
    path : the words before a command of ``app``.
    """
    for command in app.registered_commands:
        name = f"{path} {command.name}".strip()
        command.short_help = SHORT.get(name)
        command.epilog = "\n  ".join(("\b\nExamples:", *EXAMPLES[name]))
    for group in app.registered_groups:
        group.short_help = SHORT.get(group.name)
        give_examples(group.typer_instance, group.name)
