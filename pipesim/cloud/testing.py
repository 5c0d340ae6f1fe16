"""For other people's test suites: CodePipeline that runs, on top of `moto.mock_aws`.

from pipesim import mock_codepipeline

@mock_codepipeline
def test_release():
    client = boto3.client("codepipeline", region_name="us-east-1")
    ...

with mock_codepipeline(progression="manual") as cloud:
    ...
    cloud.advance(minutes=5)
"""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, overload

from pipesim.assumptions.model import Assumptions
from pipesim.cloud.account import ASSUMED, REGION, Cloud
from pipesim.cloud.clock import IMMEDIATE, PROGRESSIONS
from pipesim.errors import AssumptionError, PipesimError

T = TypeVar("T")


class MockCodePipeline:
    """A decorator of functions and classes, and a context manager; see `mock_codepipeline`."""

    def __init__(self, progression: str, **options: Any) -> None:
        self.progression = progression
        self._options = options
        self._cloud: Cloud | None = None

    @property
    def cloud(self) -> Cloud:
        """The cloud of the test that runs.

        Raises:
            PipesimError: none does.
        """
        if self._cloud is None:
            raise PipesimError("no test runs under this mock_codepipeline: use it as decorator or in a with statement")
        return self._cloud

    def advance(self, **span: float) -> None:
        """Let time pass; see `Cloud.advance`."""
        self.cloud.advance(**span)

    def run_until_idle(self) -> None:
        """Let time pass until nothing can happen without a person."""
        self.cloud.run_until_idle()

    def start(self) -> Cloud:
        """Start mocking; `stop` ends it."""
        options = dict(self._options)
        if options["start"] is None:
            options["start"] = datetime.now(UTC).replace(microsecond=0)
        cloud = Cloud(progression=self.progression, **options)
        self._cloud = cloud.open()
        return cloud

    def stop(self) -> None:
        """Stop mocking; moto is left as it was."""
        if self._cloud is not None:
            self._cloud.close()
            self._cloud = None

    def __enter__(self) -> Cloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, test: T) -> T:
        """Mock while a function runs, or while each test of a class does, its set-up included."""
        decorated: Any
        if inspect.isclass(test):
            decorated = self._wrap_class(test)
        elif inspect.iscoroutinefunction(test):
            decorated = self._wrap_coroutine(test)
        elif inspect.isgeneratorfunction(test):
            decorated = self._wrap_generator(test)
        elif callable(test):
            decorated = self._wrap_function(test)
        else:
            raise AssumptionError(f"mock_codepipeline decorates functions and classes, not {test!r}")
        result: T = decorated
        return result

    def _wrap_function(self, test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def mocked(*arguments: Any, **named: Any) -> Any:
            with self:
                return test(*arguments, **named)

        return mocked

    def _wrap_coroutine(self, test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        async def mocked(*arguments: Any, **named: Any) -> Any:
            with self:
                return await test(*arguments, **named)

        return mocked

    def _wrap_generator(self, test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def mocked(*arguments: Any, **named: Any) -> Any:
            with self:
                yield from test(*arguments, **named)

        return mocked

    def _wrap_class(self, tests: Any) -> Any:
        if issubclass(tests, unittest.TestCase):
            tests.run = self._wrap_function(tests.run)
            return tests
        before = getattr(tests, "setup_method", None)
        after = getattr(tests, "teardown_method", None)

        def setup_method(instance: Any, method: Any = None) -> None:
            self.start()
            if before is not None:
                _call(before, instance, method)

        def teardown_method(instance: Any, method: Any = None) -> None:
            try:
                if after is not None:
                    _call(after, instance, method)
            finally:
                self.stop()

        tests.setup_method = setup_method
        tests.teardown_method = teardown_method
        return tests


def _call(function: Any, instance: Any, method: Any) -> None:
    takes_method = len(inspect.signature(function).parameters) > 1
    function(instance, method) if takes_method else function(instance)


@overload
def mock_codepipeline(test: T, /) -> T: ...


@overload
def mock_codepipeline(
    *,
    progression: str = IMMEDIATE,
    speed: float = 1.0,
    actions: str = ASSUMED,
    region: str = REGION,
    start: datetime | None = None,
    seed: int = 0,
    assumptions: Assumptions | None = None,
) -> MockCodePipeline: ...


def mock_codepipeline(
    test: Any = None,
    /,
    *,
    progression: str = IMMEDIATE,
    speed: float = 1.0,
    actions: str = ASSUMED,
    region: str = REGION,
    start: datetime | None = None,
    seed: int = 0,
    assumptions: Assumptions | None = None,
) -> Any:
    """Mock AWS with moto, and let CodePipeline run: a decorator and a context manager.

    Args:
        test: the function or class that is decorated, when there are no other arguments.
        progression: ``immediate``: after every call of CodePipeline everything happens that needs no person;
            ``manual``: the test lets time pass (`Cloud.advance`); ``time``: with the wall clock.
        speed: with ``time``: seconds of virtual time for each second on the wall.
        actions: ``assumed``: actions take their assumed time and succeed, as nothing else is mocked up;
            ``real``: they touch the mocked account.
        region: where clients made by `Cloud.client` are.
        start: the calendar moment of time zero, aware; None: now.
        seed: the number on which all luck hangs.
        assumptions: durations, odds, approvers.

    Raises:
        AssumptionError: an unknown progression.

    >>> with mock_codepipeline(progression="manual") as cloud:
    ...     cloud.client("codepipeline").list_pipelines()["pipelines"]
    []
    """
    if progression not in PROGRESSIONS:
        raise AssumptionError(f"unknown progression {progression!r} (must be one of {', '.join(PROGRESSIONS)})")
    mock = MockCodePipeline(
        progression, speed=speed, actions=actions, region=region, start=start, seed=seed, assumptions=assumptions
    )
    return mock if test is None else mock(test)
