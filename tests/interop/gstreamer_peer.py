"""GStreamer's webrtcbin as a publisher or a player: gstreamer_peer.py publish|play BASE AUTHORITY USER PASSWORD PATH

Needs the system's Python with PyGObject. Prints `connected`, then `audio N video N` for the frames that a player has
decoded, and ends its session when its standard input ends.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (versions are chosen before)

from gstreamer_frames import Frames, say  # noqa: E402
from whip import Endpoint  # noqa: E402

PUBLISH = """webrtcbin name=peer bundle-policy=max-bundle
    audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=97
        ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
    videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1
        ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 picture-id-mode=15-bit
        ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer."""
RECEIVED = {
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}


class Peer:
    def __init__(self, way, endpoint, path):
        self.endpoint, self.path, self.session = endpoint, path, None
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new(None)
        if way == "publish":
            self.pipeline = Gst.parse_launch(PUBLISH)
            self.peer = self.pipeline.get_by_name("peer")
        else:
            self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
            self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
            self.peer.connect("pad-added", self.play)
            for caps in RECEIVED.values():
                direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
                self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
        self.frames = Frames(self.pipeline)
        self.peer.connect("on-negotiation-needed", self.offer)
        self.peer.connect("notify::connection-state", self.tell_state)

    def offer(self, peer):
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.take_offer))

    def take_offer(self, promise):
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        # The node is found by its candidates; it needs none of ours.
        text = offer.sdp.as_text()
        threading.Thread(target=self.negotiate, args=(text,), daemon=True).start()

    def negotiate(self, text):
        self.session = self.endpoint.open(self.path, text)
        _, message = GstSdp.SDPMessage.new_from_text(self.session.answer)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())

    def tell_state(self, peer, _):
        if peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            say("connected")

    def play(self, _, pad):
        if pad.get_direction() == Gst.PadDirection.SRC:
            self.frames.decode(pad)

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.wait_for_end, daemon=True).start()
        self.loop.run()
        if self.session:
            self.session.end()
        self.pipeline.set_state(Gst.State.NULL)

    def wait_for_end(self):
        sys.stdin.read()
        self.loop.quit()


if __name__ == "__main__":
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    Gst.init(None)
    _, way, base, authority, user, password, path = sys.argv
    Peer(way, Endpoint(base, authority, user, password), path).run()
