"""A camera that answers calls and is turned: python examples/python/camera.py [URL [CA]]

Needs the packages websockets and aiortc. Registers as `py-camera`, sends whoever calls it a moving picture, plays no sound, and
answers `control::ptz`. URL is the node's WebSocket, by default that of a mesh which `cargo run --release` started; CA the
authority of its certificate.
"""

import asyncio
import fractions
import sys

import av
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from taoyao import Terminal

URL = "wss://127.0.0.1:8883/websocket.signal"
CA = "certs/ca.crt"


class Picture(VideoStreamTrack):
    """Thirty pictures a second, from dark to light and again."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([pts // 3000 % 200 + 20]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, fractions.Fraction(time_base)
        return frame


class Camera:
    """Calls by their session, each with its peer connection."""

    def __init__(self, terminal):
        self.terminal, self.calls = terminal, {}
        terminal.on("session::call")(self.called)
        terminal.on("session::exchange")(self.heard)
        terminal.on("session::close")(self.ended)
        terminal.on("control::ptz")(self.turned)

    async def called(self, call):
        """Who is called makes the offer. aiortc gathers its candidates first and puts them into it."""
        session = call["sessionId"]
        connection = self.calls[session] = RTCPeerConnection()
        connection.addTransceiver(Picture(), direction="sendonly")
        await connection.setLocalDescription(await connection.createOffer())
        sdp = connection.localDescription.sdp
        await self.terminal.tell("session::exchange", {"sessionId": session, "type": "offer", "sdp": sdp})

    async def heard(self, message):
        connection = self.calls.get(message["sessionId"])
        if connection and message.get("type") == "answer":
            await connection.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))

    async def ended(self, message):
        connection = self.calls.pop(message["sessionId"], None)
        if connection:
            await connection.close()

    async def turned(self, order):
        print("turned:", order, flush=True)
        return order


async def main(url=URL, authority=CA):
    async with Terminal(url, "py-camera", "taoyao", "taoyao", "CAMERA", trust=authority) as terminal:
        Camera(terminal)
        print("waiting for calls to py-camera", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:3]))
    except KeyboardInterrupt:
        pass
