from __future__ import annotations

import gc
import time
import weakref
from datetime import UTC, datetime

import boto3
import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions
from pipesim.cloud.account import Cloud
from pipesim.errors import AssumptionError, PipesimError
from tests.cloud.shop import Shop, deploy, source, stage


def test_all_services_live_in_virtual_time(cloud: Cloud) -> None:
    s3, iam = cloud.client("s3"), cloud.client("iam")
    cloud.advance(days=3, hours=2)
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k", Body=b"")
    (entry,) = s3.list_objects_v2(Bucket="code")["Contents"]
    Shop(cloud)

    assert cloud.now == datetime(2026, 3, 5, 11, tzinfo=UTC)
    assert entry["LastModified"] == cloud.now
    assert iam.get_role(RoleName="pipeline")["Role"]["CreateDate"] == cloud.now


def test_clients_made_elsewhere_are_served_too(cloud: Cloud) -> None:
    Shop(cloud).create()
    client = boto3.client("codepipeline", region_name="us-east-1")

    assert client.get_pipeline(name="shop")["metadata"]["created"] == cloud.now


def test_pythons_clock_is_itself_between_the_calls(cloud: Cloud) -> None:
    cloud.client("codepipeline").list_pipelines()

    assert abs(datetime.now(UTC) - cloud.now).days > 30


def test_time_passes_when_told_to(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    assert shop.executions()[0]["status"] == "InProgress"
    shop.cloud.advance(hours=1)

    assert shop.cloud.time == 3600.0
    assert shop.executions()[0]["status"] == "Succeeded"
    with pytest.raises(AssumptionError, match="stands at"):
        shop.cloud.advance(to=10)


def test_with_the_wall_clock_a_look_at_the_clock_is_enough() -> None:
    with Cloud(actions="assumed", progression="time", speed=3600) as cloud:
        shop = Shop(cloud)
        shop.create(stage("Source", source()), stage("Out", deploy()))
        before = cloud.now
        time.sleep(0.05)

        assert (cloud.now - before).total_seconds() >= 180
        assert cloud.time >= 180
        assert shop.executions()[0]["status"] == "Succeeded"


def test_run_until_idle_stops_at_the_first_thing_that_needs_a_person(shop: Shop) -> None:
    shop.create()
    shop.idle()
    opened = shop.cloud.time
    shop.idle()

    assert shop.cloud.time == opened < 60
    assert shop.token()


def test_a_waiter_behind_an_open_approval_is_nothing_that_goes_on(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.start()
    shop.idle()

    assert shop.cloud.time < 60
    assert shop.token()


def test_run_until_idle_is_not_held_up_by_a_disabled_transition(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.client.disable_stage_transition(pipelineName="shop", stageName="Out", transitionType="Inbound", reason="no")
    shop.idle()

    assert shop.cloud.time < 60
    assert shop.executions()[0]["status"] == "InProgress"


def test_an_assumed_approver_answers(shop: Shop) -> None:
    assumptions = Assumptions(approvals={"Ok": Approver(response=Constant(600.0))})
    shop.cloud.close()
    with Cloud(actions="assumed", assumptions=assumptions) as cloud:
        other = Shop(cloud)
        other.create()
        other.idle()

        assert other.executions()[0]["status"] == "Succeeded"
        assert cloud.time > 600


def test_one_set_of_assumptions_serves_several_pipelines() -> None:
    assumptions = Assumptions(actions={"Build/Compile": ActionAssumption(duration=Constant(1.0))})
    with Cloud(actions="assumed", assumptions=assumptions) as cloud:
        shop = Shop(cloud)
        shop.create(stage("Source", source()), stage("Out", deploy()))
        shop.idle()

        assert shop.executions()[0]["status"] == "Succeeded"


def test_the_same_seed_gives_the_same_life() -> None:
    lives = []
    for seed in (5, 5, 6):
        with Cloud(actions="assumed", seed=seed) as cloud:
            shop = Shop(cloud)
            shop.create()
            shop.idle()
            lives.append((shop.newest(), cloud.time))

    assert lives[0] == lives[1]
    assert lives[0][0] != lives[2][0]


def test_two_pipelines_of_one_account_have_their_own_luck(shop: Shop) -> None:
    shop.create()
    shop.create(name="other")

    assert shop.newest() != shop.newest("other")


def test_one_cloud_at_a_time(cloud: Cloud) -> None:
    with pytest.raises(PipesimError, match="another cloud is open"):
        Cloud().open()
    assert cloud.client("codepipeline").list_pipelines()["pipelines"] == []


def test_a_cloud_can_be_opened_and_closed_by_hand() -> None:
    cloud = Cloud(actions="assumed").open()
    cloud.close()
    cloud.close()
    with Cloud(actions="assumed"):
        pass


@pytest.mark.parametrize("wrong", [{"actions": "pretend"}, {"progression": "later"}, {"speed": 0.0}])
def test_words_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(AssumptionError):
        Cloud(**wrong)  # type: ignore[arg-type]


def test_motos_reset_forgets_the_pipelines(shop: Shop) -> None:
    from moto.core.base_backend import BackendDict

    shop.create()
    BackendDict.reset()

    assert shop.client.list_pipelines()["pipelines"] == []


def test_provision_takes_whatever_load_reads(cloud: Cloud) -> None:
    record = cloud.provision("GitHub -> CodeBuild -> S3")

    assert record.name in {each["name"] for each in cloud.client("codepipeline").list_pipelines()["pipelines"]}


def test_a_closed_cloud_leaves_nothing_behind() -> None:
    with Cloud(actions="assumed") as cloud:
        shop = Shop(cloud)
        shop.create()
        shop.idle()
        kept = [weakref.ref(each) for each in (cloud.account, cloud.account.pipelines["shop"].simulation)]
    del cloud, shop
    gc.collect()

    assert [each() for each in kept] == [None, None]
