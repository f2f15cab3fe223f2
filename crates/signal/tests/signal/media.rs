//! `media::*`: what members send and receive, at one node and across two (reference 4.3, 4.4, 5 and 6.6).

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_ortc::{Act, Happening, RecordAct, Recorded};
use taoyao_types::{Role, limits};

use crate::world::{Line, World, error, is_server_id, signals};

/// Two members of a room at the first node, `a` its owner; they can receive, and have said nothing of media yet.
struct Call {
    world: World,
    a: Line,
    b: Line,
    /// What each is called by the other.
    a_seen: &'static str,
    b_seen: &'static str,
    room: String,
    last_id: i64,
}

impl Call {
    fn new(across: bool) -> Self {
        Self::with(across, json!({}))
    }

    /// `b` enters with these words besides.
    fn with(across: bool, words: Value) -> Self {
        let mut world = World::with_sfus(&["cn", "cn/east"]);
        let (a, b) = (world.register(0, "a"), world.register(usize::from(across), "b"));
        world.hush();
        world.send(a, 10, "room::create", json!({"name": "n"}));
        let room = world.hear_one(a)["body"]["roomId"].as_str().unwrap().to_owned();
        let (a_seen, b_seen) = if across { ("a@cn", "b@east.cn") } else { ("a", "b") };
        let mut call = Self { world, a, b, a_seen, b_seen, room, last_id: 100 };
        call.enter(a, json!({}));
        call.enter(b, words);
        call.world.hush();
        call
    }

    fn enter(&mut self, line: Line, mut words: Value) {
        words["rtpCapabilities"] = json!({"codecs": [], "headerExtensions": []});
        self.say(line, "room::enter", words);
        assert_eq!(signals(&self.world.hear(line)), ["room::enter", "room::client::list"]);
    }

    /// Says it with the room's id; returns the message's id.
    fn say(&mut self, line: Line, signal: &str, mut body: Value) -> i64 {
        body["roomId"] = json!(self.room);
        self.last_id += 1;
        self.world.send(line, self.last_id, signal, body);
        self.last_id
    }

    /// The answer's body, which is the only thing heard.
    fn ask(&mut self, line: Line, signal: &str, body: Value) -> Value {
        let id = self.say(line, signal, body);
        let heard = self.world.hear_one(line);
        assert_eq!((&heard["header"]["id"], &heard["code"]), (&json!(id), &json!("0000")), "{heard}");
        heard["body"].clone()
    }

    fn transport(&mut self, line: Line, consuming: bool) -> String {
        let created = self.ask(
            line,
            "media::transport::webrtc::create",
            json!({"producing": !consuming, "consuming": consuming}),
        );
        created["transportId"].as_str().unwrap().to_owned()
    }

    fn produce(&mut self, line: Line, transport: &str, kind: &str) -> String {
        let produced = self.ask(line, "media::produce", sound(transport, kind));
        produced["producerId"].as_str().unwrap().to_owned()
    }

    /// `a` sends a sound that `b` has been told of: the producer, the push to `b`.
    fn heard(across: bool) -> (Self, String, Value) {
        let mut call = Self::new(across);
        let (a, b) = (call.a, call.b);
        call.transport(b, true);
        let transport = call.transport(a, false);
        let producer = call.produce(a, &transport, "audio");
        let push = call.world.hear_one(b);
        assert_eq!(push["header"]["signal"], "media::consume", "{push}");
        (call, producer, push)
    }

    /// The same, and `b` is ready: the producer, the consumer.
    fn running(across: bool) -> (Self, String, String) {
        let (mut call, producer, push) = Self::heard(across);
        call.echo(&push);
        call.world.hush();
        (call, producer, push["body"]["consumerId"].as_str().unwrap().to_owned())
    }

    /// `b` sends the push back, word for word (quirk Q8).
    fn echo(&mut self, push: &Value) {
        self.world.say(self.b, &push.to_string());
    }

