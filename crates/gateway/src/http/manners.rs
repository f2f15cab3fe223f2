//! Rules for every request of a gateway: whom it is believed to come from, whose pages it may be of, what its answer says.

use std::net::IpAddr;

use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use ipnet::IpNet;

use super::{Origins, forwarded};
use crate::config::GatewayConfig;

/// A year, and this host alone: what stands beside it is not ours to speak of.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

#[derive(Debug)]
pub(crate) struct Manners {
    trusted_proxies: Vec<IpNet>,
    origins: Origins,
    hsts: bool,
}

impl Manners {
    pub(crate) fn of(config: &GatewayConfig) -> Self {
        let GatewayConfig { trusted_proxies, origins, hsts, .. } = config;
        Self { trusted_proxies: trusted_proxies.clone(), origins: origins.clone(), hsts: *hsts }
    }

    /// The address that asks: the peer's, unless it is a trusted proxy and names somebody.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_trusted = |ip| self.trusted_proxies.iter().any(|network| network.contains(&ip));
        forwarded::client(peer, headers, is_trusted)
    }

    pub(crate) fn admit_page(&self, headers: &HeaderMap) -> bool {
        self.origins.admit(headers)
    }

    pub(crate) fn finish(&self, mut response: Response) -> Response {
        if self.hsts {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
        }
        response
    }
}
