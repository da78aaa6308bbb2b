"""``giftlive ope``: what another policy would have earned, from the log of the one that ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from giftlive.cli import options, show
from giftlive.errors import NotEnoughDataError, UsageError

if TYPE_CHECKING:
    from giftlive.evaluation.decision_logs import DecisionLogs
    from giftlive.evaluation.logging_policies import LoggingPolicies
    from giftlive.evaluation.off_policy_advice import Advice
    from giftlive.evaluation.off_policy_log import LogEvaluation, Reward
    from giftlive.evaluation.target_policies import TargetPolicy
    from giftlive.ope import Estimator
    from giftlive.types import Progress

_METHODS = ("ratio_delta", "skew_t", "poisson_bootstrap")

Log = Annotated[
    list[Path],
    typer.Option("--log", help="Folder with decision*.parquet, or a file; may be repeated."),
]
Target = Annotated[
    str, typer.Option("--policy", help="Policy to judge: a name, or a Parquet file.")
]
RewardOption = Annotated[str, typer.Option("--reward", help="count, amount or capped.")]
Cap = Annotated[float | None, typer.Option("--cap", help="For --reward capped, from history.")]
Estimators = Annotated[
    str | None,
    typer.Option("--estimators", help="Comma-separated, e.g. ips,snips,clipped_ips:10."),
]
Method = Annotated[str, typer.Option("--method", help=f"Interval: {', '.join(_METHODS)}.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Worker processes.")]
Master = Annotated[
    str | None,
    typer.Option("--master", help="Spark master that works instead, e.g. local[2] or yarn."),
]
Loggers = Annotated[
    list[str] | None,
    typer.Option(
        "--logger",
        help="For balanced estimators: every policy of the logs, in their order,"
        " e.g. --logger softmax:temperature=0.5, or a file like --policy.",
    ),
]
PageFolder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for a page with figures.", show_default=False),
]
Twins = Annotated[
    int,
    typer.Option(
        "--advise",
        min=0,
        help="Try the estimators on so many twins of the log whose truth is known.",
    ),
]
PolicySettings = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting of the policy, e.g. --set temperature=0.2."),
]


def ope(
    log: Log,
    policy: Target,
    reward: RewardOption = "count",
    cap: Cap = None,
    estimators: Estimators = None,
    method: Method = "ratio_delta",
    settings: PolicySettings = None,
    logger: Loggers = None,
    jobs: Jobs = 1,
    master: Master = None,
    advise: Twins = 0,
    out: PageFolder = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Estimate what a policy would have earned per decision, from another policy's log.

    Bounds are printed where the print rule allows them. Exit 3 with the reason when the log
    cannot carry an estimate: the target goes where the log never went, or too little is left of
    the log once it is weighted.
    """
    from giftlive.evaluation.decision_logs import open_logs
    from giftlive.evaluation.off_policy_advice import advise as try_on_twins
    from giftlive.evaluation.off_policy_log import Reward, RewardName
    from giftlive.evaluation.target_file import opened_policy
    from giftlive.run.folder import OPE, check_target
    from giftlive.run.progress import Reporter

    if out is not None:
        check_target(out, overwrite, OPE)
    if method not in _METHODS:
        raise UsageError(f"{method!r}", "--method", f"one of {', '.join(_METHODS)}")
    earned = Reward(cast(RewardName, reward), cap)
    logs = open_logs(log)
    if advise and logs.has_slates:
        raise UsageError("a twin of slates", "--advise", "a log of single choices", "leave it out")
    wanted = () if logs.has_slates else _estimators(estimators, earned.name, len(logs.loggers))
    _require_loggers(wanted, logger)
    own = options.pairs(settings, "temperature=0.2")
    with (
        Reporter().step("ope") as step,
        opened_policy(policy, own, logs) as target,
        _loggers(logger, logs) as loggers,
    ):
        how = target, wanted, estimators, earned, method, jobs, master, loggers
        found = _evaluator(*how)(logs, step.listener)
        advice = None
        if advise:
            advice = try_on_twins(logs, target, earned, wanted, advise, progress=step.listener)
    if json:
        show.as_json(as_dict(found, advice))
    else:
        _print(found, advice)
    if out is not None:
        _write(found, advice, out, overwrite)
        typer.echo(f"page: {out / OPE.marker}", err=json)
    _refuse(found)