    fn running_consumers(&self) -> usize {
        let rooms = self.world.sfus.iter().filter_map(|sfu| sfu.room(&self.room));
        rooms.flat_map(|room| room.consumers.values()).filter(|consumer| !consumer.is_paused).count()
    }

    fn is_empty_at_sfu(&self) -> bool {
        let room = self.world.sfus[0].room(&self.room).unwrap();
        room.transports.is_empty() && room.producers.is_empty() && room.consumers.is_empty()
    }
}

fn sound(transport: &str, kind: &str) -> Value {
    json!({"transportId": transport, "kind": kind, "rtpParameters": {"codecs": []}})
}

#[test]
fn capabilities_are_told_before_entering() {
    let mut call = Call::new(false);
    let c = call.world.register(1, "c");
    call.world.hush();
    let told = call.ask(c, "media::router::rtp::capabilities", json!({}));
    assert_eq!(told["roomId"], json!(call.room));
    assert_eq!(told["rtpCapabilities"]["codecs"][0]["mimeType"], "audio/opus");
    let id = call.say(c, "media::transport::webrtc::create", json!({}));
    assert_eq!(error(&call.world.hear_one(c)), ("9999", "终端没有房间权限：c", id));
}

#[test]
fn a_transport_is_answered_under_the_addresses_that_its_owner_reaches() {
    for across in [false, true] {
        let mut call = Call::new(across);
        let b = call.b;
        let words = json!({"producing": true, "sctpCapabilities": {"numStreams": {"OS": 16, "MIS": 16}}});
        let created = call.ask(b, "media::transport::webrtc::create", words);
        assert_eq!(created["iceCandidates"][0]["ip"], "10.0.0.1");
        assert_eq!(created["iceParameters"]["iceLite"], true);
        assert_eq!(created["sctpParameters"]["OS"], 16);
        let id = created["transportId"].clone();
        let words = json!({"transportId": id, "dtlsParameters": {"role": "client", "fingerprints": []}});
        let connected = call.ask(b, "media::transport::webrtc::connect", words);
        assert_eq!(connected, json!({"roomId": call.room, "transportId": id}));
        let restarted = call.ask(b, "media::ice::restart", json!({"transportId": id}));
        assert_eq!(restarted["iceParameters"]["usernameFragment"], "again");
        let status = call.ask(b, "media::transport::status", json!({"transportId": id}));
        let expected = json!([{"type": "webrtc-transport"}]);
        assert_eq!((&status["transportId"], &status["status"]), (&id, &expected));
        let plain =
            call.ask(b, "media::transport::plain::create", json!({"rtcpMux": false, "comedia": true}));
        assert_eq!((&plain["ip"], &plain["rtcpPort"]), (&json!("10.0.0.1"), &json!(44_445)));
    }
}

#[test]
fn a_new_producer_is_consumed_by_who_receives_and_runs_when_that_one_is_ready() {
    for across in [false, true] {
        let (mut call, producer, push) = Call::heard(across);
        let body = &push["body"];
        let (room, seen) = (call.room.clone(), call.a_seen);
        assert!(is_server_id(&push));
        let named = json!({"roomId": body["roomId"], "clientId": body["clientId"], "sourceId": body["sourceId"],
            "streamId": body["streamId"], "producerId": body["producerId"], "kind": body["kind"],
            "type": body["type"], "appData": body["appData"], "producerPaused": body["producerPaused"]});
        let expected = json!({"roomId": room, "clientId": "b", "sourceId": seen,
            "streamId": format!("audio::{seen}->b"), "producerId": producer, "kind": "audio",
            "type": "simple", "appData": {}, "producerPaused": false});
        assert_eq!(named, expected, "across: {across}");
        assert_eq!(body["rtpParameters"]["mid"], "0");
        assert_eq!(call.running_consumers(), 0, "nothing is sent to one that is not ready");
        call.world.pass(Duration::from_secs(60));
        call.world.hush();
        call.echo(&push);
        assert_eq!(call.running_consumers(), 1, "a late sign counts");
        let b = call.b;
        let resumed = call.world.hear_one(b);
        assert_eq!(resumed["header"]["signal"], "media::consumer::resume");
        assert_eq!(resumed["body"], json!({"roomId": room, "consumerId": body["consumerId"]}));
        call.echo(&push);
        call.world.hears_nothing(b);
    }
}

