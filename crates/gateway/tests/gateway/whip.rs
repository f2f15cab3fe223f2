//! WHIP and WHEP in front of a node that answers the signals of a room.

use std::collections::HashMap;

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_gateway::{Configuration, GatewayEvent, NotLetIn, Proof, Rest, RestRequest, TerminalHandle};
use taoyao_types::{ConnId, Role};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{Answer, Dialler, PATIENCE, Server};

const ANN: &str = "authorization: Bearer ann\r\n";
const SDP: &str = "content-type: application/sdp\r\n";
const FRAGMENT: &str = "content-type: application/trickle-ice-sdpfrag\r\n";
const HASH: &str =
    "AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD";
const RESTART: &str =
    "a=ice-ufrag:anew\r\na=ice-pwd:aaaabbbbccccddddeeeeff\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n";

#[tokio::test]
async fn a_publisher_enters_the_room_and_sends_what_it_offers() {
    let mut site = Site::start();
    let answer = site.post("/whip/r1?password=peach&name=Studio", &offer("sendonly")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("content-type"), ["application/sdp"]);
    assert_eq!(answer.header("etag"), ["\"node\""]);
    assert_eq!(answer.header("access-control-allow-origin"), ["*"]);
    assert_eq!(answer.header("link"), ["<stun:stun.example.org:3478>; rel=\"ice-server\""]);
    assert!(answer.text.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), "{}", answer.text);
    assert!(
        answer.text.contains("a=recvonly\r\n") && answer.text.contains("a=ice-ufrag:node\r\n"),
        "{}",
        answer.text
    );
    let register = site.heard("client::register").await;
    assert_eq!((&register["clientType"], &register["name"]), (&json!("CAMERA"), &json!("Studio")));
    assert!(register["clientId"].as_str().unwrap().starts_with("whip-"));
    let enter = site.heard("room::enter").await;
    assert_eq!((&enter["password"], &enter["subscribeType"]), (&json!("peach"), &json!("NONE")));
    let connect = site.heard("media::transport::webrtc::connect").await;
    assert_eq!(connect["dtlsParameters"]["role"], "client");
    let produce = site.heard("media::produce").await;
    assert_eq!(
        (&produce["kind"], &produce["rtpParameters"]["encodings"][0]["ssrc"]),
        (&json!("audio"), &json!(7))
    );
    let location = answer.header("location")[0].to_owned();
    assert!(location.starts_with("/whip/r1/"), "{location}");
    assert_eq!(site.call("DELETE", &location, "", "").await.status, 200);
    site.heard("room::leave").await;
    site.gone().await;
    assert_eq!(site.call("DELETE", &location, "", "").await.status, 404);
}

#[tokio::test]
async fn a_player_receives_one_stream_for_each_section_and_says_that_it_is_ready() {
    let mut site = Site::start();
    let answer = site.post("/whep/r1", &offer("recvonly")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let enter = site.heard("room::enter").await;
    assert_eq!(enter["rtpCapabilities"]["codecs"][0]["preferredPayloadType"], 111);
    for producer in ["voice of gone", "voice of cam"] {
        let asked = site.heard("media::consume").await;
        assert_eq!(asked["producerId"], producer, "who sends nothing is passed over");
        site.heard("media::consumer::status").await;
    }
    let closed = site.heard("media::consumer::close").await;
    assert_eq!(closed["consumerId"], "c of voice of gone", "its camera has left without a word");
    let ready = site.heard("media::consume").await;
    assert_eq!((&ready["consumerId"], &ready["sourceId"]), (&json!("c of voice of cam"), &json!("cam")));
    for line in ["a=sendonly", "a=ssrc:70 cname:studio", "a=msid:cam c_of_voice_of_cam"] {
        assert!(answer.text.lines().any(|one| one == line), "{line}: {}", answer.text);
    }
    site.push("media::consumer::close", json!({ "roomId": "r1", "consumerId": "another's" })).await;
    site.push("media::consumer::close", json!({ "roomId": "r1", "consumerId": "c of voice of cam" })).await;
    site.heard("room::leave").await;
    site.gone().await;
}

#[tokio::test]
async fn a_player_is_told_to_come_back_while_nobody_sends() {
    for whom in ["web", "gone"] {
        let mut site = Site::start();
        let answer = site.post(&format!("/whep/r1?from={whom}"), &offer("recvonly")).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (409, vec!["5"]),
            "{whom}: {}",
            answer.text
        );
        site.gone().await;
    }
}

