"""What the GStreamer peers share: decoding what arrives, and telling how many frames of each kind that were."""

import sys

from gi.repository import Gst


def say(line):
    """In one piece: GStreamer's threads speak at the same time."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Frames:
    """Prints `audio N video N` for each frame that is decoded in a pipeline."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.counts = {"audio": 0, "video": 0}

    def decode(self, pad):
        """Plays a pad of RTP."""
        decoder = Gst.ElementFactory.make("decodebin")
        decoder.connect("pad-added", self.count)
        self.attach(decoder, pad)

    def count(self, _, pad):
        kind = "audio" if pad.get_current_caps().to_string().startswith("audio") else "video"
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", lambda *_: self.tell(kind))
        self.attach(sink, pad)

    def attach(self, element, pad):
        self.pipeline.add(element)
        element.sync_state_with_parent()
        pad.link(element.get_static_pad("sink"))

    def tell(self, kind):
        self.counts[kind] += 1
        say(f"audio {self.counts['audio']} video {self.counts['video']}")