#[test]
fn a_producer_is_answered_with_the_stream_of_its_owner() {
    let mut call = Call::new(true);
    let b = call.b;
    let transport = call.transport(b, false);
    let produced = call.ask(b, "media::produce", sound(&transport, "video"));
    assert_eq!((&produced["kind"], &produced["streamId"]), (&json!("video"), &json!("video::b")));
    assert_eq!(produced.as_object().unwrap().len(), 3);
    let ids = call.ask(b, "room::client::list::id", json!({}));
    assert_eq!((&ids["clientId"], &ids["videoProducers"]), (&json!("b"), &json!([produced["producerId"]])));
    assert_eq!(ids["audioConsumers"], json!([]));
}

#[test]
fn the_answer_comes_before_all_that_is_consumed() {
    for across in [false, true] {
        let mut call = Call::new(across);
        let (a, b) = (call.a, call.b);
        let transport = call.transport(a, false);
        for kind in ["audio", "video"] {
            call.produce(a, &transport, kind);
        }
        call.say(b, "media::transport::webrtc::create", json!({"consuming": true}));
        let heard = call.world.hear(b);
        let expected = ["media::transport::webrtc::create", "media::consume", "media::consume"];
        assert_eq!(signals(&heard), expected, "across: {across}");
        call.world.hears_nothing(a);
    }
}

#[test]
fn producing_and_receiving_at_once_makes_one_consumer() {
    let mut call = Call::new(false);
    let (a, b) = (call.a, call.b);
    let transport = call.transport(a, false);
    call.world.hold_media = true;
    call.say(a, "media::produce", sound(&transport, "audio"));
    call.say(b, "media::transport::webrtc::create", json!({"consuming": true}));
    call.world.release_media();
    call.world.run();
    assert_eq!(signals(&call.world.hear(b)), ["media::transport::webrtc::create", "media::consume"]);
    let room = call.world.sfus[0].room(&call.room).unwrap();
    assert_eq!(room.consumers.len(), 1);
}

#[test]
fn only_what_was_subscribed_to_comes_by_itself() {
    let mut call = Call::with(false, json!({"subscribeType": "all_audio"}));
    let (a, b) = (call.a, call.b);
    call.transport(b, true);
    let transport = call.transport(a, false);
    call.produce(a, &transport, "audio");
    assert_eq!(signals(&call.world.hear(b)), ["media::consume"]);
    let picture = call.produce(a, &transport, "video");
    call.world.hears_nothing(b);
    call.say(b, "media::consume", json!({"producerId": picture}));
    let pushed = call.world.hear_one(b);
    assert_eq!(
        (&pushed["header"]["signal"], &pushed["body"]["kind"]),
        (&json!("media::consume"), &json!("video"))
    );
}

#[test]
fn who_cannot_receive_is_told_why_when_it_asks() {
    let mut call = Call::new(false);
    let (a, b) = (call.a, call.b);
    let transport = call.transport(a, false);
    let producer = call.produce(a, &transport, "audio");
    let id = call.say(b, "media::consume", json!({"producerId": producer}));
    let why = "无效媒体：make a transport to receive on first";
    assert_eq!(error(&call.world.hear_one(b)), ("9999", why, id));
    let id = call.say(b, "media::consume", json!({}));
    assert_eq!(
        error(&call.world.hear_one(b)),
        ("9999", "无效媒体：there is no such producer in this room", id)
    );
}

