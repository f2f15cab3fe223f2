//! The dependency descriptor and the aggregation header of AV1 (AV1 RTP specification, sections 4.4 and A.8).

use super::Facts;
use super::bits::Bits;

/// A stream's latest template structure, with which its descriptors are read.
#[derive(Debug, Clone, Default)]
pub struct DependencyReader {
    structure: Structure,
}

/// What a key frame says of the frames that follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    id_offset: u32,
    templates: Vec<FrameTemplate>,
    /// Highest (spatial, temporal) layer of each decode target.
    targets: Vec<(u8, u8)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameTemplate {
    spatial: u8,
    temporal: u8,
    indications: u64,
}

/// What a frame is for a decode target (section A.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indication {
    Absent,
    Discardable,
    Switch,
    Required,
}

/// Template ids have six bits.
const TEMPLATES_MAX: usize = 64;
const NEW_SEQUENCE: u8 = 0x08;
/// Frames without a key frame's structure end here.
const SHORT_BYTES: usize = 3;
/// Offset of the frame number in a descriptor.
pub const FRAME_NUMBER_AT: usize = 1;

/// Whether the packet begins a coded video sequence (N of the aggregation header).
pub(super) fn begins_sequence(payload: &[u8]) -> bool {
    payload.first().is_some_and(|head| head & NEW_SEQUENCE != 0)
}

impl DependencyReader {
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// The facts of a packet with this descriptor; nothing if it cannot be read, or refers to a structure that was lost.
    pub fn read(&mut self, descriptor: &[u8]) -> Option<Facts> {
        let mut bits = Bits::new(descriptor);
        let (starts, ends) = (bits.flag()?, bits.flag()?);
        let template_id = bits.take(6)?;
        bits.take(16)?;
        let mut has_structure = false;
        let mut has_own_indications = false;
        if descriptor.len() > SHORT_BYTES {
            has_structure = bits.flag()?;
            let has_active_targets = bits.flag()?;
            has_own_indications = bits.flag()?;
            bits.take(2)?;
            if has_structure {
                self.structure = Structure::read(&mut bits)?;
            }
            if has_active_targets {
                bits.take(self.structure.targets.len())?;
            }
        }
        let template = *self.structure.template(template_id)?;
        let indications = if has_own_indications {
            indications(&mut bits, self.structure.targets.len())?
        } else {
            template.indications
        };
        Some(Facts {
            is_key: starts && has_structure,
            starts_picture: starts && template.spatial == 0,
            ends_frame: ends,
            spatial: template.spatial,
            temporal: template.temporal,
            is_switching_point: false,
            frees_upper: false,
            picture: None,
            targets: Some(indications),
        })
    }
}

impl Structure {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let id_offset = bits.take(6)?;
        let target_count = bits.take(5)? + 1;
        let mut templates = template_layers(bits)?;
        for template in &mut templates {
            template.indications = indications(bits, target_count as usize)?;
        }
        skip_differences(bits, templates.len())?;
        skip_chains(bits, target_count, templates.len())?;
        if bits.flag()? {
            let spatial_layers = templates.last().map_or(0, |template| template.spatial) + 1;
            (0..spatial_layers).try_for_each(|_| bits.take(32).map(|_| ()))?;
        }
        let targets = (0..target_count as usize).map(|target| layers_of(&templates, target)).collect();
        Some(Self { id_offset, templates, targets })
    }

    /// How many (spatial, temporal) layers there are.
    pub fn layers(&self) -> (u8, u8) {
        let most = self
            .targets
            .iter()
            .fold((0, 0), |most: (u8, u8), target| (most.0.max(target.0), most.1.max(target.1)));
        (most.0 + 1, most.1 + 1)
    }

    /// The decode target with the most that lies within these layers.
    pub fn target_within(&self, spatial: u8, temporal: u8) -> Option<u8> {
        let within = self.targets.iter().enumerate().filter(|(_, t)| t.0 <= spatial && t.1 <= temporal);
        // There are at most 32 targets.
        within.max_by_key(|(_, target)| **target).map(|(index, _)| index as u8)
    }

    /// The highest (spatial, temporal) layer of a decode target.
    pub fn target_layers(&self, target: u8) -> (u8, u8) {
        self.targets.get(usize::from(target)).copied().unwrap_or_default()
    }

    fn template(&self, id: u32) -> Option<&FrameTemplate> {
        let index = (id + TEMPLATES_MAX as u32 - self.id_offset) % TEMPLATES_MAX as u32;
        self.templates.get(index as usize)
    }
}