def _evaluator(
    target: TargetPolicy,
    wanted: tuple[Estimator, ...],
    text: str | None,
    earned: Reward,
    method: str,
    jobs: int,
    master: str | None,
    loggers: LoggingPolicies | None,
) -> Callable[[DecisionLogs, Progress], LogEvaluation]:
    """Return what judges logs: of single choices by ``wanted``, of slates (none wanted) by name."""
    from giftlive.evaluation.off_policy_log import LogEvaluator
    from giftlive.evaluation.slate_log import SlateEvaluator

    if wanted:
        plain = LogEvaluator(target, wanted, earned, cast(Any, method), jobs, master=master)
        return replace(plain, loggers=loggers).evaluate
    usual = SlateEvaluator(target, reward=earned, method=cast(Any, method))
    if text is None:
        return usual.evaluate
    return replace(usual, names=tuple(part.strip() for part in text.split(","))).evaluate


def as_dict(found: LogEvaluation, advice: Advice | None = None) -> dict[str, Any]:
    """Return an evaluation as plain values for ``--json``."""
    d = found.diagnostics
    more = {} if advice is None else {"advice": _advice(advice)}
    return more | {
        "log": {
            "policy": found.logging,
            "decisions": found.decisions,
            "users": found.users,
            "audit": [
                {"check": f.name, "passed": f.passed, "value": f.value, "detail": f.detail}
                for f in found.audit
            ],
        },
        "target": found.target,
        "reward": found.reward.name,
        "cap": found.reward.cap,
        "above_cap": None if found.tail is None else asdict(found.tail),
        "weights": {
            "effective_decisions": d.effective_n,
            "mean": d.mean_weight,
            "max": d.max_weight,
            "pareto_k": d.pareto_k,
            "unsupported_share": d.unsupported_share,
            "largest_user_share": d.largest_user_share,
            "status": d.status,
            "reason": d.reason,
        },
        "estimates": [
            {
                "estimator": e.estimator,
                "status": e.interval.status,
                "value": e.interval.value,
                "low": e.interval.low,
                "high": e.interval.high,
                "method": e.interval.method,
                "reason": e.interval.reason,
            }
            for e in found.estimates
        ],
    }


def _advice(advice: Advice) -> dict[str, Any]:
    best = advice.best
    return {
        "twins": advice.twins,
        "decisions": advice.decisions,
        "users": advice.users,
        "best": None if best is None else {"estimator": best.estimator, "method": best.method},
        "tried": [
            {
                "estimator": t.estimator,
                "method": t.method,
                "relative_error": t.error,
                "relative_bias": t.bias,
                "coverage": t.coverage.value,
            }
            for t in advice.tried
        ],
    }


def _write(found: LogEvaluation, advice: Advice | None, out: Path, overwrite: bool) -> None:
    """Write the page, its figures and the numbers as JSON, whole or not at all."""
    from giftlive.reports.ope_page import write_page
    from giftlive.run.canonical import canonical_json
    from giftlive.run.folder import OPE, atomic_folder

    with atomic_folder(out, overwrite, OPE) as folder:
        write_page(found, folder, () if advice is None else advice.lines())
        text = canonical_json(as_dict(found, advice))
        (folder / "ope.json").write_text(text, encoding="utf-8")


def _estimators(text: str | None, reward: str, loggers: int) -> tuple[Estimator, ...]:
    """Return the estimators asked for; by default those that the reward allows."""
    from giftlive.ope.registry import estimator_of

    usual = "ips,snips,dr,sndr" if reward == "amount" else "ips,snips"
    parts = (usual if text is None else text).split(",")
    found = tuple(estimator_of(part, loggers) for part in parts)
    twice = [e.name for k, e in enumerate(found) if e.name in [o.name for o in found[:k]]]
    if twice:
        raise UsageError(f"{twice[0]} more than once", "--estimators", "every one once")
    model = [e.name for e in found if "q" in e.needs]
    if model and reward != "amount":
        raise UsageError(
            f"{model[0]} needs a model of the reward, and the log's `values` are one of the amount",
            "--estimators",
            f"estimators without a model for --reward {reward}",
            "take ips or snips, or --reward amount",
        )
    return found


