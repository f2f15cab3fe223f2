//! What players can receive.

use taoyao_ortc::capabilities::uri;
use taoyao_ortc::negotiate::{check_capabilities, consume, produce};
use taoyao_ortc::{MediaKind, RtpParameters};
use taoyao_sdp::{BadSdp, Wanted};

use crate::offers::{
    AIORTC_PLAY, ALL_SEND_VP8, CHROMIUM_PLAY, CHROMIUM_PUBLISH, CHROMIUM_SIMULCAST, FIREFOX_PLAY,
    FIREFOX_SIMULCAST, GSTREAMER_PLAY, GSTREAMER_PUBLISH, PLAY, read,
};

#[test]
fn every_program_can_receive_what_every_program_sends() {
    for (name, player) in PLAY {
        let offer = read(player);
        let wanted = offer.wanted().unwrap();
        assert_eq!(
            wanted,
            [Wanted { section: 0, kind: MediaKind::Audio }, Wanted { section: 1, kind: MediaKind::Video }],
            "{name}"
        );
        let capabilities = offer.capabilities();
        assert_eq!(check_capabilities(&capabilities), Ok(()));
        for published in ALL_SEND_VP8.iter().flat_map(|publisher| read(publisher).published().unwrap()) {
            let consumable = produce(published.kind, &published.rtp).unwrap();
            assert!(consume(&consumable, &capabilities, "0", 7).is_ok(), "{name}");
        }
    }
}

#[test]
fn a_player_keeps_its_own_numbers() {
    let numbers = |player| {
        let rtp = played(CHROMIUM_PUBLISH, player);
        rtp.codecs.iter().map(|codec| (codec.payload_type, codec.integer("apt"))).collect::<Vec<_>>()
    };
    assert_eq!(numbers(CHROMIUM_PLAY), [(96, None), (97, Some(96))]);
    assert_eq!(numbers(FIREFOX_PLAY), [(120, None), (124, Some(120))]);
    assert_eq!(numbers(AIORTC_PLAY), [(97, None), (98, Some(97))]);
    assert_eq!(numbers(GSTREAMER_PLAY), [(96, None)]);
}

#[test]
fn extensions_are_the_players_and_mid_is_not_among_them() {
    let extensions = |player| {
        let rtp = played(FIREFOX_SIMULCAST, player);
        rtp.header_extensions.into_iter().map(|one| (one.uri, one.id)).collect::<Vec<_>>()
    };
    let named = |uri: &str, id| (uri.to_owned(), id);
    assert_eq!(
        extensions(FIREFOX_PLAY),
        [named(uri::ABS_SEND_TIME, 4), named(uri::TRANSPORT_CC, 7), named(uri::TOFFSET, 5)]
    );
    assert_eq!(extensions(AIORTC_PLAY), [named(uri::ABS_SEND_TIME, 3)]);
    assert_eq!(extensions(GSTREAMER_PLAY), []);
}

#[test]
fn opus_has_two_channels_written_or_not() {
    let codec = |text: &str| read(text).capabilities().codecs.remove(0);
    let bare = GSTREAMER_PLAY.replace("OPUS/48000/2", "OPUS/48000");
    assert_eq!(codec(&bare), codec(GSTREAMER_PLAY));
}

#[test]
fn who_only_sends_wants_nothing() {
    assert_eq!(read(CHROMIUM_SIMULCAST).wanted(), Err(BadSdp::ReceivesNothing));
    assert!(read(GSTREAMER_PUBLISH).wanted().is_ok(), "it offers both ways");
}

pub(crate) fn played(publisher: &str, player: &str) -> RtpParameters {
    let published = read(publisher).published().expect("it is understood").remove(1);
    let consumable = produce(published.kind, &published.rtp).expect("the router speaks it");
    consume(&consumable, &read(player).capabilities(), "9", 700).expect("the player can receive it")
}
