//! What ffprobe says of a file.

use std::path::Path;

use serde_json::Value;

use crate::source::run;

pub(crate) struct Probe(Value);

impl Probe {
    pub(crate) fn of(path: &Path) -> Self {
        let shown = ["-of", "json", "-show_format", "-show_streams", "-show_packets", "-count_frames"];
        let text = run("ffprobe", &[&shown[..], &[path.to_str().unwrap()]].concat());
        Self(serde_json::from_slice(&text).unwrap())
    }

    pub(crate) fn format(&self) -> &str {
        self.0["format"]["format_name"].as_str().unwrap()
    }

    /// Seconds, as the container says.
    pub(crate) fn duration(&self) -> f64 {
        number(&self.0["format"]["duration"])
    }

    /// The codecs of the streams.
    pub(crate) fn codecs(&self) -> Vec<&str> {
        self.streams().iter().map(|stream| stream["codec_name"].as_str().unwrap()).collect()
    }

    /// Frames that could be decoded.
    pub(crate) fn frames(&self, codec: &str) -> u64 {
        number(&self.stream(codec)["nb_read_frames"]) as u64
    }

    pub(crate) fn size(&self, codec: &str) -> (u64, u64) {
        let stream = self.stream(codec);
        (stream["width"].as_u64().unwrap(), stream["height"].as_u64().unwrap())
    }

    /// When each packet of a stream is to be shown, in seconds.
    pub(crate) fn times(&self, codec: &str) -> Vec<f64> {
        let index = &self.stream(codec)["index"];
        let packets = self.0["packets"].as_array().unwrap().iter();
        packets
            .filter(|packet| packet["stream_index"] == *index)
            .map(|packet| number(&packet["pts_time"]))
            .collect()
    }

    fn stream(&self, codec: &str) -> &Value {
        self.streams().iter().find(|stream| stream["codec_name"] == codec).expect("the stream is there")
    }

    fn streams(&self) -> &[Value] {
        self.0["streams"].as_array().unwrap()
    }
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no number in a string")).parse().unwrap()
}