#[test]
fn pausing_is_told_once_to_the_owner_and_to_those_who_listen() {
    for across in [false, true] {
        let (mut call, producer, consumer) = Call::running(across);
        let (a, b) = (call.a, call.b);
        for (signal, told) in [("pause", "media::consumer::pause"), ("resume", "media::consumer::resume")] {
            let signal = format!("media::producer::{signal}");
            call.say(a, &signal, json!({"producerId": producer}));
            let own = call.world.hear_one(a);
            assert_eq!(own["header"]["signal"], json!(signal));
            assert_eq!(own["body"], json!({"roomId": call.room, "producerId": producer}));
            let pushed = call.world.hear_one(b);
            assert_eq!(pushed["header"]["signal"], told);
            assert_eq!(pushed["body"], json!({"roomId": call.room, "consumerId": consumer}));
            call.say(a, &signal, json!({"producerId": producer}));
            call.world.hears_nothing(a);
            call.world.hears_nothing(b);
        }
    }
}

#[test]
fn who_has_paused_a_consumer_is_left_alone() {
    let (mut call, producer, consumer) = Call::running(false);
    let (a, b) = (call.a, call.b);
    call.say(b, "media::consumer::pause", json!({"consumerId": consumer}));
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::pause"]);
    assert_eq!(call.running_consumers(), 0);
    for signal in ["media::producer::pause", "media::producer::resume"] {
        call.say(a, signal, json!({"producerId": producer}));
        assert_eq!(signals(&call.world.hear(a)), [signal]);
    }
    call.world.hears_nothing(b);
    call.say(b, "media::consumer::resume", json!({"consumerId": consumer}));
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::resume"]);
    assert_eq!(call.running_consumers(), 1);
    call.world.hears_nothing(call.a);
}

#[test]
fn a_producer_that_goes_on_starts_nobody_who_is_not_ready() {
    let (mut call, producer, push) = Call::heard(false);
    let (a, b) = (call.a, call.b);
    for signal in ["media::producer::pause", "media::producer::resume", "media::producer::pause"] {
        call.say(a, signal, json!({"producerId": producer}));
    }
    call.world.hears_nothing(b);
    assert_eq!(call.running_consumers(), 0);
    call.echo(&push);
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::pause"], "it learns that there is silence");
}

#[test]
fn what_ends_is_told_from_the_outside_in() {
    for across in [false, true] {
        let (mut call, producer, consumer) = Call::running(across);
        let (a, b) = (call.a, call.b);
        call.say(a, "media::producer::close", json!({"producerId": producer}));
        assert_eq!(signals(&call.world.hear(a)), ["media::producer::close"]);
        let closed = call.world.hear_one(b);
        assert_eq!(closed["header"]["signal"], "media::consumer::close");
        assert_eq!(closed["body"], json!({"roomId": call.room, "consumerId": consumer}));
        call.say(a, "media::producer::close", json!({"producerId": producer}));
        call.say(a, "media::producer::pause", json!({}));
        call.say(b, "media::consumer::close", json!({"consumerId": consumer}));
        call.world.hears_nothing(a);
        call.world.hears_nothing(b);
    }
}

#[test]
fn a_sign_of_readiness_for_what_has_ended_is_no_wish() {
    let (mut call, producer, push) = Call::heard(false);
    let (a, b) = (call.a, call.b);
    call.say(b, "media::consumer::close", json!({"consumerId": push["body"]["consumerId"]}));
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::close"]);
    call.echo(&push);
    call.world.hears_nothing(b);
    call.say(a, "media::producer::close", json!({"producerId": producer}));
    call.world.hush();
    call.echo(&push);
    assert_eq!(call.running_consumers(), 0);
}

#[test]
fn a_transport_takes_all_with_it_that_is_on_it() {
    let (mut call, ..) = Call::running(false);
    let (a, b) = (call.a, call.b);
    let transport = call.ask(a, "media::transport::plain::create", json!({}));
    let transport = transport["transportId"].as_str().unwrap().to_owned();
    let producer = call.produce(a, &transport, "video");
    let pushed = call.world.hear_one(b);
    call.echo(&pushed);
    call.world.hush();
    call.say(a, "media::transport::close", json!({"transportId": transport}));
    assert_eq!(signals(&call.world.hear(a)), ["media::producer::close", "media::transport::close"]);
    assert_eq!(signals(&call.world.hear(b)), ["media::consumer::close"]);
    let ids = call.ask(a, "room::client::list::id", json!({}));
    assert!(!ids.to_string().contains(&producer), "{ids}");
}

