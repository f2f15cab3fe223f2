//! The answer to an offer.

use sdp_types::{
    Attribute, Connection, Direction, EndOfCandidates, ExtMap, Group, GroupSemantics, IceLite, IcePwd,
    IceUfrag, Media, Mid, Origin, RtcpMux, RtcpRsize, Session, Setup, Ssrc, SsrcAttribute, SsrcGroup, Time,
};
use std::net::Ipv4Addr;

use taoyao_ortc::{Codec, DtlsParameters, DtlsRole, Encoding, IceCandidate, IceParameters, RtpParameters};

use crate::codecs;
use crate::offer::{Offer, Section, mid_of};

/// The port of a section whose candidates say where to send (RFC 8839, section 4.2.1.1), and of one that is rejected.
const DISCARD: u16 = 9;
const REJECTED: u16 = 0;

/// This end of the transport.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    pub ice: IceParameters,
    pub candidates: Vec<IceCandidate>,
    pub dtls: DtlsParameters,
}

/// An answer in the making: what is agreed on is put in section by section, the rest is rejected.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    offer: &'a Offer,
    local: &'a Local,
    /// Tells apart what one program answers (RFC 8866, section 5.2).
    session_id: u64,
    sections: Vec<Option<Media>>,
}

impl<'a> Answer<'a> {
    pub fn new(offer: &'a Offer, local: &'a Local, session_id: u64) -> Self {
        Self { offer, local, session_id, sections: vec![None; offer.sections.len()] }
    }

    /// The section is received as its producer says.
    pub fn receive(&mut self, section: usize, rtp: &RtpParameters) {
        let Some(offered) = self.offer.sections.get(section) else { return };
        let mut media = self.accepted(offered, rtp, Direction::RecvOnly);
        let rids: Vec<_> = rtp.encodings.iter().filter_map(|encoding| encoding.rid.as_deref()).collect();
        if !rids.is_empty() {
            rids.iter().for_each(|rid| media.add_attribute_with_value("rid", format!("{rid} recv")));
            media.add_attribute_with_value("simulcast", format!("recv {}", rids.join(";")));
        }
        self.sections[section] = Some(media);
    }

    /// The section is sent as its consumer says. Sections with the same `stream` are played together.
    pub fn send(&mut self, section: usize, rtp: &RtpParameters, stream: &str, track: &str) {
        let Some(offered) = self.offer.sections.get(section) else { return };
        let mut media = self.accepted(offered, rtp, Direction::SendOnly);
        media.add_attribute_with_value("msid", format!("{} {}", token(stream), token(track)));
        let cname = rtp.rtcp.cname.as_deref().unwrap_or(stream);
        rtp.encodings.iter().for_each(|encoding| announce(&mut media, encoding, cname));
        self.sections[section] = Some(media);
    }

    /// The text.
    pub fn write(self) -> String {
        let end = LocalEnd { local: self.local, is_client: self.is_client() };
        let origin = Origin::with_ip_addr(self.session_id, 0, Ipv4Addr::LOCALHOST);
        let mut session = Session::new(origin, "-");
        session.add_time(Time::new(0, 0));
        session.add_attribute(IceLite);
        let sections: Vec<_> = self
            .sections
            .into_iter()
            .zip(&self.offer.sections)
            .map(|(own, offered)| own.ok_or(offered))
            .collect();
        let mut bundle = Group::new(GroupSemantics::Other("BUNDLE".to_owned()));
        let live = sections.iter().filter_map(|section| section.as_ref().ok());
        bundle.add_mid_tags(live.filter_map(mid_of));
        if !bundle.mid_tags.is_empty() {
            session.add_attribute(bundle);
        }
        session.add_attribute_with_value("msid-semantic", "WMS *");
        for section in sections {
            session.add_media(section.unwrap_or_else(|offered| end.rejected(offered)));
        }
        let mut text = Vec::new();
        session.write(&mut text).expect("memory can be written to");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The peer may say its role in front of all sections or in the tagged one only.
    fn is_client(&self) -> bool {
        self.offer.dtls.role == DtlsRole::Server || self.local.dtls.role == DtlsRole::Client
    }

    fn accepted(&self, offered: &Section, rtp: &RtpParameters, direction: Direction) -> Media {
        let formats: Vec<_> = rtp.codecs.iter().map(|codec| codec.payload_type.to_string()).collect();
        let mut media = like(offered, DISCARD, &formats.join(" "));
        LocalEnd { local: self.local, is_client: self.is_client() }.describe(&mut media);
        self.local.candidates.iter().for_each(|one| media.add_attribute(candidate(one)));
        media.add_attribute(EndOfCandidates);
        media.add_attribute_from_str(direction.as_str());
        media.add_attribute(RtcpMux);
        media.add_attribute(RtcpRsize);
        rtp.codecs.iter().for_each(|codec| codecs::write(codec, &mut media));
        for extension in &rtp.header_extensions {
            let of_id = offered.extensions.iter().find(|(offered, _)| offered.uri == extension.uri);
            match of_id {
                None => {}
                Some((_, None)) => media.add_attribute(ExtMap::new(extension.id, &extension.uri)),
                Some((_, Some(direction))) => {
                    let direction = direction.reverse();
                    media.add_attribute(ExtMap::with_direction(extension.id, direction, &extension.uri));
                }
            }
        }
        media
    }
}

/// This end as all sections describe it, be they accepted or not.
struct LocalEnd<'a> {
    local: &'a Local,
    is_client: bool,
}

