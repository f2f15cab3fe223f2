"""Plain RTP: a member of a room that sends by ffmpeg or GStreamer, or that receives by GStreamer."""

import base64
import json
import os
import socket
import subprocess

from one_node import PATIENCE_S, Terminal

SECRET_BYTES = 30
SUITE = "AES_CM_128_HMAC_SHA1_80"
OPUS = {"mimeType": "audio/opus", "payloadType": 100, "clockRate": 48000, "channels": 2}
VP8 = {"mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000}
H264_FORM = {"packetization-mode": 1, "profile-level-id": "42e01f"}
H264 = {"mimeType": "video/H264", "payloadType": 107, "clockRate": 90000, "parameters": H264_FORM}
AUDIO_SSRC, VIDEO_SSRC = 1111, 2222

FFMPEG_SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:a", "libopus", "-ac", "2"]
FFMPEG_PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15", "-c:v", "libvpx", "-deadline", "realtime"]
GSTREAMER_SOUND = "audiotestsrc is-live=true ! audio/x-raw,channels=2 ! opusenc ! rtpopuspay pt=100 ssrc={ssrc}"
GSTREAMER_PICTURE = """videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1
    ! openh264enc gop-size=15 ! video/x-h264,profile=constrained-baseline
    ! rtph264pay pt=107 ssrc={ssrc} config-interval=-1"""


class Member(Terminal):
    """A terminal with plain transports."""

    programs = ()

    def transport(self, mux, key=None):
        wish = {"roomId": self.room, "rtcpMux": mux, "comedia": True}
        if key:
            wish["srtpParameters"] = {"cryptoSuite": SUITE, "keyBase64": key}
        return self.ask("media::transport::plain::create", wish)["body"]

    def produce(self, transport, codec, ssrc):
        encodings = [{"ssrc": ssrc}]
        rtp = {"codecs": [codec], "encodings": encodings, "rtcp": {"cname": self.client}}
        kind = codec["mimeType"].partition("/")[0]
        wish = {"roomId": self.room, "transportId": transport["transportId"], "kind": kind, "rtpParameters": rtp}
        self.ask("media::produce", {**wish, "appData": {}})

    def record(self, enabled):
        """Begins or ends its recording; returns its id."""
        wish = {"to": self.client, "roomId": self.room, "enabled": enabled}
        return self.ask("control::server::record", wish)["body"]["filepath"].rpartition("/")[2]

    def run(self, *commands):
        self.programs = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for command in commands]

    def close(self):
        for program in self.programs:
            program.terminate()
            program.wait(PATIENCE_S)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def sends_by_ffmpeg(port, client):
    """Sound as plain RTP, a picture as SRTP. ffmpeg has a socket for each stream and for its RTCP, so each stream has a
    transport, and that a port for RTCP."""
    key = base64.b64encode(os.urandom(SECRET_BYTES)).decode()
    member = Member(port, client)
    sound, picture = member.transport(mux=False), member.transport(mux=False, key=key)
    member.produce(sound, OPUS, AUDIO_SSRC)
    member.produce(picture, VP8, VIDEO_SSRC)
    begin = ["ffmpeg", "-v", "error", "-nostdin", "-re"]
    to = f"rtp://127.0.0.1:{sound['port']}?rtcpport={sound['rtcpPort']}"
    sound = [*FFMPEG_SOUND, "-payload_type", "100", "-ssrc", str(AUDIO_SSRC), "-f", "rtp", to]
    to = f"srtp://127.0.0.1:{picture['port']}?rtcpport={picture['rtcpPort']}"
    secret = ["-srtp_out_suite", SUITE, "-srtp_out_params", key]
    picture = [*FFMPEG_PICTURE, "-g", "15", "-payload_type", "101", "-ssrc", str(VIDEO_SSRC), "-f", "rtp", *secret, to]
    # It would print the SDP of what it sends, the key with it.
    nowhere = ["-sdp_file", os.devnull]
    member.run(begin + sound + nowhere, begin + picture + nowhere)
    return member


def sends_by_gstreamer(port, client):
    """Sound and an H264 picture with their reports, all on one port."""
    member = Member(port, client)
    transport = member.transport(mux=True)
    member.produce(transport, OPUS, AUDIO_SSRC)
    member.produce(transport, H264, VIDEO_SSRC)
    streams = [GSTREAMER_SOUND.format(ssrc=AUDIO_SSRC), GSTREAMER_PICTURE.format(ssrc=VIDEO_SSRC)]
    pipeline = f"rtpbin name=bin funnel name=all ! udpsink host=127.0.0.1 port={transport['port']} sync=false async=false"
    for number, stream in enumerate(streams):
        pipeline += f" {stream} ! bin.send_rtp_sink_{number} bin.send_rtp_src_{number} ! all."
        pipeline += f" bin.send_rtcp_src_{number} ! all."
    member.run(["gst-launch-1.0", "--quiet", *pipeline.split()])
    return member


def receives(port, client, room):
    """Somebody who plays what others of the room send; where from, and what the codecs are called."""
    capabilities = {"codecs": [{**OPUS, "kind": "audio", "preferredPayloadType": 100}, {**VP8, "kind": "video", "preferredPayloadType": 101}]}
    member = Member(port, client, room, capabilities)
    transport = member.transport(mux=False)
    offers = [member.consumers.get(timeout=PATIENCE_S) for _ in range(2)]
    codecs = {offer["kind"]: offer["rtpParameters"]["codecs"][0]["payloadType"] for offer in offers}
    return member, transport, codecs


def probe(file):
    """The codecs of a file, and whether all of it is decoded without complaint."""
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", file], capture_output=True, check=True
    )
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", file, "-f", "null", "-"], capture_output=True, check=True
    )
    return {stream["codec_name"] for stream in json.loads(told.stdout)["streams"]}, decoded.stderr.decode()