#[tokio::test]
async fn a_player_gets_no_part_of_what_is_there() {
    let mut site = Site::start();
    let both = offer("recvonly").replace("a=mid:0", "a=mid:0\r\na=x");
    let video =
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";
    let both = both.replace("t=0 0", "t=0 0\r\na=group:BUNDLE 0 1") + video;
    let answer = site.post("/whep/r1?from=film", &both).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("cannot receive video/H264"), "{}", answer.text);
    site.gone().await;
    assert_eq!(
        Site::start().post("/whep/r1?from=film", &offer("recvonly")).await.status,
        201,
        "the sound alone"
    );
}

#[tokio::test]
async fn paths_are_read_as_programs_write_them() {
    let site = Site::start();
    for path in ["/whip/r1/", "/whip/R1", "/whip/R1/"] {
        let answer = site.post(path, &offer("sendonly")).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        let location = answer.header("location")[0].to_owned();
        assert!(location.starts_with("/whip/r1/"), "{location}");
        let again = format!("{}/", location.to_ascii_uppercase().replace("WHIP", "whip"));
        assert_eq!(site.call("DELETE", &again, "", "").await.status, 200, "{again}");
    }
    assert_eq!(site.dialler.call("OPTIONS", "/whep/r1/", "", "").await.status, 204);
}

#[tokio::test]
async fn a_session_ends_with_its_transport_its_room_and_its_membership() {
    for signal in ["media::transport::close", "room::close", "room::expel", "room::create"] {
        let mut site = Site::start();
        site.post("/whip/r1", &offer("sendonly")).await;
        site.push(signal, json!({ "roomId": "another" })).await;
        site.push(signal, json!({ "roomId": "r1" })).await;
        site.gone().await;
    }
}

#[tokio::test]
async fn ice_is_restarted_and_candidates_are_noted() {
    let site = Site::start();
    let location = site.post("/whip/r1", &offer("sendonly")).await.header("location")[0].to_owned();
    let patch = async |if_match: &str, body: &str| {
        let if_match = if if_match.is_empty() { String::new() } else { format!("if-match: {if_match}\r\n") };
        site.call("PATCH", &location, &format!("{FRAGMENT}{if_match}"), body).await
    };
    let candidate =
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
    assert_eq!(patch("\"node\"", candidate).await.status, 204);
    assert_eq!(patch("", candidate).await.status, 428);
    assert_eq!(patch("\"other\"", candidate).await.status, 412);
    assert_eq!(patch("*", "hello").await.status, 400);
    let restarted = patch("*", RESTART).await;
    assert_eq!((restarted.status, restarted.header("etag")), (200, vec!["\"anew\""]));
    assert_eq!(restarted.header("content-type"), ["application/trickle-ice-sdpfrag"]);
    assert!(restarted.text.contains("a=mid:0\r\na=ice-ufrag:anew\r\n"), "{}", restarted.text);
    assert_eq!(patch("\"node\"", candidate).await.status, 412);
    assert_eq!(site.call("PATCH", &location, SDP, RESTART).await.status, 415);
    assert_eq!(site.call("GET", &location, "", "").await.status, 405);
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let site = Site::start();
    let good = offer("sendonly");
    for (path, headers, body, status, why) in [
        ("/whip/r1", "", good.as_str(), 415, "application/sdp"),
        ("/whip/r1", SDP, "hello", 400, "no SDP"),
        ("/whip/r1", SDP, &offer("recvonly"), 400, "sends nothing"),
        ("/whep/r1", SDP, &good, 400, "receives nothing"),
        ("/whip/r1", SDP, &good.replace("opus", "mp3"), 422, "the router does not speak audio/mp3"),
        ("/whip/none", SDP, &good, 404, "无效房间"),
        ("/whip/locked", SDP, &good, 401, "密码错误"),
        ("/whip/r1?clientId=x&clientId=y", SDP, &good, 400, "duplicate"),
    ] {
        let answer = site.call("POST", path, headers, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(why), "{path}: {message}");
        assert_eq!(answer.header("access-control-allow-origin"), ["*"], "a page may read it");
    }
    assert_eq!(site.call("PUT", "/whip/r1", SDP, &good).await.status, 405);
}

#[tokio::test]
async fn sessions_are_their_accounts_own() {
    let site = Site::start();
    let location = site.post("/whip/r1", &offer("sendonly")).await.header("location")[0].to_owned();
    let by = async |who: &str, path: &str| site.dialler.call("DELETE", path, who, "").await.status;
    assert_eq!(by("", &location).await, 401);
    assert_eq!(by("authorization: Bearer bob\r\n", &location).await, 404);
    assert_eq!(by(ANN, &location.replace("whip", "whep")).await, 404);
    assert_eq!(by(ANN, &location).await, 200);
    assert_eq!(site.dialler.call("POST", "/whip/r1", SDP, &offer("sendonly")).await.status, 401);
}

