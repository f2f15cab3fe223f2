"""Holds a running node against its own OpenAPI document: python tests/rest/run.py PROGRAM SCHEMATHESIS

PROGRAM is the binary `taoyao`, SCHEMATHESIS the command of the package pinned in requirements.txt. Starts a node with one
terminal in one room, lets Schemathesis call it twice with a fixed seed (anything.toml, known.toml), ends the node by SIGINT
and checks that it drained.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))

from one_node import Node, Terminal, free_ports, topology  # noqa: E402 (the path to it is set above)

RUN_MAX_S = 300
# Recordings are part of the interface; a recorder listens to the node's forwarder.
MORE = """media = {{ listen = "127.0.0.1:{port}", workers = 1 }}
recordings = {{ dir = "recordings" }}"""


def main(program, schemathesis):
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        https, tcp, media = free_ports(3)
        (site / "one.toml").write_text(topology(https, tcp, MORE.format(port=media)))
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


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
