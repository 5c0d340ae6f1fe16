"""What must hold whatever people do: random calls through boto3, and the answers compared with each other."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.cloud.account import Cloud
from pipesim.cloud.codepipeline.shapes import operation_model
from tests.cloud.codepipeline.test_state import fail
from tests.cloud.shop import Shop, approval, deploy, source, stage

FINAL = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
STAGES = ["Source", "Gate", "Out"]
MODES = st.sampled_from(["FAILED_ACTIONS", "ALL_ACTIONS"])

MOVES = st.one_of(
    st.tuples(st.just("start")),
    st.tuples(st.just("advance"), st.sampled_from([0.3, 5.0, 45.0, 7200.0])),
    st.tuples(st.just("answer"), st.sampled_from(["Approved", "Rejected"])),
    st.tuples(st.just("stop"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("retry"), st.integers(0, 5), st.sampled_from(STAGES), MODES),
    st.tuples(st.just("rollback"), st.integers(0, 5), st.sampled_from(STAGES)),
    st.tuples(st.just("disable"), st.sampled_from(STAGES)),
    st.tuples(st.just("enable"), st.sampled_from(STAGES)),
    st.tuples(st.just("update")),
)  # fmt: skip


class Person:
    """Makes moves, and takes every documented refusal for an answer."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.ended: dict[str, dict[str, Any]] = {}

    def make(self, move: tuple[Any, ...]) -> None:
        name, *arguments = move
        try:
            getattr(self, name)(*arguments)
        except ClientError as error:
            model = operation_model(error.operation_name)
            assert model is not None
            documented = {shape.name for shape in model.error_shapes} | {"ValidationException"}
            assert error.response["Error"]["Code"] in documented, error

    def pick(self, number: int) -> str:
        executions = self.shop.executions()
        return str(executions[number % len(executions)]["pipelineExecutionId"])

    def start(self) -> None:
        self.shop.start()

    def advance(self, seconds: float) -> None:
        self.shop.cloud.advance(seconds=seconds)

    def answer(self, status: str) -> None:
        for row in self.shop.actions():
            if row["actionName"] == "Ok" and row["status"] == "InProgress":
                self.shop.answer(status, "", token=row["actionExecutionId"])
                return

    def stop(self, number: int, abandon: bool) -> None:
        self.shop.stop(self.pick(number), abandon=abandon)

    def retry(self, number: int, name: str, mode: str) -> None:
        self.shop.retry(name, self.pick(number), mode)

    def rollback(self, number: int, name: str) -> None:
        self.shop.rollback(name, self.pick(number))

    def disable(self, name: str) -> None:
        self.shop.client.disable_stage_transition(
            pipelineName="shop", stageName=name, transitionType="Inbound", reason="frozen"
        )

    def enable(self, name: str) -> None:
        self.shop.client.enable_stage_transition(pipelineName="shop", stageName=name, transitionType="Inbound")

    def update(self) -> None:
        self.shop.client.update_pipeline(pipeline=self.shop.client.get_pipeline(name="shop")["pipeline"])

    def look(self) -> None:
        """Every answer agrees with every other, and what has ended stays as it was."""
        executions = self.shop.executions()
        ids = [each["pipelineExecutionId"] for each in executions]
        assert len(set(ids)) == len(ids)
        for each in executions:
            found = self.shop.execution(each["pipelineExecutionId"])
            assert found["status"] == each["status"]
            assert each["startTime"] <= each["lastUpdateTime"]
        rows = self.shop.actions()
        assert {row["pipelineExecutionId"] for row in rows} <= set(ids)
        for row in rows:
            assert row["startTime"] <= row["lastUpdateTime"]
            if row["status"] != "InProgress":
                assert self.ended.setdefault(row["actionExecutionId"], row) == row
        pages = self.shop.client.get_paginator("list_action_executions").paginate(
            pipelineName="shop", PaginationConfig={"PageSize": 2}
        )
        assert [row for page in pages for row in page["actionExecutionDetails"]] == rows
        newest = {row["actionExecutionId"]: row for row in rows}
        for state in self.shop.state().values():
            for action in state["actionStates"]:
                latest = action.get("latestExecution")
                if latest is not None:
                    assert latest["actionExecutionId"] in newest

    def finish(self) -> None:
        """Open every transition and approve everything."""
        for name in STAGES:
            self.enable(name)
        for _ in range(50):
            self.shop.idle()
            if not [row for row in self.shop.actions() if row["status"] == "InProgress"]:
                break
            self.make(("answer", "Approved"))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["SUPERSEDED", "QUEUED", "PARALLEL"]), st.lists(MOVES, max_size=14))
def test_the_answers_agree_and_every_execution_ends(mode: str, moves: list[tuple[Any, ...]]) -> None:
    with Cloud(actions="assumed") as cloud:
        shop = Shop(cloud)
        fail(shop, "Out/Copy", 1, 3)
        shop.create(
            stage("Source", source()), stage("Gate", approval()), stage("Out", deploy()),
            executionMode=mode, pipelineType="V2",
        )  # fmt: skip
        person = Person(shop)
        for move in moves:
            person.make(move)
            person.look()
        person.finish()
        person.look()

        assert {each["status"] for each in shop.executions()} <= FINAL
