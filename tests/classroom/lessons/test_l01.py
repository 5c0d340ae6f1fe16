"""Lesson 1: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan", "eve", "fred", "gina")


@pytest.mark.parametrize("name", NAMES)
def test_lead_time(name: str) -> None:
    minutes = ps.classroom.case("01-1", of=name).minutes
    whole = sum(minutes.values())

    assert "all right" in told("01-1", whole, name)
    assert "all right" in told("01-1", str(whole), name)
    assert "longest step alone" in told("01-1", max(minutes.values()), name)
    assert "are those seconds?" in told("01-1", whole * 60, name)
    assert "too short" in told("01-1", whole - minutes["build"], name)
    assert "too long" in told("01-1", whole + 10, name)
    assert "ValueError" in told("01-1", "half an hour", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_sketch(name: str) -> None:
    wish = ps.classroom.case("01-2", of=name)
    other = {"GitHub": "CodeCommit", "S3": "GitHub", "CodeCommit": "GitHub"}[wish.source]
    elsewhere = "S3" if wish.target != "S3" else "CodeDeploy"

    assert "all right" in told("01-2", f"{wish.source} -> CodeBuild -> Manual Approval -> {wish.target}", name)
    assert "all right" in told("01-2", f"{wish.source} -> Manual Approval -> CodeBuild -> {wish.target}", name)
    assert f"not from {wish.source}" in told("01-2", f"{other} -> CodeBuild -> Manual Approval -> {wish.target}", name)
    assert "was never built" in told("01-2", f"{wish.source} -> Manual Approval -> {wish.target}", name)
    assert "nobody is asked" in told("01-2", f"{wish.source} -> CodeBuild -> {wish.target}", name)
    late = told("01-2", f"{wish.source} -> CodeBuild -> {wish.target} -> Manual Approval", name)
    assert "nobody is asked" in late and "the last step is Manual" in late
    wrong = told("01-2", f"{wish.source} -> CodeBuild -> Manual Approval -> {elsewhere}", name)
    assert f"not {wish.target}" in wrong and "4 of 5 right" in wrong
    assert "pipesim says" in told("01-2", f"{wish.source} -> CodeBild -> Manual Approval -> {wish.target}", name)
    assert "pipesim says" in told("01-2", "->", name)


@pytest.mark.parametrize("name", NAMES)
def test_who_got_there(name: str) -> None:
    trace = ps.classroom.case("01-3", of=name).trace
    table = ps.executions_table(trace)
    good = list(table[table["status"] == "Succeeded"]["execution"])
    bad = list(table[table["status"] == "Failed"]["execution"])

    assert len(bad) == 2
    assert "all right" in told("01-3", good, name)
    assert "all right" in told("01-3", tuple(reversed([one.lower() for one in good])), name)
    assert "1 more got there" in told("01-3", good[1:], name)
    assert f"{bad[0]} did not get there" in told("01-3", [*good, bad[0]], name)
    assert "0 of 2 right" in told("01-3", bad, name)
    assert "TypeError" in told("01-3", 4, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_repair(name: str) -> None:
    broken = ps.classroom.case("01-4", of=name).declaration

    assert len(ps.check(broken)) == 1
    assert "all right" in told("01-4", ps.load("GitHub -> CodeBuild -> Manual Approval -> S3"), name)
    assert "the service refuses it" in told("01-4", broken, name)
    shorter = told("01-4", ps.load("GitHub -> CodeBuild -> S3"), name)
    assert "the steps are" in shorter and "2 of 3 right" in shorter


def test_the_faults_differ_between_learners() -> None:
    rules = {ps.check(ps.classroom.case("01-4", of=name).declaration)[0].rule for name in NAMES}

    assert len(rules) > 2