#[tokio::test]
async fn pages_of_other_origins_may_ask_first() {
    let site = Site::start();
    for (path, methods) in [("/whip/r1", "OPTIONS, POST"), ("/whep/r1/x", "DELETE, OPTIONS, PATCH")] {
        let answer = site.dialler.call("OPTIONS", path, "", "").await;
        assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, vec![methods]));
        assert_eq!(answer.header("accept-post"), ["application/sdp"]);
    }
}

#[tokio::test]
async fn sessions_end_with_the_gateway() {
    let mut site = Site::start();
    site.post("/whip/r1", &offer("sendonly")).await;
    let gateway = site.gateway.take().unwrap();
    assert_eq!(gateway.shutdown(PATIENCE).await, 0);
    site.gone().await;
}

/// One section of sound.
fn offer(direction: &str) -> String {
    let ssrc = if direction == "sendonly" { "a=ssrc:7 cname:studio\r\n" } else { "" };
    format!(
        "v=0\r\no=- 1 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
         a=mid:0\r\na=ice-ufrag:peer\r\na=ice-pwd:aaaabbbbccccddddeeeeff\r\na=fingerprint:sha-256 {HASH}\r\n\
         a=setup:actpass\r\na={direction}\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n{ssrc}"
    )
}

/// A gateway, and the node behind it.
struct Site {
    gateway: Option<taoyao_gateway::Gateway>,
    dialler: Dialler,
    said: mpsc::Receiver<Said>,
    pushes: mpsc::Sender<Value>,
}

enum Said {
    Signal { name: String, body: Value },
    Gone,
}

impl Site {
    fn start() -> Self {
        let (requests, asked) = mpsc::channel(4);
        tokio::spawn(authenticate(asked));
        let Server { gateway, events, dialler } =
            Server::start_with_rest(Rest::new(requests, Configuration::default()));
        let (says, said) = mpsc::channel(64);
        let (pushes, pushed) = mpsc::channel(4);
        tokio::spawn(play_node(events, pushed, says));
        Self { gateway: Some(gateway), dialler, said, pushes }
    }

    async fn post(&self, path: &str, offer: &str) -> Answer {
        self.call("POST", path, SDP, offer).await
    }

    async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.dialler.call(method, path, &format!("{ANN}{headers}"), body).await
    }

    async fn push(&self, signal: &str, body: Value) {
        let header = json!({ "v": "1.0.0", "id": 5, "signal": signal });
        let push = json!({ "code": "0000", "message": "成功", "header": header, "body": body });
        self.pushes.send(push).await.unwrap();
    }

    /// The body of the next such signal.
    async fn heard(&mut self, signal: &str) -> Value {
        loop {
            match timeout(PATIENCE, self.said.recv()).await.expect(signal).expect(signal) {
                Said::Signal { name, body } if name == signal => return body,
                Said::Signal { .. } => {}
                Said::Gone => panic!("gone before {signal}"),
            }
        }
    }

    /// Waits until the terminal has disconnected.
    async fn gone(&mut self) {
        while !matches!(timeout(PATIENCE, self.said.recv()).await.unwrap(), Some(Said::Gone)) {}
    }
}

async fn authenticate(mut asked: mpsc::Receiver<RestRequest>) {
    while let Some(RestRequest::Authenticate { proof, reply, .. }) = asked.recv().await {
        let known = match proof {
            Proof::Token(name) if name.0 == "ann" || name.0 == "bob" => {
                Ok(Account::new(&name.0, [Role::Terminal], AllowList::default(), Vec::new()))
            }
            _ => Err(NotLetIn::Wrong),
        };
        reply.send(known).unwrap();
    }
}

