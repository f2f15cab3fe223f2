"""GStreamer's rtpbin as a player of plain RTP: gstreamer_plain.py PORT RTCP_PORT AUDIO VIDEO

Sends a packet from where it listens to the node's PORT, so that the node knows the way (comedia), and its reports to
RTCP_PORT. AUDIO and VIDEO are payload types of opus and VP8. Prints `audio N video N` for what it has decoded, and ends
when its standard input ends. Needs the system's Python with PyGObject.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gio, GLib, Gst  # noqa: E402 (versions are chosen before)

from gstreamer_frames import Frames  # noqa: E402

# An RTP packet of nobody.
OPENER = bytes([0x80, 0, 0, 1]) + bytes(8)
FORMS = {
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload={}",
    "video": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload={}",
}
PIPELINE = """rtpbin name=bin latency=100
    udpsrc name=in port=0 address=127.0.0.1 caps=application/x-rtp ! bin.recv_rtp_sink_0
    bin.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={} sync=false async=false"""


class Player:
    def __init__(self, port, rtcp_port, payload_types):
        self.port, self.payload_types = port, payload_types
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(PIPELINE.format(rtcp_port))
        self.frames = Frames(self.pipeline)
        rtpbin = self.pipeline.get_by_name("bin")
        rtpbin.connect("request-pt-map", self.form_of)
        rtpbin.connect("pad-added", self.play)

    def form_of(self, _bin, _session, payload_type):
        kind = next((kind for kind, of in self.payload_types.items() if of == payload_type), None)
        return kind and Gst.Caps.from_string(FORMS[kind].format(payload_type))

    def play(self, _, pad):
        if pad.get_name().startswith("recv_rtp_src"):
            self.frames.decode(pad)

    def open_way(self):
        """Again and again: a packet may be lost, and nothing says so."""
        socket = self.pipeline.get_by_name("in").get_property("used-socket")
        if socket:
            address = Gio.InetSocketAddress.new_from_string("127.0.0.1", self.port)
            socket.send_to(address, OPENER, None)
        return GLib.SOURCE_CONTINUE

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(200, self.open_way)
        threading.Thread(target=self.wait_for_end, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def wait_for_end(self):
        sys.stdin.read()
        self.loop.quit()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    Gst.init(None)
    port, rtcp_port, audio, video = (int(word) for word in sys.argv[1:])
    Player(port, rtcp_port, {"audio": audio, "video": video}).run()
