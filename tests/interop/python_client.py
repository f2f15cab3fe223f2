"""The example client in Python: it is called, sends a picture, and is turned; all that it hears is as the schema says."""

import asyncio
import json
import sys
from pathlib import Path

from aiortc import RTCPeerConnection, RTCSessionDescription
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))

from camera import Camera  # noqa: E402 (the path to it is set above)
from taoyao import Terminal  # noqa: E402

SCHEMA = json.loads((ROOT / "docs/protocol/schema.json").read_text())
PATIENCE_S = 60


class Checked(Terminal):
    """A terminal that holds every message against the schema."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.asked, self.wrong, self.checked = {}, [], 0

    async def send(self, number, signal, body):
        if signal in self.handlers:
            return await super().send(number, signal, body)
        self.asked[number] = signal
        self.check(f"{signal}/request", body or {})
        await super().send(number, signal, body)

    def take(self, message):
        header = message["header"]
        part = "answer" if self.asked.get(header["id"]) == header["signal"] else "push"
        self.check(f"{header['signal']}/{part}", message.get("body"))
        super().take(message)

    def check(self, name, body):
        if name not in SCHEMA["$defs"]:
            return self.wrong.append(f"{name} is in no schema")
        pointer = name.replace("~", "~0").replace("/", "~1")
        validator = Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{pointer}"})
        self.wrong += [f"{name}: {error.message}" for error in validator.iter_errors(body)]
        self.checked += 1


async def a_camera_in_python_is_called_and_turned(site):
    Draft202012Validator.check_schema(SCHEMA)
    url = site.base.replace("https", "wss") + "/websocket.signal"
    login = {"username": site.user, "password": site.password, "trust": site.authority}
    async with (
        Checked(url, "py-camera", client_type="CAMERA", **login) as camera,
        Checked(url, "py-caller", client_type="WEB", **login) as caller,
    ):
        Camera(camera)
        picture = asyncio.get_running_loop().create_future()
        connection = RTCPeerConnection()
        connection.on("track", lambda track: asyncio.ensure_future(decode(track, picture)))

        @caller.on("session::exchange")
        async def offered(message):
            await connection.setRemoteDescription(RTCSessionDescription(message["sdp"], message["type"]))
            await connection.setLocalDescription(await connection.createAnswer())
            answer = {"sessionId": message["sessionId"], "type": "answer", "sdp": connection.localDescription.sdp}
            await caller.tell("session::exchange", answer)

        listed = await caller.ask("client::list", {"clientType": "CAMERA"})
        assert "py-camera" in [client["clientId"] for client in listed], listed
        called = await caller.ask("session::call", {"clientId": "py-camera", "audio": False, "video": True})
        assert await asyncio.wait_for(picture, PATIENCE_S) == (320, 240)
        order = {"type": "PAN", "value": 10}
        assert await caller.ask("control::ptz", {"to": "py-camera", **order}) == order
        await caller.tell("session::close", {"sessionId": called["sessionId"]})
        await connection.close()
        assert not camera.wrong + caller.wrong, camera.wrong + caller.wrong
        assert camera.checked > 3 and caller.checked > 6, (camera.checked, caller.checked)


async def decode(track, picture):
    frame = await track.recv()
    picture.set_result((frame.width, frame.height))