def _require_loggers(wanted: tuple[Estimator, ...], given: list[str] | None) -> None:
    """Refuse balanced estimators without the logging policies, and these without them."""
    mixed = [e.name for e in wanted if "mean_propensity" in e.needs]
    if mixed and not given:
        raise UsageError(
            f"{mixed[0]} without the logging policies", "--logger",
            "every policy of the logs, by name or as a file of its probabilities",
            "a log holds the probabilities of its own policy alone",
        )  # fmt: skip
    if given and not mixed:
        raise UsageError(
            "policies that no estimator asks for", "--logger",
            "balanced_ips or balanced_dr among --estimators", "leave them out",
        )  # fmt: skip


@contextmanager
def _loggers(given: list[str] | None, logs: DecisionLogs) -> Iterator[LoggingPolicies | None]:
    """Open the logging policies, ``NAME:KEY=VALUE,KEY=VALUE`` or files; None without any."""
    from giftlive.evaluation.logging_policies import opened_loggers

    if not given:
        yield None
        return
    parts = [text.partition(":") for text in given]
    texts = [
        (name, options.pairs(own.split(",") if own else None, "softmax:scale=1", "--logger"))
        for name, _, own in parts
    ]
    with opened_loggers(texts, logs) as loggers:
        yield loggers


def _print(found: LogEvaluation, advice: Advice | None) -> None:
    from rich.table import Table
    from rich.text import Text

    console = show.wide_console()
    cap = "" if found.reward.cap is None else f" at {show.figure(found.reward.cap)}"
    console.print(
        Text(
            f"{found.target} judged from {found.decisions:,} decisions for {found.users:,} users"
            f" by {found.logging}; {found.reward.name}{cap} per decision"
        )
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("estimator", "value", "95 % interval", "verdict", "reason"):
        table.add_column(name, justify="right" if name == "value" else "left", overflow="fold")
    for e in found.estimates:
        i = e.interval
        known = i.low is not None and i.high is not None
        bounds = f"[{show.figure(i.low)}, {show.figure(i.high)}]" if known else "-"
        verdict = "ok" if i.status == "ok" else i.status.replace("_", " ")
        cells = (e.estimator, show.figure(i.value), bounds, verdict, i.reason)
        table.add_row(*map(Text, cells))
    console.print(table)
    twins = () if advice is None else tuple(f"twins: {line}" for line in advice.lines())
    for line in *_tail(found), _weights(found), *_audit(found), *twins:
        console.print(Text(line))


def _tail(found: LogEvaluation) -> Iterator[str]:
    tail = found.tail
    if tail is None:
        return
    if tail.status != "ok":
        yield f"above the cap: no model: {tail.reason}"
        return
    shape = "light" if tail.shape is None else f"Pareto shape {tail.shape:.2f}"
    yield (
        f"above the cap: {show.figure(tail.value)} per decision, modelled apart:"
        f" {show.figure(tail.share_above)} of decisions pass it by"
        f" {show.figure(tail.mean_excess)} on average ({shape}, {tail.gifts:,} gifts); no interval"
    )


def _weights(found: LogEvaluation) -> str:
    d = found.diagnostics
    lost = "" if d.unsupported_share is None else f", {d.unsupported_share:.2%} without support"
    return (
        f"weights: worth {show.figure(d.effective_n)} decisions, mean {show.figure(d.mean_weight)}"
        f", max {show.figure(d.max_weight)}, Pareto k {show.figure(d.pareto_k)}{lost}"
    )


def _audit(found: LogEvaluation) -> Iterator[str]:
    words = {True: "ok", False: "FAILED", None: "silent"}
    for finding in found.audit:
        yield f"audit: {finding.name} {words[finding.passed]}: {finding.detail}"


def _refuse(found: LogEvaluation) -> None:
    """Raise when an estimate asked for has no support in the log.

    Raises
    ------
    NotEnoughDataError
        The weights of an estimator cannot carry it, or it has no value.
    """
    for e in found.estimates:
        if e.interval.status != "ok":
            raise NotEnoughDataError(
                f"{e.estimator} has no answer: {e.interval.reason}",
                f"{found.target} from the log of {found.logging}",
                "a target that the log supports",
                "judge a policy nearer to the one that ran, or log more decisions with more chance",
            )