#[test]
fn a_peer_that_vanished_from_the_sfu_is_told_like_a_transport_that_was_closed() {
    let (mut call, ..) = Call::running(true);
    let transport = *call.world.sfus[0]
        .room(&call.room)
        .unwrap()
        .producers
        .values()
        .map(|p| &p.transport)
        .next()
        .unwrap();
    let room = call.room.clone();
    call.world.happen(0, &room, Happening::TransportClosed { transport });
    assert_eq!(signals(&call.world.hear(call.a)), ["media::producer::close", "media::transport::close"]);
    assert_eq!(signals(&call.world.hear(call.b)), ["media::consumer::close"]);
}

#[test]
fn who_leaves_takes_everything_along_before_it_is_gone() {
    for across in [false, true] {
        for hangs_up in [false, true] {
            let (mut call, ..) = Call::running(across);
            let (a, b) = (call.a, call.b);
            let transport = call.transport(b, false);
            let receiving = call.transport(a, true);
            call.produce(b, &transport, "audio");
            call.world.hush();
            if hangs_up {
                call.world.hang_up(b);
            } else {
                call.say(b, "room::leave", json!({}));
            }
            let heard = call.world.hear(a);
            let heard: Vec<&str> = signals(&heard).into_iter().filter(|s| *s != "client::offline").collect();
            assert_eq!(heard, ["media::consumer::close", "room::leave"], "across: {across}, {hangs_up}");
            call.say(a, "media::transport::close", json!({"transportId": receiving}));
            let room = call.world.sfus[0].room(&call.room).unwrap();
            assert_eq!((room.consumers.len(), room.producers.len(), room.transports.len()), (0, 1, 1));
        }
    }
}

#[test]
fn a_room_that_is_closed_closes_its_media_first() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b) = (call.a, call.b);
        call.say(a, "room::close", json!({}));
        let heard = call.world.hear(b);
        let expected = ["media::consumer::close", "media::transport::close", "room::close"];
        assert_eq!(signals(&heard), expected, "across: {across}");
        let heard = call.world.hear(a);
        assert_eq!(signals(&heard).last(), Some(&"room::close"));
        assert!(call.world.sfus[0].room(&call.room).is_none());
    }
}

#[test]
fn a_terminal_that_comes_back_in_a_new_session_has_nothing_of_the_old_one() {
    let (mut call, ..) = Call::running(false);
    let (a, room) = (call.a, call.room.clone());
    let again = call.world.register(0, "b");
    call.world.send(again, 7, "room::enter", json!({"roomId": room}));
    call.world.hush();
    let ids = call.ask(a, "room::client::list::id", json!({"clientId": "b"}));
    assert_eq!(ids["audioConsumers"], json!([]));
    assert_eq!(call.world.sfus[0].room(&room).unwrap().transports.len(), 1, "only a's");
}

#[test]
fn others_are_muted_by_the_rooms_owner_and_by_operators_only() {
    for across in [false, true] {
        let (mut call, producer, consumer) = Call::running(across);
        let (a, b) = (call.a, call.b);
        for (signal, body) in [
            ("media::producer::pause", json!({"producerId": producer})),
            ("media::producer::close", json!({"producerId": producer})),
            ("media::producer::status", json!({"producerId": producer})),
        ] {
            let id = call.say(b, signal, body);
            assert_eq!(
                error(&call.world.hear_one(b)),
                ("3403", "请求拒绝：denied by rule owner", id),
                "{signal}"
            );
        }
        let status = call.ask(a, "media::consumer::status", json!({"consumerId": consumer}));
        assert_eq!(status["status"][0]["type"], "outbound-rtp", "the owner may look");
        let transport = call.transport(b, false);
        let own = call.produce(b, &transport, "audio");
        call.say(a, "media::producer::pause", json!({"producerId": own}));
        assert_eq!(signals(&call.world.hear(b)), ["media::producer::pause"]);
        let id = call.say(a, "media::produce", sound(&transport, "audio"));
        assert_eq!(error(&call.world.hear_one(a)).0, "3403", "{id}: not even the owner sends on another's");
        call.world.hears_nothing(a);
        let operator =
            Account::new("operator", [Role::Terminal, Role::Operator], AllowList::default(), Vec::new());
        call.world.accounts.insert("operator".into(), operator);
        let c = call.world.connect(0);
        let mut words = crate::world::registration("c");
        words["username"] = json!("operator");
        call.world.send(c, 1, "client::register", words);
        call.world.hush();
        call.say(c, "media::producer::resume", json!({"producerId": own}));
        assert_eq!(signals(&call.world.hear(b)), ["media::producer::resume"]);
    }
}

