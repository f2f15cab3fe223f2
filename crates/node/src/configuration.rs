//! What `/config/…` of the REST interface shows: settings out of the topology, without any secret.

use serde::Serialize;
use serde_json::{Value, json};
use taoyao_gateway::Configuration;
use taoyao_topology::{Node, Rewrite, RewriteRule, Tcp, Topology};
use taoyao_wire::terminal::MediaConfig;

/// The settings of one node.
pub(crate) fn of(topology: &Topology, place: &Node) -> Configuration {
    Configuration {
        media: shown(MediaConfig::default()),
        webrtc: webrtc(topology),
        socket: socket(place),
        // No program of that name is run; who asks wants to know whether anything is recorded.
        ffmpeg: json!({ "enabled": place.recordings.is_some() }),
        rewrite: rewrite(&place.rewrite),
    }
}

/// As terminals are told it (reference section 3.5), but without the accounts of relays.
fn webrtc(topology: &Topology) -> Value {
    let ice = topology.ice();
    let server = |kind: &str, host: &str, port: u16| json!({ "host": host, "port": port, "address": format!("{kind}:{host}:{port}") });
    let stun: Vec<Value> = ice.stun.iter().map(|it| server("stun", &it.host, it.port)).collect();
    let turn: Vec<Value> =
        ice.turn.iter().map(|it| server("turn", &it.address.host, it.address.port)).collect();
    let urls = stun.iter().chain(&turn).map(|it| json!({ "urls": it["address"] }));
    json!({ "encrypt": false, "iceServers": urls.collect::<Vec<_>>(), "stun": stun, "turn": turn })
}

/// The listeners for bare sockets; keys are left out.
fn socket(place: &Node) -> Value {
    let listener = |tcp: &Tcp| json!({ "host": tcp.listen.ip(), "port": tcp.listen.port(), "encrypt": tcp.mode.name().to_uppercase() });
    let listeners: Vec<Value> =
        place.terminals.iter().flat_map(|terminals| &terminals.tcp).map(listener).collect();
    json!({ "enabled": !listeners.is_empty(), "listeners": listeners })
}

fn rewrite(rewrite: &Rewrite) -> Value {
    let rule = |rule: &RewriteRule| {
        let mut shown = json!({ "network": rule.network });
        for (name, host) in [("innerHost", rule.inner_host), ("outerHost", rule.outer_host)] {
            if let Some(host) = host {
                shown[name] = host.to_string().into();
            }
        }
        shown
    };
    json!({
        "enabled": !rewrite.rules.is_empty(),
        "prefix": rewrite.prefix,
        "prefixV6": rewrite.prefix_v6,
        "rule": rewrite.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn shown(settings: impl Serialize) -> Value {
    serde_json::to_value(settings).expect("settings are texts, numbers and lists of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESH: &str = r#"
org = "acme"
[ice]
stun = ["stun.acme.example:3478"]
turn = [{ address = "turn.acme.example:3478", username = "relay-user", password = "peach-9" }]
[[node]]
name = "cn"
[node.terminals]
listen = "127.0.0.1:8880"
tcp = [{ listen = "127.0.0.1:9990", mode = "aes", secret = "MDEyMzQ1Njc4OWFiY2RlZg==", allow_insecure_legacy = true }]
[node.rewrite]
rule = [{ network = "192.168.1.0/24", inner_host = "192.168.1.2" }]
"#;

    #[test]
    fn servers_listeners_and_rules_are_shown() {
        let shown = configuration();
        assert_eq!(shown.media["videos"]["fd-video"]["width"], 1920);
        assert_eq!(shown.webrtc["iceServers"][1]["urls"], "turn:turn.acme.example:3478");
        assert_eq!(shown.webrtc["turn"][0]["port"], 3478);
        assert_eq!(shown.socket["listeners"][0]["encrypt"], "AES");
        assert_eq!(
            shown.rewrite["rule"],
            json!([{ "network": "192.168.1.0/24", "innerHost": "192.168.1.2" }])
        );
    }

    #[test]
    fn no_secret_is_in_any_of_it() {
        let shown = format!("{:?}", configuration());
        for secret in ["peach-9", "relay-user", "MDEyMzQ1Njc4OWFiY2RlZg"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }

    fn configuration() -> Configuration {
        let topology = Topology::parse("acme.toml", MESH).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        of(&topology, topology.root())
    }
}
