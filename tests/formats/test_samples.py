import pytest

from pipesim.errors import SourceError
from pipesim.formats import samples


def test_a_sample_is_found_by_its_name_or_file_name():
    assert samples.sample("startup") == samples.sample("startup.json")
    assert samples.sample_profile("startup").parent.name == "profiles"


def test_every_name_leads_to_a_file():
    assert all(samples.sample(name).is_file() for name in samples.sample_names())
    assert all(samples.sample_profile(name).is_file() for name in samples.profile_names())
    assert {"e-commerce", "startup", "enterprise", "microservices", "environments"} <= set(samples.sample_names())


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(SourceError, match=r"no sample 'startupp'.*Did you mean 'startup'.*e-commerce"):
        samples.sample("startupp")


def test_the_wheels_folder_is_preferred_and_its_absence_is_explained(tmp_path, monkeypatch):
    packed, checkout = tmp_path / "_data", tmp_path / "data"
    monkeypatch.setattr(samples, "_PLACES", (packed, checkout))
    with pytest.raises(SourceError, match="Install pipesim again"):
        samples.sample_names()

    (checkout / "pipelines").mkdir(parents=True)
    assert samples.data_folder() == checkout
    (packed / "pipelines").mkdir(parents=True)
    assert samples.data_folder() == packed
