"""Runs proofs and their broken copies, several at a time."""

__all__ = ["Outcome", "run"]

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnnhw import console

from .proof import Broken, Case, Proof
from .sby import Tools, Verdict, check

WORK = Path("build/proofs")


@dataclasses.dataclass
class Outcome:
    """What became of a proof.

    Parameters
    ----------
    proof : Proof
    proved, caught : list of str
        The cases that hold, and the broken copies that do not.
    failures : list of str
        A line for each that is not as it should be.
    seconds : float
        Of all its runs together.
    """

    proof: Proof
    proved: list[str] = dataclasses.field(default_factory=list)
    caught: list[str] = dataclasses.field(default_factory=list)
    failures: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def judge(self, item: Case | Broken, verdict: Verdict) -> None:
        """Take one run's verdict in."""
        name, proof = item.name, self.proof.name
        self.seconds += verdict.seconds
        if isinstance(item, Case):
            if verdict.status == "PASS":
                self.proved.append(name)
                return
            what = "is false" if verdict.status == "FAIL" else "is not proved: no induction"
            self.failures.append(f"{proof}, {name}: {what}; see {verdict.trace}")
        elif verdict.status == "FAIL":
            self.caught.append(name)
        else:
            self.failures.append(f"{proof}: the broken copy ({name}) was not caught")

    def to_json(self) -> dict[str, Any]:
        proof = self.proof
        return {
            "name": proof.name,
            "says": proof.says,
            "bounds": proof.bounds,
            "mode": proof.mode,
            "depth": {case.name: case.depth for case in proof.cases},
            "seconds": round(self.seconds, 2),
            "proved": self.proved,
            "caught": self.caught,
            "failures": self.failures,
        }


def run(proofs: Sequence[Proof], *, jobs: int) -> list[Outcome]:
    """Run proofs, `jobs` of their cases and broken copies at a time; in the order given.

    Logs and waveforms stay in build/proofs.

    Raises MissingToolError, ToolError; ends all that it started.
    """
    return asyncio.run(_run(proofs, jobs))


async def _run(proofs: Sequence[Proof], jobs: int) -> list[Outcome]:
    tools = Tools.find()
    outcomes = [Outcome(proof) for proof in proofs]
    free = asyncio.Semaphore(jobs)
    total = sum(len(proof.cases) + len(proof.broken) for proof in proofs)
    with console.progress("proofs", total) as bar:

        async def one(outcome: Outcome, item: Case | Broken, folder: Path) -> None:
            async with free:
                bounded = outcome.proof.bounded or isinstance(item, Broken)
                verdict = await check(
                    tools, item.design(), folder, bounded=bounded, depth=item.depth
                )
                outcome.judge(item, verdict)
                bar.advance(note=f"{outcome.proof.name}, {item.name}")

        try:
            async with asyncio.TaskGroup() as group:
                for outcome in outcomes:
                    at = WORK / outcome.proof.name
                    for case in outcome.proof.cases:
                        group.create_task(one(outcome, case, at / case.name))
                    for k, broken in enumerate(outcome.proof.broken):
                        group.create_task(one(outcome, broken, at / f"broken_{k}"))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return outcomes
