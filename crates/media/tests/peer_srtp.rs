//! SRTP against another implementation, and against forged, repeated, broken and wrapping packets.

use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use taoyao_media::peer::SEAL_BYTES_MAX;
use taoyao_media::peer::srtp::{MasterKey, OpenError, Opener, SealError, Sealer, key_bytes, salt_bytes};
use taoyao_ortc::transport::SrtpSuite;

const SUITES: [SrtpSuite; 3] =
    [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80];

#[test]
fn what_is_sealed_the_oracle_opens() {
    for suite in SUITES {
        let (mut sealer, _) = ends(suite);
        let mut oracle = oracle(suite);
        for packet in packets() {
            let (buffer, len) = sealed(&mut sealer, &packet);
            assert_eq!(oracle.decrypt_rtp(&buffer[..len]).unwrap(), packet, "{suite:?}");
        }
        for packet in reports() {
            let (buffer, len) = sealed_rtcp(&mut sealer, &packet);
            assert_eq!(oracle.decrypt_rtcp(&buffer[..len]).unwrap(), packet, "{suite:?}");
        }
    }
}

#[test]
fn what_the_oracle_seals_is_opened() {
    for suite in SUITES {
        let (_, mut opener) = ends(suite);
        let mut oracle = oracle(suite);
        for packet in packets() {
            let mut buffer = oracle.encrypt_rtp(&packet).unwrap();
            let len = opener.open_rtp(&mut buffer).unwrap();
            assert_eq!(buffer[..len], packet, "{suite:?}");
        }
        for packet in reports() {
            let mut buffer = oracle.encrypt_rtcp(&packet).unwrap();
            let len = opener.open_rtcp(&mut buffer).unwrap();
            assert_eq!(buffer[..len], packet, "{suite:?}");
        }
    }
}

#[test]
fn one_changed_bit_anywhere_is_noticed_and_spoils_nothing() {
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        let packet = rtp(7, 1000, 40);
        let (buffer, len) = sealed(&mut sealer, &packet);
        for bit in 0..8 * len {
            let mut forged = buffer[..len].to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(opener.open_rtp(&mut forged).is_err(), "{suite:?} bit {bit}");
        }
        assert_eq!(opener.open_rtp(&mut buffer[..len].to_vec()), Ok(packet.len()));

        let report = rtcp(7, 24);
        let (buffer, len) = sealed_rtcp(&mut sealer, &report);
        for bit in 0..8 * len {
            let mut forged = buffer[..len].to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(opener.open_rtcp(&mut forged).is_err(), "{suite:?} bit {bit}");
        }
        assert_eq!(opener.open_rtcp(&mut buffer[..len].to_vec()), Ok(report.len()));
    }
}

#[test]
fn a_packet_comes_once() {
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        let (rtp, rtp_len) = sealed(&mut sealer, &rtp(7, 1000, 40));
        assert!(opener.open_rtp(&mut rtp[..rtp_len].to_vec()).is_ok());
        assert_eq!(opener.open_rtp(&mut rtp[..rtp_len].to_vec()), Err(OpenError::Repeated));
        let (rtcp, rtcp_len) = sealed_rtcp(&mut sealer, &rtcp(7, 24));
        assert!(opener.open_rtcp(&mut rtcp[..rtcp_len].to_vec()).is_ok());
        assert_eq!(opener.open_rtcp(&mut rtcp[..rtcp_len].to_vec()), Err(OpenError::Repeated));
    }
}

#[test]
fn numbers_wrap_in_disorder_under_loss() {
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        let mut dice = fastrand::Rng::with_seed(4);
        let mut waiting = Vec::new();
        for number in (30_000u32..30_000 + 3 * 65_536).step_by(16) {
            waiting.push((rtp(7, number as u16, 20), sealed(&mut sealer, &rtp(7, number as u16, 20))));
            if waiting.len() == 8 {
                dice.shuffle(&mut waiting);
                waiting.pop();
                for (plain, (mut buffer, len)) in waiting.drain(..) {
                    let opened = opener.open_rtp(&mut buffer[..len]).unwrap();
                    assert_eq!(buffer[..opened], plain);
                }
            }
        }
    }
}

