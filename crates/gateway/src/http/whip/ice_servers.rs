//! The ICE servers that a terminal is told, as `Link` headers (RFC 9725, section 4.6).

use axum::http::HeaderValue;
use serde::Deserialize;

/// The body of `client::config`, as far as it matters here (reference section 3.5).
#[derive(Deserialize)]
struct Config {
    webrtc: WebRtc,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebRtc {
    #[serde(default)]
    ice_servers: Vec<IceServer>,
}

#[derive(Deserialize)]
struct IceServer {
    urls: String,
    username: Option<String>,
    credential: Option<String>,
}

/// One header for each server. What has characters that a header cannot carry is left out.
pub(super) fn links(config: &str) -> Vec<HeaderValue> {
    let read: Option<Config> = serde_json::from_str(config).ok();
    let servers = read.map(|config| config.webrtc.ice_servers).unwrap_or_default();
    servers.iter().filter_map(|server| HeaderValue::from_str(&server.link()).ok()).collect()
}

impl IceServer {
    fn link(&self) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut link = format!("<{}>; rel=\"ice-server\"", self.urls);
        if let (Some(username), Some(credential)) = (&self.username, &self.credential) {
            link += &format!(
                "; username=\"{}\"; credential=\"{}\"; credential-type=\"password\"",
                quoted(username),
                quoted(credential)
            );
        }
        link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_a_link() {
        let config = r#"{"datetime":"x","webrtc":{"iceServers":[
            {"urls":"stun:stun.example.org:3478"},
            {"urls":"turn:turn.example.org:3478","username":"u\"v","credential":"c"}]}}"#;
        let links = links(config);
        assert_eq!(links[0], "<stun:stun.example.org:3478>; rel=\"ice-server\"");
        let turn = "<turn:turn.example.org:3478>; rel=\"ice-server\"; username=\"u\\\"v\"; credential=\"c\"; \
            credential-type=\"password\"";
        assert_eq!(links[1], turn);
    }

    #[test]
    fn without_servers_there_are_no_links() {
        for config in ["", "{}", r#"{"webrtc":{}}"#, r#"{"webrtc":{"iceServers":[{"urls":"a\nb"}]}}"#] {
            assert_eq!(links(config).len(), 0, "{config}");
        }
    }
}
