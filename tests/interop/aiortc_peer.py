"""aiortc as a publisher and as a player."""

import asyncio
import fractions

import av
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

PATIENCE_S = 60
WIDTH, HEIGHT = 320, 240


class Picture(VideoStreamTrack):
    """Thirty pictures a second, each a little brighter than the one before."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([pts // 3000 % 200 + 20]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, fractions.Fraction(time_base)
        return frame


class Publisher:
    """Sends a tone of silence and a picture that changes, as VP8 unless another codec is preferred."""

    def __init__(self, tracks=(AudioStreamTrack, Picture), codec=None):
        self.tracks, self.codec = tracks, codec

    async def start(self, endpoint, path):
        self.connection = RTCPeerConnection()
        for track in self.tracks:
            transceiver = self.connection.addTransceiver(track(), direction="sendonly")
            if self.codec and track is Picture:
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == self.codec])
        self.session = await offer_and_answer(self.connection, endpoint, path)
        await connected(self.connection)

    async def stop(self):
        status = await asyncio.to_thread(self.session.end)
        await self.connection.close()
        return status


class Player:
    """Counts what it decodes.

    `is_whole`: it says when it is connected. With a section that was refused aiortc never does, for that has a transport of its
    own for which it waits, however well the others play.
    """

    def __init__(self, is_whole=True):
        self.is_whole = is_whole

    async def start(self, endpoint, path):
        self.connection = RTCPeerConnection()
        self.counts, self.size = {"audio": 0, "video": 0}, None
        self.tasks = []
        self.connection.on("track", lambda track: self.tasks.append(asyncio.ensure_future(self.count(track))))
        for kind in ("audio", "video"):
            self.connection.addTransceiver(kind, direction="recvonly")
        self.session = await offer_and_answer(self.connection, endpoint, path)
        if self.is_whole:
            await connected(self.connection)

    async def wait_and_start(self, endpoint, path):
        """Comes again as long as the node says that nobody sends yet."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self.start(endpoint, path)
                except AssertionError as refused:
                    if " 409 " not in str(refused):
                        raise
                    await self.connection.close()
                    await asyncio.sleep(0.5)

    async def count(self, track):
        try:
            while True:
                frame = await track.recv()
                self.counts[track.kind] += 1
                if track.kind == "video":
                    self.size = (frame.width, frame.height)
        except MediaStreamError:
            pass

    async def decodes(self, audio, video):
        """Waits until it has decoded so many more frames of each kind."""
        goal = {"audio": self.counts["audio"] + audio, "video": self.counts["video"] + video}
        async with asyncio.timeout(PATIENCE_S):
            while any(self.counts[kind] < goal[kind] for kind in goal):
                await asyncio.sleep(0.05)

    async def closed(self):
        """Waits until the other end has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            while self.connection.connectionState not in ("closed", "failed"):
                await asyncio.sleep(0.05)

    async def stop(self):
        status = await asyncio.to_thread(self.session.end)
        await self.connection.close()
        return status


async def offer_and_answer(connection, endpoint, path):
    await connection.setLocalDescription(await connection.createOffer())
    session = await asyncio.to_thread(endpoint.open, path, connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(session.answer, "answer"))
    return session


async def connected(connection):
    async with asyncio.timeout(PATIENCE_S):
        while connection.connectionState != "connected":
            if connection.connectionState in ("closed", "failed"):
                raise AssertionError(f"the connection is {connection.connectionState}")
            await asyncio.sleep(0.05)
