//! Packets and parameters of a plain producer of sound and one of pictures.

use taoyao_ortc::{
    Codec, Encoding, Feedback, ParameterValue, Parameters, RtcpParameters, RtpParameters, RtxEncoding,
};

pub(crate) const OPUS: u8 = 111;
pub(crate) const VP8: u8 = 96;
pub(crate) const AUDIO_SSRC: u32 = 0x1111_0001;
pub(crate) const VIDEO_SSRC: u32 = 0x2222_0001;

pub(crate) fn audio() -> RtpParameters {
    parameters("0", vec![codec("audio/opus", OPUS, 48_000, Some(2), &[])], AUDIO_SSRC, None)
}

pub(crate) fn video() -> RtpParameters {
    let mut rtx = codec("video/rtx", VP8 + 1, 90_000, None, &[]);
    rtx.parameters = Parameters::from([("apt".to_owned(), ParameterValue::Integer(VP8.into()))]);
    let vp8 = codec("video/VP8", VP8, 90_000, None, &[("nack", ""), ("nack", "pli"), ("transport-cc", "")]);
    parameters("1", vec![vp8, rtx], VIDEO_SSRC, Some(RtxEncoding { ssrc: VIDEO_SSRC + 1 }))
}

fn codec(
    mime_type: &str,
    payload_type: u8,
    clock_rate: u32,
    channels: Option<u8>,
    feedback: &[(&str, &str)],
) -> Codec {
    Codec {
        mime_type: mime_type.to_owned(),
        payload_type,
        clock_rate,
        channels,
        parameters: Parameters::new(),
        rtcp_feedback: feedback.iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
    }
}

fn parameters(mid: &str, codecs: Vec<Codec>, ssrc: u32, rtx: Option<RtxEncoding>) -> RtpParameters {
    RtpParameters {
        mid: Some(mid.to_owned()),
        codecs,
        header_extensions: Vec::new(),
        encodings: vec![Encoding { ssrc: Some(ssrc), rtx, ..Encoding::default() }],
        rtcp: RtcpParameters { cname: Some("terminal".to_owned()), ..RtcpParameters::default() },
    }
}

/// An RTP packet whose payload is `payload`.
pub(crate) fn packet(payload_type: u8, ssrc: u32, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

pub(crate) fn sound(sequence: u16) -> Vec<u8> {
    packet(OPUS, AUDIO_SSRC, sequence, u32::from(sequence) * 960, &[sequence as u8; 80])
}

/// One frame in one packet: a key frame of VP8 of 16 by 16, or a frame after it.
pub(crate) fn picture(sequence: u16, is_key: bool) -> Vec<u8> {
    let mut payload = vec![0x10, if is_key { 0x10 } else { 0x11 }, 2, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0];
    payload.resize(900, sequence as u8);
    let mut packet = packet(VP8, VIDEO_SSRC, sequence, u32::from(sequence) * 3_000, &payload);
    packet[1] |= 0x80;
    packet
}

/// That the stream's clock stood at `rtp` when the sender's stood at `ntp`.
pub(crate) fn sender_report(ssrc: u32, ntp: u64, rtp: u32) -> Vec<u8> {
    let mut report = vec![0x80, 200, 0, 6];
    report.extend_from_slice(&ssrc.to_be_bytes());
    report.extend_from_slice(&ntp.to_be_bytes());
    report.extend_from_slice(&rtp.to_be_bytes());
    report.extend_from_slice(&[0; 8]);
    report
}

pub(crate) fn ssrc_of(packet: &[u8]) -> u32 {
    u32::from_be_bytes(packet[8..12].try_into().unwrap())
}

pub(crate) fn sequence_of(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

/// What stands behind the header and its extension.
pub(crate) fn payload_of(packet: &[u8]) -> &[u8] {
    let has_extension = packet[0] & 0x10 != 0;
    let words = if has_extension { 1 + usize::from(u16::from_be_bytes([packet[14], packet[15]])) } else { 0 };
    &packet[12 + 4 * words..]
}

/// The same picture in two sizes, the smaller one first.
pub(crate) fn two_sizes() -> RtpParameters {
    let mut rtp = video();
    rtp.encodings = [VIDEO_SSRC, VIDEO_SSRC + 2]
        .map(|ssrc| Encoding {
            ssrc: Some(ssrc),
            rtx: Some(RtxEncoding { ssrc: ssrc + 1 }),
            ..Encoding::default()
        })
        .to_vec();
    rtp
}

/// A picture of the larger size.
pub(crate) fn large_picture(sequence: u16, is_key: bool) -> Vec<u8> {
    let mut packet = picture(sequence, is_key);
    packet[8..12].copy_from_slice(&(VIDEO_SSRC + 2).to_be_bytes());
    packet.extend_from_slice(&[LARGE; 100]);
    packet
}

/// What a large picture ends with.
pub(crate) const LARGE: u8 = 0xee;
