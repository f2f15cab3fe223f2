//! Dependency descriptors of AV1 in three spatial and three temporal layers (AV1 RTP specification, section A.8).

const SPATIAL: u8 = 3;
const TEMPORAL: u8 = 3;
/// Of each spatial layer: the key frame, and one for each temporal layer.
const TEMPLATES: u8 = 1 + TEMPORAL;

/// A frame as its descriptor tells of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described {
    pub(crate) starts: bool,
    pub(crate) ends: bool,
    pub(crate) is_key: bool,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    pub(crate) number: u16,
}

/// The descriptor of a packet; the first of a key picture carries the structure. `is_keyed`: upper layers need lower ones in
/// key pictures only.
pub(crate) fn descriptor(frame: Described, is_keyed: bool) -> Vec<u8> {
    let template = TEMPLATES * frame.spatial + if frame.is_key { 0 } else { 1 + frame.temporal };
    let pen = Pen::default().put(frame.starts.into(), 1).put(frame.ends.into(), 1).put(template.into(), 6);
    let pen = pen.put(frame.number.into(), 16);
    if frame.is_key && frame.starts && frame.spatial == 0 {
        structure(pen, is_keyed).bytes()
    } else {
        pen.bytes()
    }
}

fn structure(pen: Pen, is_keyed: bool) -> Pen {
    // A structure and nothing else; templates from 0; targets by spatial, then temporal layer.
    let mut pen = pen.put(0b10000, 5).put(0, 6).put(u32::from(SPATIAL * TEMPORAL) - 1, 5);
    for spatial in 0..SPATIAL {
        let next = if spatial + 1 == SPATIAL { 3 } else { 2 };
        pen = pen.put(0, 2).put(1, 2).put(1, 2).put(next, 2);
    }
    for spatial in 0..SPATIAL {
        for template in 0..TEMPLATES {
            let temporal = template.saturating_sub(1);
            for target in 0..SPATIAL * TEMPORAL {
                let layers = (target / TEMPORAL, target % TEMPORAL);
                pen = pen.put(indication((spatial, temporal), template == 0, layers, is_keyed), 2);
            }
        }
    }
    // No differences, no chains, no resolutions.
    (0..SPATIAL * TEMPLATES).fold(pen, |pen, _| pen.put(0, 1)).put(0, 4).put(0, 1)
}

/// 0: not present, 1: discardable, 2: switch, 3: required.
fn indication((spatial, temporal): (u8, u8), is_key: bool, target: (u8, u8), is_keyed: bool) -> u32 {
    if spatial > target.0 || temporal > target.1 {
        return 0;
    }
    match (spatial == target.0, is_key) {
        (true, _) if temporal == target.1 && temporal > 0 => 1,
        (true, _) | (false, true) => 2,
        (false, false) if is_keyed => 0,
        (false, false) => 3,
    }
}

/// Writes bits, most significant first.
#[derive(Default)]
struct Pen {
    bits: Vec<bool>,
}

impl Pen {
    fn put(mut self, value: u32, count: usize) -> Self {
        self.bits.extend((0..count).rev().map(|bit| (value >> bit) & 1 == 1));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | (u8::from(*bit) << (7 - at)))
        };
        self.bits.chunks(8).map(byte).collect()
    }
}