/// Rooms are `r1`, where `cam` sends its voice, `gone` has sent one, `film` also sends a picture that nobody can receive, and
/// `web` listens, and `locked`.
async fn play_node(
    mut events: mpsc::Receiver<GatewayEvent>,
    mut pushes: mpsc::Receiver<Value>,
    says: mpsc::Sender<Said>,
) {
    let mut terminals: HashMap<ConnId, TerminalHandle> = HashMap::new();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            Some(push) = pushes.recv() => {
                terminals.values().for_each(|terminal| terminal.send(push.to_string()));
                continue;
            }
        };
        let said = match event {
            None => return,
            Some(GatewayEvent::Opened { conn, terminal, account, .. }) => {
                assert_eq!(account.map(|account| account.name.to_string()).as_deref(), Some("ann"));
                terminals.insert(conn, terminal);
                continue;
            }
            Some(GatewayEvent::Text { conn, text }) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                answer(&message).iter().for_each(|text| terminals[&conn].send(text.to_string()));
                let name = message["header"]["signal"].as_str().unwrap().to_owned();
                Said::Signal { name, body: message["body"].clone() }
            }
            Some(GatewayEvent::Closed { conn, .. }) => {
                terminals.remove(&conn);
                Said::Gone
            }
        };
        // The test may have seen enough.
        let _enough = says.send(said).await;
    }
}

fn answer(message: &Value) -> Vec<Value> {
    let (header, body) = (&message["header"], &message["body"]);
    let said = |signal: &str, body: Value| {
        let header = json!({ "v": "1.0.0", "id": header["id"], "signal": signal });
        json!({ "code": "0000", "message": "成功", "header": header, "body": body })
    };
    let failed = |code: &str, text: &str| {
        let mut failed = said("platform::error", json!({}));
        (failed["code"], failed["message"]) = (json!(code), json!(text));
        vec![failed]
    };
    let signal = header["signal"].as_str().unwrap();
    let ice =
        |ufrag| json!({ "usernameFragment": ufrag, "password": "aaaabbbbccccddddeeeeff", "iceLite": true });
    let answered = match (signal, body["roomId"].as_str()) {
        ("client::register", _) => {
            let servers = json!([{ "urls": "stun:stun.example.org:3478" }]);
            let mut config = said("client::config", json!({ "webrtc": { "iceServers": servers } }));
            config["header"]["id"] = json!(4);
            return vec![said(signal, json!({ "index": 10_001 })), config];
        }
        ("room::enter", Some("none")) => return failed("9999", "无效房间：none"),
        ("room::enter", Some("locked")) => return failed("3401", "密码错误"),
        ("media::transport::webrtc::create", Some(room)) => json!({
            "roomId": room, "transportId": "01234567-89ab-4def-8123-456789abcdef", "iceParameters": ice("node"),
            "iceCandidates": [{
                "foundation": "udpcandidate", "priority": 1, "ip": "192.0.2.9", "protocol": "udp", "port": 44444,
                "type": "host",
            }],
            "dtlsParameters": { "role": "auto", "fingerprints": [{ "algorithm": "sha-256", "value": HASH }] },
        }),
        ("media::ice::restart", _) => json!({ "iceParameters": ice("anew") }),
        ("room::client::list", _) => {
            json!({ "clients": [{ "clientId": "web" }, { "clientId": "gone" }, { "clientId": "cam" }] })
        }
        ("room::client::list::id", _) => {
            let who = body["clientId"].as_str().unwrap();
            let voices = if who == "web" { json!([]) } else { json!([format!("voice of {who}")]) };
            let pictures = if who == "film" { json!(["H264"]) } else { json!([]) };
            json!({ "audioProducers": voices, "videoProducers": pictures })
        }
        ("media::consumer::status", _) => {
            let silent_ms = if body["consumerId"] == "c of voice of gone" { 2_500 } else { 20 };
            let first = json!({ "type": "outbound-rtp", "timestamp": 90_000 });
            let second = json!({
                "type": "inbound-rtp", "timestamp": 90_000, "firstPacketReceivedTimestamp": 1_000,
                "lastPacketReceivedTimestamp": 90_000 - silent_ms,
            });
            json!({ "roomId": "r1", "consumerId": body["consumerId"], "status": [first, second] })
        }
        ("media::consume", _) if body["producerId"] == "H264" => {
            return failed("3400", "请求错误：cannot receive video/H264");
        }
        ("media::consume", _) if body["consumerId"].is_null() => {
            let rtp = json!({
                "codecs": [{ "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2 }],
                "encodings": [{ "ssrc": 70 }], "rtcp": { "cname": "studio" },
            });
            let mut push = said(
                signal,
                json!({
                    "roomId": "r1", "clientId": "whep", "sourceId": "cam", "producerId": body["producerId"],
                    "consumerId": format!("c of {}", body["producerId"].as_str().unwrap()), "kind": "audio", "type": "simple", "rtpParameters": rtp,
                }),
            );
            push["header"]["id"] = json!(3);
            return vec![push];
        }
        ("media::consume" | "media::consumer::close" | "room::leave" | "client::heartbeat", _) => {
            return Vec::new();
        }
        _ => body.clone(),
    };
    vec![said(signal, answered)]
}
