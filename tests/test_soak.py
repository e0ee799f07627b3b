"""A share of the soak, with fixed seeds; and that the soak would see what is wrong."""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import replace

import pytest

from workshop_helpers.paths import ROOT

if sys.platform == "win32":
    pytest.skip("there a folder stands in for the flash", allow_module_level=True)
sys.path.append(str(ROOT / "benchmarks"))

import soak
from soak_parts import trial
from soak_parts.crew import Crew, scenario
from soak_parts.ground import Ground, make_ground
from soak_parts.operations import OPERATIONS
from soak_parts.scenario import KINDS, Scenario
from soak_parts.summary import Summary
from soak_parts.trial import Outcome

from workshop_helpers.board.virtual import Faults
from workshop_helpers.errors import NoFileSystemError

SEED = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("soak")
    make_ground(made)
    return made


@pytest.fixture(scope="module")
def ground(folder) -> Ground:
    return Ground.load(folder)


def quick(it: Scenario) -> bool:
    """Not one that waits for a stall or a time limit."""
    waits = it.kind == "main-deaf" and it.operation != "connect"
    return it.faults.stall_s <= 1.0 if it.kind == "stall" else not waits


def a_share() -> list[int]:
    """Numbers of scenarios with every kind of fault and every operation among them."""
    kinds, operations, numbers = set(KINDS), set(OPERATIONS), []
    for enough in (2, 1):  # first those that bring a new kind and a new operation
        for number in range(2000):
            it = scenario(SEED, number)
            new = (it.kind in kinds) + (it.operation in operations)
            if new >= enough and quick(it):
                kinds.discard(it.kind)
                operations.discard(it.operation)
                numbers.append(number)
    assert not kinds and not operations
    # The one that waits longest first: the others go on meanwhile.
    return sorted(numbers, key=lambda number: scenario(SEED, number).kind != "main-deaf")


@pytest.mark.slow
def test_every_kind_of_fault_and_every_operation(folder):
    numbers = a_share()
    with Crew(folder, SEED, 3) as crew:  # more than computers have cores: most of it is waiting
        outcomes = list(crew.outcomes(numbers, math.inf))
    assert sorted(outcome.number for outcome in outcomes) == sorted(numbers)
    assert {f"{o.number}: {o.what}": o.faults for o in outcomes if o.faults} == {}
    assert {"OK", "PORT_BUSY", "BOARD_GONE"} <= {outcome.code for outcome in outcomes}


# --- power cuts --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("operation", "at"),
    [*(("put over", n) for n in (2, 57, 59)), *(("deploy", n) for n in (30, 33)), ("record", 60)],
)
def test_a_supply_that_dips_leaves_the_old_file_or_the_new_one(ground, operation, at):
    it = Scenario(SEED, at, operation, "brown-out", Faults(brown_out_at=at), "pty")
    outcome = trial.run(it, ground)
    assert outcome.faults == {}


def test_a_killed_recorder_spoils_only_the_open_file(ground):
    """After half of the time that it records."""
    it = Scenario(SEED, 0, "record", "kill", Faults(), "pty", 0.45)
    outcome = trial.run(it, ground)
    assert outcome.faults == {} and outcome.code != "OK"


# --- the soak itself ---------------------------------------------------------------------------
def half_written(board, ground, chance):
    board.exec("f = open('/data/old.bin', 'w')\nf.write('half')\nf.close()")


def wrong_value(board, ground, chance):
    ground.old["/data/old.bin"] += b"x"
    OPERATIONS["get"].run(board, ground, Always())


class Always:
    def choice(self, choices):
        return choices[0]


def leaking(board, ground, chance):
    LEAKED.append(os.dup(1))


def not_ours(board, ground, chance):
    raise KeyError("x")


def not_true(board, ground, chance):
    raise NoFileSystemError("There is one.")


LEAKED: list[int] = []


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (half_written, "files"),
        (wrong_value, "wrong_data"),
        (leaking, "leak"),
        (not_ours, "wrong_error"),
        (not_true, "wrong_error"),
    ],
)
def test_it_sees_what_is_wrong(folder, monkeypatch, act, fault):
    monkeypatch.setattr(trial, "SETTLE_S", 0.5)
    monkeypatch.setitem(OPERATIONS, "exec", replace(OPERATIONS["exec"], run=act))
    outcome = trial.run(Scenario(SEED, 0, "exec", "none", Faults(), "pty"), Ground.load(folder))
    assert set(outcome.faults) == {fault}
    while LEAKED:
        os.close(LEAKED.pop())


def test_the_summary_counts_what_was_wrong():
    summary = Summary(1)
    summary.add(Outcome(0, "get", "none", "get x none"))
    summary.add(Outcome(1, "get", "flip", "get x flip", "HANG", 200.0, faults={"hang": "x"}))
    facts = summary.as_dict()
    assert (facts["scenarios"], facts["hangs"], facts["wrong_data"], facts["leaks"]) == (2, 1, 0, 0)
    assert facts["outcomes"] == {"OK": 1, "HANG": 1} and facts["failed"] == [1]
    assert summary.n_wrong == 1 and "1 hangs" in summary.line()


def test_a_scenario_is_the_same_each_time_and_a_stretch_holds_every_pair():
    assert scenario(3, 99) == scenario(3, 99) != scenario(4, 99)
    n = len(KINDS) * len(OPERATIONS)
    pairs = {(it.operation, it.kind) for it in (scenario(3, n + i) for i in range(n))}
    assert len(pairs) == n


def test_a_worker_that_hangs_or_dies_is_replaced(folder, monkeypatch):
    """The watchdog, with no patience for what a busy crew does, and a process that is gone."""
    with Crew(folder, SEED, 1) as crew:
        crew._said.put((crew._workers[0], ""))  # there is always something to hear
        monkeypatch.setattr("soak_parts.crew.WATCHDOG_S", -1.0)
        [outcome] = crew.outcomes([0], math.inf)
        assert (outcome.code, set(outcome.faults)) == ("HANG", {"hang"})
        monkeypatch.undo()
        crew._workers[0].process.kill()
        [outcome] = crew.outcomes([0], math.inf)
        assert set(outcome.faults) == {"wrong_error"}


def test_one_scenario_again(folder, monkeypatch, capfd):
    options = ["--ground", str(folder), "--seed", "7", "--only", "0", "--workers", "1", "--json"]
    monkeypatch.setattr(sys, "argv", ["soak", *options])
    assert soak.main() == 0
    said = capfd.readouterr()
    facts = json.loads(said.out)
    wanted = {"scenarios", "seconds", "hangs", "wrong_data", "leaks", "outcomes"}
    assert wanted <= facts.keys() and facts["scenarios"] == 1
    assert "0: " in said.err
