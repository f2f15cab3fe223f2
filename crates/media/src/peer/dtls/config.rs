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

/// A lost flight is sent again after this: a second would be heard as a silence when somebody joins.
const FLIGHT: Duration = Duration::from_millis(400);
/// Bytes of a datagram of the handshake: what passes every path of IPv6.
const MTU: usize = 1_200;

impl Configs {
    pub(in crate::peer) fn new(
        certificate: &Certificate,
        provider: &Arc<dyn RTCCryptoProvider>,
    ) -> Result<Configs, rtc_shared::error::Error> {
        let base = |profiles: Vec<SrtpProtectionProfile>| {
            ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(profiles)
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                // Certificates sign themselves; what counts is their fingerprint, which we check (RFC 8827).
                .with_insecure_skip_verify(true)
                .with_server_name("taoyao".to_owned())
                .with_flight_interval(FLIGHT)
                .with_mtu(MTU)
        };
        let one = |suite: SrtpSuite| base(vec![profile(suite)]).build(false, None).map(Arc::new);
        let server = PREFERENCE.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let client = base(PREFERENCE.map(profile).to_vec()).build(true, None)?;
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