impl Indication {
    /// Of one target, out of a packet's [`Facts::targets`].
    pub fn of(targets: u64, target: u8) -> Self {
        match targets.checked_shr(2 * u32::from(target)).unwrap_or(0) & 0b11 {
            0 => Self::Absent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }
}

fn template_layers(bits: &mut Bits<'_>) -> Option<Vec<FrameTemplate>> {
    const NEXT_TEMPORAL: u32 = 1;
    const NEXT_SPATIAL: u32 = 2;
    const END: u32 = 3;
    let (mut spatial, mut temporal) = (0, 0);
    let mut templates = Vec::new();
    while templates.len() < TEMPLATES_MAX {
        templates.push(FrameTemplate { spatial, temporal, indications: 0 });
        match bits.take(2)? {
            NEXT_TEMPORAL => temporal += 1,
            NEXT_SPATIAL => (spatial, temporal) = (spatial + 1, 0),
            END => return Some(templates),
            _ => {}
        }
    }
    None
}

/// Two bits for each target, the first target's in the lowest.
fn indications(bits: &mut Bits<'_>, targets: usize) -> Option<u64> {
    (0..targets).try_fold(0, |all, target| Some(all | (u64::from(bits.take(2)?) << (2 * target))))
}

fn skip_differences(bits: &mut Bits<'_>, templates: usize) -> Option<()> {
    (0..templates).try_for_each(|_| {
        while bits.flag()? {
            bits.take(4)?;
        }
        Some(())
    })
}

fn skip_chains(bits: &mut Bits<'_>, targets: u32, templates: usize) -> Option<()> {
    let chains = bits.non_symmetric(targets + 1)?;
    if chains == 0 {
        return Some(());
    }
    (0..targets).try_for_each(|_| bits.non_symmetric(chains).map(|_| ()))?;
    (0..templates * chains as usize).try_for_each(|_| bits.take(4).map(|_| ()))
}

fn layers_of(templates: &[FrameTemplate], target: usize) -> (u8, u8) {
    let present = templates.iter().filter(|template| (template.indications >> (2 * target)) & 0b11 != 0);
    present.fold((0, 0), |most, template| (most.0.max(template.spatial), most.1.max(template.temporal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes bits, for descriptors of tests.
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

    /// L1T2: target 0 is both temporal layers, target 1 the lower one; a key frame.
    fn key_l1t2(frame: u16) -> Vec<u8> {
        let pen = Pen::default().put(0b11, 2).put(0, 6).put(frame.into(), 16);
        let pen = pen.put(0b10000, 5).put(0, 6).put(1, 5);
        // Templates: two of temporal layer 0 (key, delta), one of layer 1.
        let pen = pen.put(0, 2).put(1, 2).put(3, 2);
        let pen = pen.put(0b1010, 4).put(0b1011, 4).put(0b0100, 4);
        // Differences: none, 2, 1.
        let pen = pen.put(0, 1).put(1, 1).put(1, 4).put(0, 1).put(1, 1).put(0, 4).put(0, 1);
        // No chains, no resolutions.
        pen.put(0, 1).put(0, 1).put(0, 1).bytes()
    }

    fn delta(template: u32, frame: u16) -> Vec<u8> {
        Pen::default().put(0b11, 2).put(template, 6).put(frame.into(), 16).bytes()
    }

    #[test]
    fn a_structure_is_kept_for_the_frames_that_follow() {
        let mut reader = DependencyReader::default();
        assert_eq!(reader.read(&delta(1, 1)), None, "no structure yet");
        let key = reader.read(&key_l1t2(1)).unwrap();
        assert!(key.is_key && key.starts_picture && key.ends_frame);
        assert_eq!(reader.structure().layers(), (1, 2));
        assert_eq!(reader.structure().target_within(0, 7), Some(0));
        assert_eq!(reader.structure().target_within(0, 0), Some(1));
        let upper = reader.read(&delta(2, 2)).unwrap();
        assert_eq!((upper.temporal, upper.is_key), (1, false));
        let targets = upper.targets.unwrap();
        assert_eq!(Indication::of(targets, 0), Indication::Discardable);
        assert_eq!(Indication::of(targets, 1), Indication::Absent);
        assert_eq!(reader.read(&delta(3, 2)), None, "no such template");
    }

    #[test]
    fn garbage_leaves_the_structure_as_it_was_and_never_panics() {
        let mut reader = DependencyReader::default();
        reader.read(&key_l1t2(1)).unwrap();
        let before = reader.structure().clone();
        for length in 0..key_l1t2(1).len() - 1 {
            assert!(length <= SHORT_BYTES || reader.read(&key_l1t2(1)[..length]).is_none(), "{length}");
        }
        assert_eq!(*reader.structure(), before);
        let mut state = 3_u64;
        for round in 0..20_000_usize {
            let mut bytes = [0_u8; 48];
            for byte in &mut bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 33) as u8;
            }
            if let Some(facts) = reader.read(&bytes[..round % 49]) {
                assert!(usize::from(facts.spatial) < TEMPLATES_MAX);
            }
        }
    }
}
