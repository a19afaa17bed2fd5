"""Servers of the cluster tests. They share a machine with everything else: one cluster at a time, in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.cluster.nodes import Cluster, Unavailable


def _made(size: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        cluster = Cluster.make(tmp_path_factory.mktemp("elastic"), size)
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Elasticsearch to start nodes from: {error}")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(scope="module", name="made_cluster")
def made_cluster_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from _made(3, tmp_path_factory)


@pytest.fixture(scope="module", name="made_server")
def made_server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from _made(1, tmp_path_factory)


def _in_use(made: Cluster, settings: Settings) -> Iterator[Cluster]:
    for node in made.alive:
        node.thaw()
    made.start()
    before = settings.ELASTICSEARCH_URL
    settings.ELASTICSEARCH_URL = made.url
    settings.ELASTICSEARCH_TIMEOUT = 5.0
    settings.HUIDA_MATCHER = "elasticsearch"
    yield made
    settings.ELASTICSEARCH_URL = before


@pytest.fixture
def cluster(made_cluster: Cluster, settings: Settings) -> Iterator[Cluster]:
    """Three nodes, all of them up, in the settings of this test."""
    yield from _in_use(made_cluster, settings)


@pytest.fixture
def server(made_server: Cluster, settings: Settings) -> Iterator[Cluster]:
    """One node, up, in the settings of this test."""
    yield from _in_use(made_server, settings)
