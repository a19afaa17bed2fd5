"""Elasticsearch nodes of a test's own, on loopback: started, killed, frozen, emptied, always by their process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

REPOSITORY = Path(__file__).parents[2]
HEAP = "256m"


class Unavailable(RuntimeError):
    """The server's jars cannot be had here."""


def server_home() -> Path:
    """Where ``bin/services`` has put the server together, fetching it where it is not there yet."""
    made = subprocess.run(
        [REPOSITORY / "bin" / "services", "elastic-home"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Unavailable(made.stderr.strip())
    return Path(made.stdout.strip().splitlines()[-1])


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The condition's first true answer; fails after a time that says that it never comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:g} s")


@dataclass
class Node:
    """One server process."""

    name: str
    port: int
    command: list[str]
    home: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.home / "console.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """As when the machine goes: nothing is said to anybody."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator does."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It takes connections and never answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def wipe(self) -> None:
        """Every file of its data is gone; it must not be running."""
        shutil.rmtree(self.home / "data", ignore_errors=True)

    def get(self, path: str, *, seconds: float = 5) -> Any:
        """A JSON answer, or None where there is none."""
        try:
            with urlopen(f"{self.url}/{path}", timeout=seconds) as answer:
                return json.load(answer)
        except (OSError, URLError, ValueError):
            return None

    def said(self) -> str:
        return (self.home / "console.log").read_text(errors="replace")[-2000:]

    def _send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        self.process = None


@dataclass
class Cluster:
    """Nodes that know each other. One node is a cluster, too."""

    nodes: list[Node] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, size: int) -> Cluster:
        source = server_home()
        ports = free_ports(2 * size)
        names = [f"node-{number}" for number in range(size)]
        seeds = ",".join(f"127.0.0.1:{port}" for port in ports[size:])
        jars = (source / "jars").read_text().split()
        nodes = []
        for number, name in enumerate(names):
            home = folder / name
            (home / "config").mkdir(parents=True)
            (home / "modules").symlink_to(source / "modules")
            settings = {
                "path.home": home,
                "node.name": name,
                "cluster.name": f"huida-test-{os.getpid()}-{ports[0]}",
                "discovery.type": "multi-node",
                "discovery.seed_hosts": seeds,
                "cluster.initial_master_nodes": ",".join(names),
                "http.port": ports[number],
                "transport.port": ports[size + number],
                "cluster.routing.allocation.disk.threshold_enabled": "false",
            }
            command = [
                *("java", f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                *(f"-Des.{key}={value}" for key, value in settings.items()),
                *("-cp", ":".join([str(source / "classes"), *jars]), "Launcher"),
            ]
            nodes.append(Node(name, ports[number], command, home))
        return cls(nodes)

    @property
    def url(self) -> str:
        """As ELASTICSEARCH_URL takes it."""
        return ",".join(node.url for node in self.nodes)

    @property
    def alive(self) -> list[Node]:
        return [node for node in self.nodes if node.process is not None]

    def start(self) -> None:
        for node in self.nodes:
            if node.process is None:
                node.start()
        self.whole()

    def end(self) -> None:
        for node in self.nodes:
            node.kill()

    def whole(self, *, seconds: float = 120) -> None:
        """Waits until every living node is in and every shard and copy has its place."""
        alive = self.alive
        path = f"_cluster/health?wait_for_nodes={len(alive)}&wait_for_status=green&timeout=2s"

        def ready() -> bool:
            health = alive[0].get(path)
            return bool(health and not health["timed_out"] and health["number_of_nodes"] == len(alive))

        try:
            until(ready, seconds=seconds, what=f"{len(alive)} nodes and every copy in place")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(node.said() for node in alive)) from None

    def master(self) -> Node:
        def elected() -> Node | None:
            for node in self.alive:
                state = node.get("_cluster/state/master_node,nodes")
                if state and state.get("master_node"):
                    name = state["nodes"][state["master_node"]]["name"]
                    return next((one for one in self.alive if one.name == name), None)
            return None

        found: Node = until(elected, seconds=60, what="a master")
        return found

    def holder_of(self, index: str) -> Node:
        """The node that writes the first shard of an index."""

        def placed() -> str | None:
            state = self.master().get(f"_cluster/state/routing_table,nodes/{index}")
            table = state["routing_table"]["indices"].get(index) if state else None
            shards = table["shards"]["0"] if table else []
            primary = next((shard for shard in shards if shard["primary"] and shard["state"] == "STARTED"), None)
            return state["nodes"][primary["node"]]["name"] if primary else None

        name = until(placed, seconds=30, what=f"a place for {index}")
        return next(node for node in self.nodes if node.name == name)