impl LocalEnd<'_> {
    /// Describes the transport and the codecs although nothing comes by them: GStreamer refuses an answer in which a section
    /// lacks the former, and aiortc one in which a section of RTP shares no port with its RTCP or has no codec that it knows.
    fn rejected(&self, offered: &Section) -> Media {
        let mut media = like(offered, REJECTED, &offered.media.fmt);
        self.describe(&mut media);
        media.add_attribute_from_str(Direction::Inactive.as_str());
        if offered.media.proto.contains("RTP") {
            media.add_attribute(RtcpMux);
        }
        for codec in &offered.codecs {
            codecs::write(&Codec { rtcp_feedback: Vec::new(), ..codec.clone() }, &mut media);
        }
        media
    }

    fn describe(&self, media: &mut Media) {
        let Local { ice, dtls, .. } = self.local;
        media.add_attribute(IceUfrag(ice.username_fragment.clone()));
        media.add_attribute(IcePwd(ice.password.clone()));
        for fingerprint in &dtls.fingerprints {
            let value = format!("{} {}", fingerprint.algorithm, fingerprint.value);
            media.add_attribute_with_value("fingerprint", value);
        }
        media.add_attribute(if self.is_client { Setup::Active } else { Setup::Passive });
    }
}

/// A section in the place of the offered one.
fn like(offered: &Section, port: u16, formats: &str) -> Media {
    let mut media = offered.media.clone();
    (media.port, media.num_ports, media.fmt) = (port, None, formats.to_owned());
    (media.media_title, media.key) = (None, None);
    (media.bandwidths, media.attributes) = (Vec::new(), Vec::new());
    media.connections = vec![Connection::from_ip_addr(Ipv4Addr::UNSPECIFIED)];
    if !offered.mid.is_empty() {
        media.add_attribute(Mid(offered.mid.clone()));
    }
    media
}

/// RFC 8839, section 5.1.
pub(crate) fn candidate(candidate: &IceCandidate) -> Attribute {
    let IceCandidate { foundation, priority, ip, protocol, port, kind, tcp_type } = candidate;
    let tcp_type = tcp_type.as_ref().map(|kind| format!(" tcptype {kind}")).unwrap_or_default();
    let value = format!("{foundation} 1 {protocol} {priority} {ip} {port} typ {kind}{tcp_type}");
    Attribute::with_value("candidate", value)
}

fn announce(media: &mut Media, encoding: &Encoding, cname: &str) {
    let Some(ssrc) = encoding.ssrc else { return };
    let again = encoding.rtx.map(|rtx| rtx.ssrc);
    if let Some(again) = again {
        let mut group = SsrcGroup::new(GroupSemantics::FID);
        group.add_ssrc_ids([ssrc, again]);
        media.add_attribute(group);
    }
    for ssrc in [ssrc].into_iter().chain(again) {
        media.add_attribute(Ssrc::with_value(ssrc, SsrcAttribute::Cname, token(cname)));
    }
}

/// Text without what would end a field.
fn token(text: &str) -> String {
    text.chars().map(|one| if one.is_whitespace() || one.is_control() { '_' } else { one }).collect()
}
