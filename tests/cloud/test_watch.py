"""Whoever watches a cloud is told when it has moved, and not in the middle of anything."""

from __future__ import annotations

import pipesim
from pipesim.cloud.account import Cloud


def test_watchers_are_told_of_time_and_of_calls_until_they_end():
    with Cloud(actions="assumed") as cloud:
        seen: list[tuple[float, int]] = []
        pipelines = cloud.client("codepipeline")

        def look() -> None:
            seen.append((cloud.time, len(pipelines.list_pipelines()["pipelines"])))

        end = cloud.watch(look)
        cloud.advance(seconds=5)
        assert seen
        assert set(seen) == {(5.0, 0)}  # its own calls were not told to it, or this would not end
        cloud.provision(pipesim.load("S3 -> CodeBuild -> S3"))
        assert seen[-1] == (5.0, 1)
        pipelines.start_pipeline_execution(name=next(cloud.pipelines()).name)
        count = len(seen)
        cloud.run_until_idle()
        assert len(seen) > count
        assert seen[-1][0] > 5
        end()
        count = len(seen)
        cloud.advance(seconds=5)
        end()
        assert len(seen) == count


def test_a_cloud_knows_whether_it_is_open():
    cloud = Cloud(actions="assumed")
    assert not cloud.is_open
    with cloud:
        assert cloud.is_open
    assert not cloud.is_open
