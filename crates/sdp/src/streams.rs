//! The streams that a section announces: by SSRC, or by name where there are several (RFC 5576, RFC 8853).

use std::collections::BTreeSet;

use sdp_types::{Media, Rid, RidDirection, Ssrc, SsrcAttribute, SsrcGroup};
use taoyao_ortc::{Encoding, RtxEncoding};

/// How a sender lists the streams of a simulcast of which it says no sizes: RFC 8853 (section 5.2) has an order of preference,
/// and programs understand that in two ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StreamOrder {
    /// Browsers.
    #[default]
    SmallestFirst,
    /// OBS.
    LargestFirst,
}

/// The streams of a section from the smallest to the largest. Without any of them only the section's name tells its packets.
pub(crate) fn read(media: &Media, order: StreamOrder) -> Vec<Encoding> {
    let simulcast = simulcast(media, order);
    match simulcast.len() {
        0 => signalled(media),
        _ => simulcast,
    }
}

/// The sender's name for itself in RTCP.
pub(crate) fn cname(media: &Media) -> Option<String> {
    ssrc_lines(media).find(|line| line.attribute == SsrcAttribute::Cname).and_then(|line| line.value)
}

/// `a=simulcast:send a;b,c;~d`: of alternatives the first counts, and it does not matter whether it begins paused.
fn simulcast(media: &Media, order: StreamOrder) -> Vec<Encoding> {
    let Some(Some(text)) = media.get_first_attribute_value("simulcast") else { return Vec::new() };
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let lists = words.chunks_exact(2).find(|pair| pair[0] == "send").map(|pair| pair[1]).unwrap_or_default();
    let mut restricted: Vec<_> = lists
        .split(';')
        .filter_map(|alternatives| alternatives.split(',').next())
        .map(|rid| rid.trim_start_matches('~'))
        .filter(|rid| !rid.is_empty())
        .map(|rid| (rid, Restriction::of(media, rid)))
        .collect();
    if order == StreamOrder::LargestFirst {
        restricted.reverse();
    }
    // Layers count from the smallest. Where the sender says no sizes, its order is taken for that.
    restricted.sort_by_key(|(_, restriction)| *restriction);
    let encoding = |(rid, restriction): (&str, Restriction)| Encoding {
        rid: Some(rid.to_owned()),
        max_bitrate: restriction.bitrate,
        ..Encoding::default()
    };
    restricted.into_iter().map(encoding).collect()
}

/// What `a=rid` says of a stream's size (RFC 8851, section 5); nothing sorts before anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Restriction {
    height: Option<u64>,
    bitrate: Option<u64>,
}

impl Restriction {
    fn of(media: &Media, rid: &str) -> Self {
        let mut rids = media.attributes_typed::<Rid>().filter_map(Result::ok);
        let Some(rid) = rids.find(|one| one.id == rid && one.direction == RidDirection::Send) else {
            return Self::default();
        };
        let number = |name: &str| {
            let params = rid.params.iter().flat_map(|params| params.split(';'));
            params.filter_map(|param| param.split_once('=')).find(|(key, _)| *key == name)?.1.parse().ok()
        };
        Self { height: number("max-height"), bitrate: number("max-br") }
    }
}

/// Streams by SSRC. Those of a group `SIM` are one simulcast; else only the first counts. `FID` gives each the SSRC of its
/// retransmissions.
fn signalled(media: &Media) -> Vec<Encoding> {
    let groups: Vec<SsrcGroup> = media.attributes_typed().filter_map(Result::ok).collect();
    let group = |name: &'static str| {
        groups.iter().filter(move |group| group.semantics.as_str().eq_ignore_ascii_case(name))
    };
    let again = |ssrc: u32| {
        group("FID").find_map(|group| match group.ssrc_ids.as_slice() {
            [media, rtx, ..] if *media == ssrc => Some(RtxEncoding { ssrc: *rtx }),
            _ => None,
        })
    };
    let several = group("SIM").next().map(|group| group.ssrc_ids.clone()).unwrap_or_default();
    let retransmissions: BTreeSet<u32> =
        group("FID").filter_map(|group| group.ssrc_ids.get(1).copied()).collect();
    let is_media = |ssrc: &u32| !retransmissions.contains(ssrc);
    let ssrcs = match several.is_empty() {
        true => ssrc_lines(media).map(|line| line.ssrc_id).find(is_media).into_iter().collect(),
        false => several,
    };
    let encoding = |ssrc| Encoding { ssrc: Some(ssrc), rtx: again(ssrc), ..Encoding::default() };
    ssrcs.into_iter().map(encoding).collect()
}

fn ssrc_lines(media: &Media) -> impl Iterator<Item = Ssrc> {
    media.attributes_typed::<Ssrc>().filter_map(Result::ok)
}
