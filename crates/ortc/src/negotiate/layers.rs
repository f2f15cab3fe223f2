//! Layers of a stream: what `scalabilityMode` says, and what consumers say of themselves.

use crate::rtp::{Codec, Encoding};

/// Spatial and temporal layers (W3C, Scalable Video Coding Extension for WebRTC, section 6); at least one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    pub spatial: u8,
    pub temporal: u8,
}

impl Layers {
    pub const ONE: Self = Self { spatial: 1, temporal: 1 };

    /// `L3T3`, `L1T2`, `S2T3`, `L3T3_KEY`; what cannot be read is one layer.
    pub fn of(scalability_mode: Option<&str>) -> Self {
        scalability_mode.and_then(Self::read).unwrap_or(Self::ONE)
    }

    fn read(text: &str) -> Option<Self> {
        let (spatial, rest) = text.strip_prefix(['L', 'S'])?.split_once('T')?;
        let temporal = rest.find(|digit: char| !digit.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
        let layers = Self { spatial: spatial.parse().ok()?, temporal: temporal.parse().ok()? };
        (layers.spatial > 0 && layers.temporal > 0).then_some(layers)
    }
}

/// What consumers of such a producer say of themselves (reference section 6.3). Layers of one stream can be taken out
/// of it only if its packets say which they are of: in VP9 and AV1.
pub(super) fn consumer_type(codec: &Codec, encodings: &[Encoding]) -> &'static str {
    let is_scalable = || {
        (codec.is("video/VP9") || codec.is("video/AV1"))
            && encodings.iter().any(|one| Layers::of(one.scalability_mode.as_deref()) != Layers::ONE)
    };
    match encodings.len() {
        2.. => "simulcast",
        _ if is_scalable() => "svc",
        _ => "simple",
    }
}

/// The mode of the one stream that a consumer sees: its spatial layers are the producer's streams where there are several.
pub(super) fn consumer_mode(encodings: &[Encoding]) -> Option<String> {
    let mode = encodings.iter().find_map(|encoding| encoding.scalability_mode.as_deref());
    match encodings {
        [_, _, ..] => Some(format!("L{}T{}", encodings.len(), Layers::of(mode).temporal)),
        _ => mode.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_say_how_many_layers_there_are() {
        let layers = |text| {
            let Layers { spatial, temporal } = Layers::of(Some(text));
            (spatial, temporal)
        };
        assert_eq!(layers("L1T3"), (1, 3));
        assert_eq!(layers("S3T2"), (3, 2));
        assert_eq!(layers("L3T3_KEY"), (3, 3));
        assert_eq!(layers("L2T2h_KEY_SHIFT"), (2, 2));
        assert_eq!(Layers::of(None), Layers::ONE);
        for text in ["", "L", "LT", "L0T1", "L1T0", "X3T3", "L999T1", "L1T", "L-1T3", "層3T3"] {
            assert_eq!(Layers::of(Some(text)), Layers::ONE, "{text}");
        }
    }
}