#[test]
fn data_is_received_when_it_is_asked_for() {
    for across in [false, true] {
        let mut call = Call::new(across);
        let (a, b) = (call.a, call.b);
        call.transport(b, true);
        let transport = call.transport(a, false);
        let words = json!({"transportId": transport, "label": "chat", "protocol": "", "appData": {"k": 1},
            "sctpStreamParameters": {"streamId": 0, "ordered": false, "maxPacketLifeTime": 2000}});
        let produced = call.ask(a, "media::data::produce", words);
        assert_eq!(produced["streamId"], "data::a");
        assert!(produced.get("kind").is_none());
        call.world.hears_nothing(b);
        let producer = produced["producerId"].clone();
        let ids = call.ask(b, "room::client::list::id", json!({"clientId": call.a_seen}));
        assert_eq!(ids["dataProducers"], json!([producer]));
        call.say(b, "media::data::consume", json!({"producerId": producer}));
        let pushed = call.world.hear_one(b);
        assert_eq!(pushed["header"]["signal"], "media::data::consume");
        let body = &pushed["body"];
        assert_eq!(
            (&body["label"], &body["appData"], &body["protocol"]),
            (&json!("chat"), &json!({"k": 1}), &json!(""))
        );
        assert_eq!(
            body["sctpStreamParameters"],
            json!({"streamId": 0, "ordered": false, "maxPacketLifeTime": 2000})
        );
        call.say(b, "media::consumer::close", json!({"consumerId": body["consumerId"]}));
        call.world.hears_nothing(b);
        call.say(b, "media::data::consumer::close", json!({"consumerId": body["consumerId"]}));
        assert_eq!(signals(&call.world.hear(b)), ["media::data::consumer::close"]);
        call.say(a, "media::data::producer::close", json!({"producerId": producer}));
        assert_eq!(signals(&call.world.hear(a)), ["media::data::producer::close"]);
        call.world.hears_nothing(b);
    }
}

#[test]
fn what_is_asked_of_a_consumer_reaches_the_sfu() {
    let (mut call, _, consumer) = Call::running(true);
    let b = call.b;
    call.world.commands.clear();
    for (signal, mut body) in [
        ("media::consumer::request::key::frame", json!({})),
        ("media::consumer::set::preferred::layers", json!({"spatialLayer": 1})),
        ("media::consumer::set::priority", json!({"priority": 7})),
    ] {
        body["consumerId"] = json!(consumer);
        call.say(b, signal, body);
    }
    call.world.hears_nothing(b);
    let consumer = consumer.parse().unwrap();
    let acts: Vec<Act> = call.world.commands.iter().map(|command| command.act.clone()).collect();
    let expected = [
        Act::RequestKeyFrame { consumer },
        Act::PreferLayers { consumer, spatial: 1, temporal: None },
        Act::Prioritise { consumer, priority: 7 },
    ];
    assert_eq!(acts, expected);
}

