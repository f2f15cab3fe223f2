"""Other programs on a node by WHIP and WHEP: python tests/interop/run.py PROGRAM PYTHON

PROGRAM is the binary `taoyao`; PYTHON an interpreter with PyGObject and GStreamer, mostly the system's. The tests
themselves need the packages of requirements.txt. Starts a node with a media forwarder, lets aiortc and GStreamer publish
into a room and play out of it, ends the node by SIGINT and checks that it drained.
"""

import asyncio
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))

from aiortc_peer import Player, Publisher  # noqa: E402
from one_node import PASSWORD, USER, Node, Terminal, free_ports, topology  # noqa: E402
from whip import Endpoint  # noqa: E402

PATIENCE_S = 60
MEDIA = 'media = {{ listen = "127.0.0.1:{port}", workers = 1 }}'
# A second and more of each.
AUDIO, VIDEO = 50, 30


class Site:
    """A node and how to reach it."""

    def __init__(self, base, authority, tcp, python):
        self.base, self.authority, self.tcp, self.python = base, authority, tcp, python
        self.endpoint = Endpoint(base, authority, USER, PASSWORD)
        self.rooms = 0

    def room(self):
        self.rooms += 1
        return Terminal(self.tcp, f"host-{self.rooms}").room

    def gstreamer(self, way, path):
        return GStreamer([self.python, str(HERE / "gstreamer_peer.py"), way, self.base, self.authority, USER, PASSWORD, path])


class GStreamer:
    """webrtcbin in a process of its own."""

    def __init__(self, command):
        self.command = command

    async def heard(self, is_wanted):
        """Reads its lines until one is wanted."""
        async with asyncio.timeout(PATIENCE_S):
            async for line in self.process.stdout:
                if is_wanted(line.decode().split()):
                    return
        raise AssertionError("GStreamer has ended")

    async def __aenter__(self):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self.command, stdin=pipe, stdout=pipe)
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        except TimeoutError:
            self.process.kill()


async def aiortc_plays_what_aiortc_publishes(site):
    room, publisher, player = site.room(), Publisher(), Player()
    await publisher.start(site.endpoint, f"/whip/{room}?name=Studio")
    await player.start(site.endpoint, f"/whep/{room}")
    await player.decodes(AUDIO, VIDEO)
    assert player.size == (320, 240), player.size
    assert await player.stop() == 200
    assert await publisher.stop() == 200


async def a_player_is_let_go_when_its_publisher_ends(site):
    room, publisher, player = site.room(), Publisher(), Player()
    await publisher.start(site.endpoint, f"/whip/{room}")
    await player.start(site.endpoint, f"/whep/{room}")
    await player.decodes(1, 1)
    assert await publisher.stop() == 200
    await player.closed()
    assert await player.stop() == 404, "the session has ended of itself"


async def several_players_come_and_go(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")
    players = [Player() for _ in range(3)]
    for player in players:
        await player.start(site.endpoint, f"/whep/{room}")
    await asyncio.gather(*(player.decodes(1, VIDEO) for player in players))
    assert await players[0].stop() == 200
    await asyncio.gather(*(player.decodes(1, VIDEO) for player in players[1:]))
    for player in players[1:]:
        assert await player.stop() == 200
    assert await publisher.stop() == 200


async def an_empty_room_says_when_to_come_back(site):
    player = Player()
    try:
        await player.start(site.endpoint, f"/whep/{site.room()}")
    except AssertionError as refused:
        assert " 409 " in str(refused), refused
    else:
        raise AssertionError("there was nothing to play")
    await player.connection.close()


async def candidates_are_noted_and_ice_restarts(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")
    section = "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
    candidate = section + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    session = publisher.session
    assert session.patch(candidate, session.etag)[0] == 204
    assert session.patch(candidate, '"another"')[0] == 412
    credentials = "a=ice-ufrag:anew\r\na=ice-pwd:aaaabbbbccccddddeeeeff\r\n"
    status, headers, answer = session.patch(credentials + section, "*")
    assert status == 200 and "a=ice-ufrag:" in answer, answer
    assert headers["ETag"] != session.etag
    assert await publisher.stop() == 200


async def aiortc_plays_what_gstreamer_publishes(site):
    room, player = site.room(), Player()
    async with site.gstreamer("publish", f"/whip/{room}") as publisher:
        await publisher.heard(lambda words: words == ["connected"])
        await player.start(site.endpoint, f"/whep/{room}")
        await player.decodes(AUDIO, VIDEO)
        assert await player.stop() == 200


async def gstreamer_plays_what_aiortc_publishes(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")

    def has_decoded(words):
        return words[:1] == ["audio"] and int(words[1]) >= AUDIO and int(words[3]) >= VIDEO

    async with site.gstreamer("play", f"/whep/{room}") as player:
        await player.heard(has_decoded)
    assert await publisher.stop() == 200


TESTS = [
    aiortc_plays_what_aiortc_publishes,
    a_player_is_let_go_when_its_publisher_ends,
    several_players_come_and_go,
    an_empty_room_says_when_to_come_back,
    candidates_are_noted_and_ice_restarts,
    aiortc_plays_what_gstreamer_publishes,
    gstreamer_plays_what_aiortc_publishes,
]


def main(program, python):
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        https, tcp, media = free_ports(3)
        (site / "one.toml").write_text(topology(https, tcp, MEDIA.format(port=media)))
        with Node([program, "up", str(site / "one.toml")], site) as node:
            base, authority = f"https://127.0.0.1:{https}", str(site / "certs/ca.crt")
            node.wait_for(base, authority)
            passed = sum(is_passed(test, Site(base, authority, tcp, python)) for test in TESTS)
        failed = len(TESTS) - passed + (1 if node.code else 0)
        print(f"node ended with {node.code}")
        print(f"test result: {passed} passed; {failed} failed;")
        return 1 if failed else 0


def is_passed(test, site):
    name = test.__name__.replace("_", " ")
    try:
        asyncio.run(asyncio.wait_for(test(site), 3 * PATIENCE_S))
    except Exception:  # noqa: BLE001 (a test may fail in any way)
        traceback.print_exc()
        print(f"FAILED {name}", flush=True)
        return False
    print(f"ok     {name}", flush=True)
    return True


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
