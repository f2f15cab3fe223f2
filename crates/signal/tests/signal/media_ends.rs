//! How media ends, and what the SFU notices (reference 4.4 and 5.7 to 5.10).

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_ortc::Happening;
use taoyao_types::limits;

use crate::call::Call;
use crate::world::{World, error, signals};

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