#[test]
fn what_the_sfu_notices_is_told_to_all_and_volumes_under_everybodys_names() {
    let (mut call, producer, consumer) = Call::running(true);
    let (a, b, room) = (call.a, call.b, call.room.clone());
    let (producer, consumer) = (producer.parse().unwrap(), consumer.parse().unwrap());
    let score = Happening::ConsumerScore { consumer, score: 10, producer_score: 9, producer_scores: vec![9] };
    for (what, signal) in [
        (score, "media::consumer::score"),
        (Happening::ProducerScore { producer, scores: Vec::new() }, "media::producer::score"),
        (Happening::LayersChanged { consumer, layers: Some((1, None)) }, "media::consumer::layers::change"),
        (
            Happening::OrientationChanged { producer, camera: true, flip: false, rotation: 90 },
            "media::video::orientation::change",
        ),
    ] {
        call.world.happen(0, &room, what);
        for line in [a, b] {
            assert_eq!(signals(&call.world.hear(line)), [signal]);
        }
    }
    call.world.happen(0, &room, Happening::Volumes { volumes: vec![(producer, -40)] });
    let seen = call.a_seen;
    for (line, name) in [(a, "a"), (b, seen)] {
        let heard = call.world.hear_one(line);
        assert_eq!(heard["header"]["signal"], "media::audio::volume");
        assert_eq!(heard["body"]["volumes"], json!([{"volume": -40, "clientId": name}]));
    }
    call.world.happen(0, &room, Happening::Volumes { volumes: Vec::new() });
    assert_eq!(call.world.hear_one(a)["body"], json!({"roomId": room}), "silence");
}

#[test]
fn an_sfu_that_does_not_answer_is_told_in_time_and_leaves_nothing_behind() {
    for across in [false, true] {
        let mut call = Call::new(across);
        let b = call.b;
        call.world.hold_media = true;
        let id = call.say(b, "media::transport::webrtc::create", json!({"consuming": true}));
        call.world.pass(Duration::from_millis(4_400));
        call.world.hears_nothing(b);
        call.world.pass(Duration::from_millis(200));
        assert_eq!(error(&call.world.hear_one(b)), ("2001", "终端没有响应", id));
        call.world.release_media();
        call.world.run();
        call.world.hears_nothing(b);
        assert!(call.is_empty_at_sfu());
        call.transport(b, true);
    }
}

#[test]
fn who_leaves_while_the_sfu_works_leaves_nothing_behind() {
    let mut call = Call::new(true);
    let b = call.b;
    call.world.hold_media = true;
    call.say(b, "media::transport::webrtc::create", json!({"producing": true}));
    call.say(b, "room::leave", json!({}));
    call.world.release_media();
    call.world.run();
    assert_eq!(error(&call.world.hear_one(b)).0, "9999");
    assert!(call.is_empty_at_sfu());
}

#[test]
fn a_room_whose_media_is_lost_is_entered_again() {
    for across in [false, true] {
        let (mut call, producer, _) = Call::running(across);
        let (a, b, room) = (call.a, call.b, call.room.clone());
        call.world.happen(0, &room, Happening::RoomLost);
        for line in [a, b] {
            let told = call.world.hear_one(line);
            assert_eq!(
                (&told["header"]["signal"], &told["body"]),
                (&json!("room::create"), &json!({"roomId": room}))
            );
        }
        call.say(a, "media::producer::pause", json!({"producerId": producer}));
        call.world.hears_nothing(a);
        call.say(b, "room::leave", json!({}));
        assert_eq!(signals(&call.world.hear(a)), ["room::leave"]);
        call.enter(b, json!({}));
        call.world.hush();
        call.transport(b, true);
        let transport = call.transport(a, false);
        call.produce(a, &transport, "audio");
        assert_eq!(signals(&call.world.hear(b)), ["media::consume"]);
    }
}

#[test]
fn members_of_a_room_with_a_password_are_let_in_again_by_a_pass() {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    let a = world.register(1, "a");
    world.hush();
    world.send(a, 10, "room::create", json!({"password": "p"}));
    let room = world.hear_one(a)["body"]["roomId"].clone();
    world.send(a, 11, "room::enter", json!({"roomId": room, "password": "p"}));
    world.hush();
    world.happen(1, room.as_str().unwrap(), Happening::RoomLost);
    let told = world.hear_one(a);
    let pass = told["body"]["password"].as_str().unwrap().to_owned();
    assert_ne!(pass, "p");
    world.send(a, 12, "room::leave", json!({"roomId": room}));
    world.send(a, 13, "room::enter", json!({"roomId": room, "password": pass}));
    assert_eq!(signals(&world.hear(a)), ["room::enter", "room::client::list"]);
}

