from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import date

import pytest

from pipesim.catalog.prices import PRICES
from pipesim.vocabulary import ActionCategory, ActionOwner


def test_prices_are_dated_and_say_where_they_were_read():
    assert (PRICES.as_of.year, PRICES.as_of.month) == (2026, 11)
    assert isinstance(PRICES.as_of, date)
    assert "aws.amazon.com/codepipeline/pricing" in PRICES.source


def test_five_hundred_v2_minutes_cost_a_v1_month():
    assert 500 * PRICES.v2_action_minute == pytest.approx(PRICES.v1_pipeline_month)


def test_no_price_is_negative():
    amounts = [getattr(PRICES, field.name) for field in fields(PRICES)]
    assert all(amount >= 0 for amount in amounts if isinstance(amount, int | float))
    assert all(amount > 0 for amount in PRICES.build_minute.values())


def test_a_larger_build_machine_costs_more():
    small, medium, large = (PRICES.build_minute[f"BUILD_GENERAL1_{size}"] for size in ("SMALL", "MEDIUM", "LARGE"))
    assert small < medium < large
    assert PRICES.build_free_type in PRICES.build_minute


def test_what_is_free_exists():
    assert set(ActionCategory) >= PRICES.v2_free_categories
    assert set(ActionOwner) >= PRICES.v2_free_owners


def test_prices_cannot_be_changed_in_passing():
    with pytest.raises(FrozenInstanceError):
        PRICES.v2_action_minute = 1.0
    with pytest.raises(TypeError):
        PRICES.build_minute["BUILD_GENERAL1_SMALL"] = 1.0
