"""Other programs on nodes by WHIP, WHEP and plain RTP: python tests/interop/run.py PROGRAM PYTHON

PROGRAM is the binary `taoyao`; PYTHON an interpreter with PyGObject and GStreamer, mostly the system's. The tests
themselves need the packages of requirements.txt. Starts two nodes with media forwarders, lets aiortc, GStreamer and ffmpeg
publish into rooms, play out of them and be recorded, ends the nodes by SIGINT and checks that they drained.
"""

import asyncio
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))

import plain  # noqa: E402
from aiortc.mediastreams import AudioStreamTrack  # noqa: E402
from aiortc_peer import Player, Publisher  # noqa: E402
from python_client import a_camera_in_python_is_called_and_turned  # noqa: E402
from one_node import PASSWORD, USER, Node, Terminal, free_ports, topology  # noqa: E402
from whip import Endpoint  # noqa: E402

PATIENCE_S = 60
HOME = """media = {{ listen = "127.0.0.1:{media}", workers = 1 }}
links = {{ listen = "127.0.0.1:{links}" }}
recordings = {{ dir = "recordings" }}"""
# Rooms are the node's whose partition they are in; media flows to and from there.
BRANCH = """
[[node]]
name = "branch"
parent = ["home"]
media = {{ listen = "127.0.0.1:{media}", workers = 1 }}
terminals = {{ listen = "127.0.0.1:{https}" }}
[policy]
between_partitions = ["see", "room", "record"]
"""
# A second and more of each.
AUDIO, VIDEO = 50, 30


class Site:
    """The nodes and how to reach them: rooms are at the first."""

    def __init__(self, bases, authority, tcp, python):
        self.base, self.authority, self.tcp, self.python = bases[0], authority, tcp, python
        self.user, self.password = USER, PASSWORD
        self.endpoint, self.branch = (Endpoint(base, authority, USER, PASSWORD) for base in bases)
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
    await player.wait_and_start(site.endpoint, f"/whep/{room}")
    await player.decodes(AUDIO, VIDEO)
    assert player.size == (320, 240), player.size
    assert await player.stop() == 200
    assert await publisher.stop() == 200


async def h264_of_the_baseline_profile_is_carried(site):
    room, publisher, player = site.room(), Publisher(codec="video/H264"), Player()
    await publisher.start(site.endpoint, f"/whip/{room.upper()}/")
    assert "profile-level-id=42001f" in publisher.session.answer, publisher.session.answer
    await player.wait_and_start(site.endpoint, f"/whep/{room}")
    await player.decodes(AUDIO, VIDEO)
    assert await player.stop() == 200
    assert await publisher.stop() == 200


async def a_player_of_sound_and_picture_takes_sound_alone(site):
    room, publisher, player = site.room(), Publisher(tracks=(AudioStreamTrack,)), Player(is_whole=False)
    await publisher.start(site.endpoint, f"/whip/{room}")
    await player.wait_and_start(site.endpoint, f"/whep/{room}")
    await player.decodes(AUDIO, 0)
    assert await player.stop() == 200
    assert await publisher.stop() == 200


async def a_player_is_let_go_when_its_publisher_ends(site):
    room, publisher, player = site.room(), Publisher(), Player()
    await publisher.start(site.endpoint, f"/whip/{room}")
    await player.wait_and_start(site.endpoint, f"/whep/{room}")
    await player.decodes(1, 1)
    assert await publisher.stop() == 200
    await player.closed()
    assert await player.stop() == 404, "the session has ended of itself"