#[test]
fn a_member_has_so_many_transports_and_no_more() {
    let mut call = Call::new(false);
    let b = call.b;
    for _ in 0..limits::MEMBER_TRANSPORTS_MAX {
        call.transport(b, false);
    }
    let id = call.say(b, "media::transport::webrtc::create", json!({}));
    let why = format!("服务正在维护：a member has {} transports at most", limits::MEMBER_TRANSPORTS_MAX);
    assert_eq!(error(&call.world.hear_one(b)), ("3503", why.as_str(), id));
}

#[test]
fn a_member_is_recorded_by_itself_or_by_the_rooms_owner() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b) = (call.a, call.b);
        let id = call.say(b, "control::server::record", json!({"to": call.a_seen, "enabled": true}));
        assert_eq!(error(&call.world.hear_one(b)), ("3403", "请求拒绝：denied by rule owner", id));
        let transport = call.transport(b, false);
        let producer = call.produce(b, &transport, "audio");
        let id = call.say(a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
        call.world.hears_nothing(a);
        let command = call.world.recorder.pop().unwrap();
        let producers = vec![(producer.parse().unwrap(), taoyao_ortc::MediaKind::Audio)];
        assert_eq!(command.act, RecordAct::Start { producers });
        let done = |result| Recorded {
            room: command.room.clone(),
            member: command.member.clone(),
            number: command.number,
            result,
        };
        call.world.recorded(0, done(Ok(Some("/v/1.webm".to_owned()))));
        let answer = call.world.hear_one(a);
        let expected =
            json!({"roomId": call.room, "enabled": true, "filepath": "/v/1.webm", "clientId": "a"});
        assert_eq!((&answer["header"]["id"], &answer["body"]), (&json!(id), &expected));
        call.world.send(b, 7, "client::status", json!({}));
        assert_eq!(call.world.hear_one(b)["body"]["serverRecording"], true);
        let again = call.ask(a, "control::server::record", json!({"to": call.b_seen}));
        assert_eq!(again["filepath"], "/v/1.webm");
        call.say(b, "room::leave", json!({}));
        assert_eq!(call.world.recorder.pop().unwrap().act, RecordAct::Stop);
        let id = call.say(a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
        call.world.hush();
        let stopped = call.ask(a, "control::server::record", json!({"to": call.b_seen, "enabled": false}));
        assert_eq!(stopped.get("filepath"), None, "{id}");
    }
}

#[test]
fn the_sfu_is_listed_as_a_media_terminal_of_its_partition() {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    let a = world.register(1, "a");
    world.hush();
    world.send(a, 2, "client::list", json!({"clientType": "MEDIA"}));
    let listed = world.hear_one(a);
    let ids: Vec<&Value> =
        listed["body"].as_array().unwrap().iter().map(|entry| &entry["clientId"]).collect();
    assert_eq!(ids, ["taoyao-client-media"], "the one that carries its rooms");
    for id in ["taoyao-client-media", "taoyao-client-media@cn"] {
        world.send(a, 3, "client::status", json!({"clientId": id}));
        let status = world.hear_one(a);
        assert_eq!(
            (&status["body"]["clientId"], &status["body"]["clientType"]),
            (&json!(id), &json!("MEDIA"))
        );
        world.send(a, 4, "room::create", json!({"name": "n", "mediaClientId": id}));
        assert_eq!(world.hear_one(a)["body"]["mediaClientId"], "taoyao-client-media");
    }
    world.send(a, 5, "client::list", json!({}));
    assert_eq!(world.hear_one(a)["body"].as_array().unwrap().len(), 2);
    world.pass(Duration::from_secs(10));
    world.hears_nothing(a);
}
