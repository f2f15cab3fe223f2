//! What handshakes are made with: one configuration for each suite as server, one as client, made once for a certificate.

use std::sync::Arc;
use std::time::Duration;

use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::RTCCryptoProvider;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use taoyao_ortc::transport::SrtpSuite;

use super::PREFERENCE;

pub(in crate::peer) struct Configs {
    /// In our order of preference, one suite each.
    server: Vec<Arc<HandshakeConfig>>,
    client: Arc<HandshakeConfig>,
}

/// The library repeats a flight seven times at this pace and then gives up; what is lost is repeated sooner by ourselves.
const FLIGHT: Duration = Duration::from_secs(2);
/// Bytes of a datagram of the handshake: what passes every path of IPv6.
const MTU: usize = 1_200;

impl Configs {
    pub(in crate::peer) fn new(
        certificate: &Certificate,
        provider: &Arc<dyn RTCCryptoProvider>,
        offered: &[SrtpSuite],
    ) -> Result<Configs, rtc_shared::error::Error> {
        let one =
            |suite: SrtpSuite| builder(certificate, provider, &[suite]).build(false, None).map(Arc::new);
        let server = PREFERENCE.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let client = builder(certificate, provider, offered).build(true, None)?;
        Ok(Configs { server, client: Arc::new(client) })
    }

    /// With the suite at this place of our preference.
    pub(super) fn server(&self, place: usize) -> Option<&Arc<HandshakeConfig>> {
        self.server.get(place)
    }

    pub(super) fn client(&self) -> &Arc<HandshakeConfig> {
        &self.client
    }
}

fn builder(
    certificate: &Certificate,
    provider: &Arc<dyn RTCCryptoProvider>,
    suites: &[SrtpSuite],
) -> ConfigBuilder {
    ConfigBuilder::default()
        .with_crypto_provider(provider.clone())
        .with_certificates(vec![certificate.clone()])
        .with_srtp_protection_profiles(suites.iter().map(|suite| profile(*suite)).collect())
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // Certificates sign themselves; what counts is their fingerprint, which we check (RFC 8827).
        .with_insecure_skip_verify(true)
        .with_server_name("taoyao".to_owned())
        .with_flight_interval(FLIGHT)
        .with_mtu(MTU)
}

fn profile(suite: SrtpSuite) -> SrtpProtectionProfile {
    match suite {
        SrtpSuite::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        SrtpSuite::AeadAes256Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        SrtpSuite::AesCm128HmacSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    }
}

pub(super) fn suite(negotiated: SrtpProtectionProfile) -> Option<SrtpSuite> {
    PREFERENCE.into_iter().find(|suite| profile(*suite) == negotiated)
}

/// A client of another order.
#[cfg(test)]
pub(super) fn client_offering(
    suites: &[SrtpSuite],
) -> (Arc<HandshakeConfig>, taoyao_ortc::transport::Fingerprint) {
    use crate::peer::certificate::fingerprint_of;
    let provider = rtc_dtls::crypto_provider::default_provider().expect("ring is built in");
    let certificate =
        Certificate::generate_self_signed(vec!["test".to_owned()], provider.crypto()).expect("made");
    let config = builder(&certificate, &provider, suites).build(true, None).expect("sound");
    (Arc::new(config), fingerprint_of(&certificate.certificate[0]))
}
