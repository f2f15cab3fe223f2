"""Holds a running node against its own OpenAPI document: python tests/rest/run.py PROGRAM SCHEMATHESIS

PROGRAM is the binary `taoyao`, SCHEMATHESIS the command of the package pinned in requirements.txt. Starts a node with one
terminal in one room, lets Schemathesis call it twice with a fixed seed (anything.toml, known.toml), ends the node by SIGINT
and checks that it drained.
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE_S = 60
RUN_MAX_S = 300
TOPOLOGY = """
org = "rest"
[certs]
dir = "certs"
[login]
development = true
[login.shared_account]
username = "taoyao"
password = "peach"
roles = ["terminal", "operator", "admin"]
[[node]]
name = "home"
state = {{ dir = "state" }}
[node.terminals]
listen = "127.0.0.1:{https}"
tcp = [{{ listen = "127.0.0.1:{tcp}", mode = "plaintext", allow_insecure_legacy = true }}]
"""


def main(program, schemathesis):
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        https, tcp = free_ports(2)
        (site / "one.toml").write_text("# One node for a test.\n" + TOPOLOGY.format(https=https, tcp=tcp))
        with Node([program, "up", str(site / "one.toml")], site) as node:
            base = f"https://127.0.0.1:{https}"
            node.wait_for(base, site / "certs/ca.crt")
            terminal = Terminal(tcp, "cam-1")
            known = {"TAOYAO_CLIENT": terminal.client, "TAOYAO_ROOM": terminal.room}
            results = [
                check(schemathesis, config, base, site, known) for config in ("anything.toml", "known.toml")
            ]
        print(f"node ended with {node.code}")
        return 1 if any(results) or node.code else 0


def check(schemathesis, config, base, site, known):
    print(f"\n== {config}", flush=True)
    command = [schemathesis, "--config-file", str(HERE / config), "run", f"{base}/v3/api-docs", "--no-color"]
    command += ["--tls-verify", str(site / "certs/ca.crt"), "--warnings", "off"]
    environment = {**os.environ, **known}
    return subprocess.run(command, cwd=site, env=environment, timeout=RUN_MAX_S, check=False).returncode


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for it in sockets:
        it.bind(("127.0.0.1", 0))
    ports = [it.getsockname()[1] for it in sockets]
    for it in sockets:
        it.close()
    return ports


class Node:
    """The program, from its start to its end by SIGINT."""

    def __init__(self, command, site):
        self.command, self.log, self.code = command, site / "node.log", None

    def __enter__(self):
        self.output = self.log.open("w")
        # Refusals are what is tested; nobody needs the audit log of it.
        environment = {**os.environ, "TAOYAO_LOG": "warn,audit=off"}
        self.process = subprocess.Popen(
            self.command, stdout=self.output, stderr=subprocess.STDOUT, env=environment
        )
        return self

    def wait_for(self, base, authority):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                trust = ssl.create_default_context(cafile=authority)
                urllib.request.urlopen(f"{base}/mesh/probe", context=trust, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the node is not up:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.code = "no drain"
        self.output.close()
        print(self.log.read_text())


class Terminal:
    """A terminal on a TCP socket: in a room of its own, and answering every control by what it was told."""

    def __init__(self, port, client):
        self.client, self.count = client, 0
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        login = {"clientId": client, "clientType": "CAMERA", "name": "camera", "username": "taoyao", "password": "peach"}
        self.ask("client::register", login)
        self.room = self.ask("room::create", {"name": "hall"})["body"]["roomId"]
        self.ask("room::enter", {"roomId": self.room})
        threading.Thread(target=self.serve, daemon=True).start()

    def ask(self, name, body):
        self.count += 1
        header = {"v": "1.0.0", "id": self.count, "signal": name}
        self.send({"header": header, "body": body})
        while True:
            message = self.receive()
            if message["header"]["id"] == self.count:
                if message["code"] != "0000":
                    raise SystemExit(f"{name}: {message}")
                return message

    def serve(self):
        self.socket.settimeout(None)
        while (message := self.receive()) is not None:
            if message["header"]["signal"].startswith("control::"):
                self.send({"header": message["header"], "body": message.get("body", {})})

    def send(self, message):
        text = json.dumps(message).encode()
        self.socket.sendall(len(text).to_bytes(2, "big") + text)

    def receive(self):
        length = self.take(2)
        return json.loads(self.take(int.from_bytes(length, "big"))) if length else None

    def take(self, count):
        taken = b""
        while len(taken) < count:
            more = self.socket.recv(count - len(taken))
            if not more:
                return b""
            taken += more
        return taken


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
