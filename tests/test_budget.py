"""The budget: against cases worked out by hand, and its constants against the real thing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from workshop_helpers.board.catalogue import all_boards, find
from workshop_helpers.budget import Plan, Speed, estimate
from workshop_helpers.course.budgets import (
    PLANS,
    budget_calculator,
    compare,
    days_figure,
    measure_speed,
    shown_budget,
    size_figure,
)
from workshop_helpers.energy import CHIPS, Range, channels, energy_mj, lora_airtime_s
from workshop_helpers.errors import CourseError

PNG = b"\x89PNG"
SPEED = Speed(us_per_tree=2, us_per_value=0.1, clock_mhz=160)


def test_by_hand():
    plan = Plan(
        *(50, 100, 50, 3, 12, 10, 300, 4), message_bytes=8, message_every_s=60, battery_mah=1000
    )
    found = estimate(plan, find("esp32-c3"), SPEED)
    assert found.window_bytes == 2 * 3 * 150 + 24
    assert found.model_ram_bytes == 2400 + 120 + 36 + 56
    assert found.model_flash_bytes == 4800 + 60 + 16 + 12
    assert found.ram_share == pytest.approx((924 + 2612) / (400 * 1024))
    # One window a second; 10 trees of 2 µs and 300 numbers of 0.1 µs on the same clock.
    assert found.cpu_share == pytest.approx((25e-6, 50e-6, 100e-6))
    assert found.radio_bytes_a_day == 0
    awake = 50e-6 + 0.002
    average = awake * 26.8 + (1 - awake) * 0.35
    assert found.average_ma.typical == pytest.approx(average)
    assert found.battery_days.typical == pytest.approx(0.8 * 1000 / average / 24)
    assert not found.problems


def test_a_message_costs_its_charge():
    plan = Plan(radio="MQTT, Wi-Fi stays connected", message_every_s=60)
    quiet = estimate(replace(plan, radio="none"), find("esp32"), SPEED)
    found = estimate(plan, find("esp32"), SPEED)
    assert found.radio_bytes_a_day == 24 * 60 * 8
    # 110 mA for 50 ms, once a minute.
    assert found.average_ma.typical - quiet.average_ma.typical == pytest.approx(110 * 0.05 / 60)


def test_a_long_message_is_one_that_only_lorawan_can_not_send():
    plan = Plan(radio="HTTP POST, Wi-Fi joined anew", message_bytes=10_000)
    assert estimate(plan, find("esp32"), SPEED).payers_ma["sending"] > 0


def test_half_the_clock_takes_twice_as_long():
    slow, fast = (Speed(2, 0.1, mhz).us_on(80, 100) for mhz in (80, 160))
    assert fast == pytest.approx(tuple(2 * us for us in slow))
    laptop = Speed(2, 0.1).us_on(160, 100)
    assert laptop.typical == pytest.approx(100 * 3000 / 160 * 5)
    assert laptop.low < laptop.typical < laptop.high


def test_what_does_not_fit_is_said():
    assert "RAM" in estimate(Plan(nodes=50_000), find("pico"), SPEED).problems[0]
    assert "CPU" in estimate(Plan(rate_hz=48_000, hop=1), find("pico"), SPEED).problems[0]
    many = estimate(Plan(nodes=100_000), find("pico"), SPEED)
    assert any("Flash" in line for line in many.problems) and "✘" in many._repr_html_()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"rate_hz": 0}, "rate_hz"),
        ({"battery_mah": -1}, "battery_mah"),
        ({"hop": 101}, "skip samples"),
        ({"radio": "pigeon"}, "pigeon"),
        ({"radio": "LoRaWAN, SF7", "message_bytes": 243}, "242 bytes"),
    ],
)
def test_an_impossible_plan_is_refused(bad, said):
    with pytest.raises(CourseError, match=said):
        Plan(**bad)


def test_currents_are_of_chips_in_the_catalogue():
    assert set(CHIPS) <= {board.chip for board in all_boards()}
    for power in CHIPS.values():
        for low, typical, high in (power.busy_ma, power.nap_ma):
            assert 0 < low <= typical <= high
        assert power.source.startswith("https://")


def test_who_takes_the_charge_is_all_of_it():
    found = estimate(Plan(radio="LoRaWAN, SF12"), find("esp32-c3"), SPEED)
    assert sum(found.payers_ma.values()) == pytest.approx(found.average_ma.typical)
    assert found.payers_ma["sending"] > found.payers_ma["napping"] > 0
    assert estimate(Plan(), find("esp32-c3"), SPEED).payers_ma["sending"] == 0


def test_the_bars_are_as_long_as_the_shares():
    found = estimate(Plan(window=20_000), find("esp32-c3"), SPEED)
    assert f"width:{100 * found.ram_share:.1f}%;background:#0072B2" in found._repr_html_()
    crowded = estimate(Plan(nodes=100_000), find("esp32-c3"), SPEED)._repr_html_()
    assert "width:100.0%;background:#D55E00" in crowded


def test_estimates_are_shown_in_few_digits():
    plan = Plan(rate_hz=0.5, window=960_000, hop=100)
    shown = estimate(plan, find("xiao-nrf52840-sense"), SPEED)
    for text in (repr(shown), re.sub("<.*?>", " ", shown._repr_html_())):
        assert "days" in text and not re.search(r"e\+|[1-9]\.\d\d%|\d\d\.\d%", text)


def test_an_unknown_current_stays_unknown():
    found = estimate(Plan(), find("teensy-41"), SPEED)
    assert found.average_ma is None and "not known" in repr(found)


def test_time_in_the_air_by_hand():
    # SF7: a symbol is 1.024 ms. 8 bytes and 13 of LoRaWAN's: ceil((168 - 28 + 44) / 28) = 7 blocks.
    assert lora_airtime_s(8, 7) == pytest.approx((12.25 + 8 + 35) * 1.024e-3)
    # SF12: 32.768 ms; ceil((168 - 48 + 44) / 40) = 5 blocks.
    assert lora_airtime_s(8, 12) == pytest.approx((12.25 + 8 + 25) * 32.768e-3)
    with pytest.raises(ValueError, match="7 to 12"):
        lora_airtime_s(8, 6)


def test_energies_are_ranges_in_order():
    assert energy_mj(100, 2, 3.3) == pytest.approx(660)
    found = channels()
    assert [c.millijoules.typical for c in found] == sorted(c.millijoules.typical for c in found)
    for channel in found:
        low, typical, high = channel.millijoules
        assert 0 < low <= typical <= high and channel.source.startswith("https://")


def test_the_models_bytes_are_what_a_board_takes(board):
    """Node, tree and head as the plain arithmetic has them, against the heap of a real load."""
    board.install("emlearn_trees")
    board.exec("import gc, emlearn_trees; emlearn_trees.new(1, 1, 1)")
    board.exec(
        "gc.collect(); before = gc.mem_alloc(); model = emlearn_trees.new(10, 300, 4)\n"
        "gc.collect(); taken = gc.mem_alloc() - before"
    )
    planned = estimate(Plan(trees=10, nodes=300, classes=4), find("pico"), SPEED).model_ram_bytes
    assert planned == pytest.approx(board.eval("taken"), rel=0.35)


def test_the_models_file_is_of_that_size(small_model):
    trees, nodes, leaves = small_model.host.capacities
    plan = Plan(trees=trees, nodes=nodes, classes=leaves)
    planned = estimate(plan, find("pico"), SPEED).model_flash_bytes
    assert planned == pytest.approx(small_model.size_bytes, rel=0.25)


def test_speed_is_measured_on_the_board(board):
    speed = measure_speed(board)
    assert 0 < speed.us_per_tree < 1e5 and 0 < speed.us_per_value < 1e4


def test_pictures_and_the_calculator():
    assert size_figure()._repr_png_().startswith(PNG)
    with pytest.raises(CourseError, match="No current"):
        size_figure("teensy-41")
    assert days_figure(Plan(), SPEED)._repr_png_().startswith(PNG)
    assert isinstance(budget_calculator(SPEED).battery_days, Range)
    assert all(b.battery_days for plan in PLANS.values() for b in compare(plan, SPEED, "esp32"))


def test_the_calculator_says_what_is_wrong():
    assert "it fits" in shown_budget(Plan(), {"nodes": 10.0}, "pico", SPEED)
    assert "skip samples" in shown_budget(Plan(), {"hop": 1000.0}, "pico", SPEED)