#[test]
fn garbage_is_refused_without_harm() {
    let mut dice = fastrand::Rng::with_seed(9);
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        for _ in 0..20_000 {
            let mut garbage = vec![0; dice.usize(0..120)];
            dice.fill(&mut garbage);
            if let Some(first) = garbage.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            assert!(opener.open_rtp(&mut garbage.clone()).is_err());
            assert!(opener.open_rtcp(&mut garbage.clone()).is_err());
            let len = dice.usize(0..=garbage.len());
            let _any: Result<usize, SealError> = sealer.seal_rtp(&mut garbage, len);
        }
        let (mut buffer, len) = sealed(&mut sealer, &rtp(7, 1, 20));
        assert!(opener.open_rtp(&mut buffer[..len]).is_ok());
    }
}

#[test]
fn a_buffer_without_room_is_left_as_it_was() {
    let (mut sealer, _) = ends(SrtpSuite::AeadAes128Gcm);
    let mut buffer = rtp(7, 1, 20);
    let len = buffer.len();
    buffer.resize(len + SEAL_BYTES_MAX - 1, 0);
    let before = buffer.clone();
    assert_eq!(sealer.seal_rtp(&mut buffer, len), Err(SealError::NoRoom));
    assert_eq!(sealer.seal_rtcp(&mut buffer, len), Err(SealError::NoRoom));
    assert_eq!(buffer, before);
}

#[test]
fn many_streams_of_one_peer_take_no_more_than_their_bound() {
    let (mut sealer, mut opener) = ends(SrtpSuite::AeadAes128Gcm);
    for ssrc in 0..3_000 {
        let (mut buffer, len) = sealed(&mut sealer, &rtp(ssrc, 5, 20));
        assert!(opener.open_rtp(&mut buffer[..len]).is_ok());
    }
    for ssrc in 2_900..3_000 {
        let (mut buffer, len) = sealed(&mut sealer, &rtp(ssrc, 5, 20));
        assert_eq!(
            opener.open_rtp(&mut buffer[..len]),
            Err(OpenError::Repeated),
            "the newest are remembered"
        );
    }
}

fn master(suite: SrtpSuite) -> Vec<u8> {
    (1..).take(key_bytes(suite) + salt_bytes(suite)).collect()
}

fn ends(suite: SrtpSuite) -> (Sealer, Opener) {
    let key = MasterKey::new(suite, &master(suite)).expect("the length is the suite's");
    (Sealer::new(&key), Opener::new(&key))
}

fn oracle(suite: SrtpSuite) -> Context {
    let profile = match suite {
        SrtpSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpSuite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let master = master(suite);
    let (key, salt) = master.split_at(key_bytes(suite));
    let provider = rtc_dtls::crypto_provider::default_provider().expect("ring is built in");
    Context::new(key, salt, profile, None, None, provider.crypto()).expect("the lengths are the suite's")
}

/// Streams that wrap, with sources, extensions and payloads of many lengths.
fn packets() -> Vec<Vec<u8>> {
    let mut dice = fastrand::Rng::with_seed(2);
    let mut all = Vec::new();
    for number in 65_400..65_700u32 {
        for ssrc in [7, 0xffff_fff0] {
            let mut packet = rtp(ssrc, number as u16, 0);
            packet.truncate(12);
            let sources = dice.u8(0..4);
            packet[0] |= sources;
            packet.extend(vec![sources; 4 * usize::from(sources)]);
            if dice.bool() {
                let words = dice.u8(0..6);
                packet[0] |= 0x10;
                packet.extend([0xbe, 0xde, 0, words]);
                packet.extend(vec![0; 4 * usize::from(words)]);
            }
            let payload = dice.usize(0..1_200);
            packet.extend(std::iter::repeat_with(|| dice.u8(..)).take(payload));
            all.push(packet);
        }
    }
    all
}

fn reports() -> Vec<Vec<u8>> {
    (0..200).map(|at| rtcp(at % 5, 8 + 4 * at as usize)).collect()
}

fn rtp(ssrc: u32, number: u16, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(number.to_be_bytes());
    packet.extend(12_345u32.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|at| at as u8));
    packet
}

fn rtcp(ssrc: u32, len: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 200];
    packet.extend((len as u16 / 4 - 1).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.resize(len, 0xcd);
    packet
}

fn sealed(sealer: &mut Sealer, packet: &[u8]) -> (Vec<u8>, usize) {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SEAL_BYTES_MAX, 0);
    let len = sealer.seal_rtp(&mut buffer, packet.len()).expect("the packet is whole and has room");
    (buffer, len)
}

fn sealed_rtcp(sealer: &mut Sealer, packet: &[u8]) -> (Vec<u8>, usize) {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SEAL_BYTES_MAX, 0);
    let len = sealer.seal_rtcp(&mut buffer, packet.len()).expect("the packet is whole and has room");
    (buffer, len)
}