async def several_players_come_and_go(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")
    players = [Player() for _ in range(3)]
    for player in players:
        await player.wait_and_start(site.endpoint, f"/whep/{room}")
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


def has_decoded(words):
    return words[:1] == ["audio"] and int(words[1]) >= AUDIO and int(words[3]) >= VIDEO


async def aiortc_plays_what_gstreamer_publishes(site):
    room, player = site.room(), Player()
    async with site.gstreamer("publish", f"/whip/{room}") as publisher:
        await publisher.heard(lambda words: words == ["connected"])
        await player.wait_and_start(site.endpoint, f"/whep/{room}")
        await player.decodes(AUDIO, VIDEO)
        assert await player.stop() == 200


async def gstreamer_plays_what_aiortc_publishes(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")

    async with site.gstreamer("play", f"/whep/{room}") as player:
        await player.heard(has_decoded)
    assert await publisher.stop() == 200


async def a_room_of_another_node_is_published_into_and_played_from(site):
    room, publisher, near, far = site.room(), Publisher(), Player(), Player()
    await publisher.start(site.branch, f"/whip/{room}")
    await near.wait_and_start(site.endpoint, f"/whep/{room}")
    await far.wait_and_start(site.branch, f"/whep/{room}")
    await asyncio.gather(near.decodes(AUDIO, VIDEO), far.decodes(AUDIO, VIDEO))
    assert await publisher.stop() == 200
    await asyncio.gather(near.closed(), far.closed())


async def what_ffmpeg_sends_as_rtp_and_srtp_is_seen_and_recorded(site):
    await is_seen_and_recorded(site, plain.sends_by_ffmpeg, {"opus", "vp8"})


async def what_gstreamer_sends_as_rtp_is_seen_and_recorded(site):
    await is_seen_and_recorded(site, plain.sends_by_gstreamer, {"opus", "h264"})


async def is_seen_and_recorded(site, sends, codecs):
    camera, player = await asyncio.to_thread(sends, site.tcp, "-".join(["camera", *sorted(codecs)])), Player()
    try:
        await player.wait_and_start(site.endpoint, f"/whep/{camera.room}")
        await player.decodes(1, 1)
        recording = await asyncio.to_thread(camera.record, True)
        # Twice as many as have to be in the file: it begins with a key frame, and what was decoded may have come before.
        await player.decodes(3 * AUDIO, 2 * VIDEO)
        assert await asyncio.to_thread(camera.record, False) == recording
        assert player.size == (320, 240), player.size
        assert await player.stop() == 200
    finally:
        await asyncio.to_thread(camera.close)
    status, _, entry = site.endpoint.ask("GET", f"/recordings/status/{recording}")
    entry = json.loads(entry)["body"]
    assert status == 200 and entry["state"] == "finished", entry
    assert all(track["isRecorded"] and track["frames"] >= VIDEO for track in entry["tracks"]), entry
    status, _, media = site.endpoint.fetch("GET", f"/recordings/media/{recording}")
    with tempfile.NamedTemporaryFile() as file:
        file.write(media)
        file.flush()
        found, complaints = plain.probe(file.name)
    assert status == 200 and found == codecs and not complaints, (found, complaints)


async def gstreamer_receives_plain_rtp(site):
    room, publisher = site.room(), Publisher()
    await publisher.start(site.endpoint, f"/whip/{room}")
    player, transport, codecs = await asyncio.to_thread(plain.receives, site.tcp, "player", room)
    ports = [transport["port"], transport["rtcpPort"], codecs["audio"], codecs["video"]]
    async with GStreamer([site.python, str(HERE / "gstreamer_plain.py"), *map(str, ports)]) as gstreamer:
        await gstreamer.heard(has_decoded)
    await asyncio.to_thread(player.close)
    assert await publisher.stop() == 200


TESTS = [
    aiortc_plays_what_aiortc_publishes,
    h264_of_the_baseline_profile_is_carried,
    a_player_of_sound_and_picture_takes_sound_alone,
    a_player_is_let_go_when_its_publisher_ends,
    several_players_come_and_go,
    an_empty_room_says_when_to_come_back,
    candidates_are_noted_and_ice_restarts,
    aiortc_plays_what_gstreamer_publishes,
    gstreamer_plays_what_aiortc_publishes,
    a_room_of_another_node_is_published_into_and_played_from,
    what_ffmpeg_sends_as_rtp_and_srtp_is_seen_and_recorded,
    what_gstreamer_sends_as_rtp_is_seen_and_recorded,
    gstreamer_receives_plain_rtp,
    a_camera_in_python_is_called_and_turned,
]


def main(program, python):
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        https, tcp, media, links, branch_https, branch_media = free_ports(6)
        text = topology(https, tcp, HOME.format(media=media, links=links))
        (site / "two.toml").write_text(text + BRANCH.format(media=branch_media, https=branch_https))
        with Node([program, "up", str(site / "two.toml")], site) as node:
            bases, authority = [f"https://127.0.0.1:{port}" for port in (https, branch_https)], str(site / "certs/ca.crt")
            for base in bases:
                node.wait_for(base, authority)
            passed = sum(is_passed(test, Site(bases, authority, tcp, python)) for test in TESTS)
        failed = len(TESTS) - passed + (1 if node.code else 0)
        print(f"the nodes ended with {node.code}")
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
    code = main(sys.argv[1], sys.argv[2])
    # A test that failed leaves a peer of aiortc open, whose decoder's thread would keep this process from ending.
    sys.stdout.flush()
    os._exit(code)
