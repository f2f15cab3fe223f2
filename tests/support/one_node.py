"""One node as the tests in Python need it: started, asked by a terminal on a TCP socket, ended by SIGINT."""

import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

PATIENCE_S = 60
USER, PASSWORD = "taoyao", "peach"


def topology(https, tcp, more=""):
    """The file of one node with the test's account; `more` are further lines of the node."""
    return f"""# One node for a test.
org = "test"
[certs]
dir = "certs"
[login]
development = true
[login.shared_account]
username = "{USER}"
password = "{PASSWORD}"
roles = ["terminal", "operator", "admin"]
[[node]]
name = "home"
state = {{ dir = "state" }}
{more}
[node.terminals]
listen = "127.0.0.1:{https}"
tcp = [{{ listen = "127.0.0.1:{tcp}", mode = "plaintext", allow_insecure_legacy = true }}]
"""


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
    """A terminal on a TCP socket: in a room, mostly of its own, and sending back all controls and new consumers."""

    def __init__(self, port, client, room=None, capabilities=None):
        self.client, self.count, self.answers, self.speaking = client, 0, {}, threading.Lock()
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.settimeout(None)
        # What it is offered, by the kind of media: the body of `media::consume`.
        self.consumers = queue.Queue()
        threading.Thread(target=self.serve, daemon=True).start()
        login = {"clientId": client, "clientType": "CAMERA", "name": "camera", "username": USER, "password": PASSWORD}
        self.ask("client::register", login)
        self.room = room or self.ask("room::create", {"name": "hall"})["body"]["roomId"]
        entry = {"roomId": self.room}
        if capabilities:
            entry["rtpCapabilities"] = capabilities
        self.ask("room::enter", entry)

    def ask(self, name, body):
        with self.speaking:
            self.count += 1
            number, answer = self.count, queue.Queue()
            self.answers[number] = answer
        self.send({"header": {"v": "1.0.0", "id": number, "signal": name}, "body": body})
        message = answer.get(timeout=PATIENCE_S)
        if message["code"] != "0000":
            raise SystemExit(f"{name}: {message}")
        return message

    def serve(self):
        while (message := self.receive()) is not None:
            name, answer = message["header"]["signal"], self.answers.pop(message["header"]["id"], None)
            if answer:
                answer.put(message)
            elif name.startswith("control::") or name == "media::consume":
                self.send({"header": message["header"], "body": message.get("body", {})})
                if name == "media::consume":
                    self.consumers.put(message["body"])

    def send(self, message):
        text = json.dumps(message).encode()
        with self.speaking:
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
