//! `media::*`: what members send, who receives it and when it runs, at one node and across two (reference 4.3 and 5).

use std::time::Duration;

use serde_json::json;
use taoyao_auth::{Account, AllowList};
use taoyao_ortc::Act;
use taoyao_types::Role;

use crate::call::{Call, sound};
use crate::world::{error, is_server_id, signals};

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
        let id = call.say(a, "media::ice::restart", json!({"transportId": transport}));
        assert_eq!(error(&call.world.hear_one(a)).0, "3403", "{id}: nor gets another's password");
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
fn the_rooms_owner_may_record_where_there_is_a_recorder() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b) = (call.a, call.b);
        assert_eq!(call.ask(a, "room::status", json!({}))["mayRecord"], true, "across: {across}");
        assert_eq!(call.ask(b, "room::status", json!({}))["mayRecord"], false, "across: {across}");
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
fn operators_are_shown_what_each_member_has() {
    let (call, producer, consumer) = Call::running(false);
    let node = &call.world.nodes[0];
    let (room, members) = node.room(&call.room).unwrap();
    assert!(node.rooms().eq([room.clone()]));
    assert_eq!(
        members.iter().map(|member| &member.name).collect::<Vec<_>>(),
        room.members.iter().collect::<Vec<_>>()
    );
    let ids =
        |of: fn(&taoyao_signal::MemberView) -> Vec<String>| members.iter().flat_map(of).collect::<Vec<_>>();
    assert_eq!(ids(|member| member.producers.iter().map(ToString::to_string).collect()), [producer]);
    assert_eq!(ids(|member| member.consumers.iter().map(ToString::to_string).collect()), [consumer]);
    assert_eq!(ids(|member| member.transports.iter().map(ToString::to_string).collect()).len(), 2);
    assert_eq!(node.room("elsewhere"), None);
}
