"""Elastic Beanstalk's application versions, and environments that are updated."""

from __future__ import annotations

from moto.elasticbeanstalk.urls import url_paths

from pipesim.cloud.gaps.elasticbeanstalk.responses import ElasticBeanstalkResponse
from pipesim.cloud.gaps.swap_paths import Swap

_swap = Swap(url_paths, ElasticBeanstalkResponse.dispatch)
install = _swap.install
uninstall = _swap.uninstall
