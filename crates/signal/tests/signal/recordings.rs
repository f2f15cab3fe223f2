//! Who may have what recorded, and that everybody hears of each beginning and each end (reference 6.6).

use serde_json::{Value, json};
use taoyao_ortc::{
    Happening, MediaKind, RecordAct, RecordCommand, RecordEnd, RecordSource, Recorded, Refused,
};

use crate::call::Call;
use crate::world::{Line, error, signals};

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
        let RecordAct::Start { sources, is_whole_room: false, charge } = &command.act else {
            panic!("{command:?}")
        };
        let [RecordSource { producer: recorded, kind: MediaKind::Audio, label }] = &sources[..] else {
            panic!("{command:?}")
        };
        assert_eq!(recorded.to_string(), producer);
        assert!(label.contains(&command.member) && label.ends_with(" audio"), "{label}");
        assert!(charge.partition == "cn" && charge.holder.contains('/'), "{charge:?}");
        call.world.recorded(0, begun(&command));
        let heard = call.world.hear(a);
        assert_eq!(signals(&heard), ["control::server::record", "room::status"]);
        assert_eq!(signals(&call.world.hear(b)), ["room::status"]);
        let expected =
            json!({"roomId": call.room, "enabled": true, "filepath": "/v/1.webm", "clientId": "a"});
        assert_eq!((&heard[0]["header"]["id"], &heard[0]["body"]), (&json!(id), &expected));
        assert!(shows_recorded(&mut call, b));
        let again = call.ask(a, "control::server::record", json!({"to": call.b_seen}));
        assert_eq!(again["filepath"], "/v/1.webm");
    }
}

/// How a recording of `b` ends: what happens, why it is over, and whether `b` is in the room then.
type Way = (&'static str, fn(&mut Call, &RecordCommand), RecordEnd, bool);

const WAYS: [Way; 11] = [
    ("its owner stops it", |call, _| stop(call), RecordEnd::Stopped, true),
    ("it leaves", |call, _| leave(call), RecordEnd::Left, false),
    ("it is expelled", |call, _| expel(call), RecordEnd::Left, false),
    ("it is lost", |call, _| call.world.hang_up(call.b), RecordEnd::Left, false),
    ("the room is closed", |call, _| close(call), RecordEnd::RoomClosed, false),
    ("the media is lost", |call, _| lose(call), RecordEnd::MediaLost, true),
    ("the disk is full", |call, of| end(call, of, RecordEnd::DiskFull), RecordEnd::DiskFull, true),
    ("the disk fails", |call, of| end(call, of, RecordEnd::DiskFault), RecordEnd::DiskFault, true),
    ("its quota ends", |call, of| end(call, of, RecordEnd::QuotaUsedUp), RecordEnd::QuotaUsedUp, true),
    ("its thread dies", |call, of| end(call, of, RecordEnd::RecorderFailed), RecordEnd::RecorderFailed, true),
    ("it is too long", |call, of| end(call, of, RecordEnd::TooLong), RecordEnd::TooLong, true),
];

#[test]
fn every_end_of_a_recording_is_told_with_its_reason_and_leaves_no_sign_of_it() {
    for across in [false, true] {
        for (what, happen, why, stays) in WAYS {
            let (mut call, start) = recorded(across);
            let (a, b) = (call.a, call.b);
            happen(&mut call, &start);
            let pushes = told(call.world.hear(a));
            let state = if why.is_failure() { "failed" } else { "ended" };
            let expected = json!({"clientId": call.b_seen, "state": state, "reason": why.name()});
            let ended: Vec<&Value> = pushes.iter().map(|body| &body["recorded"]).collect();
            assert_eq!(ended, [&expected], "{what}, across: {across}");
            assert_eq!(pushes[0]["recording"], false, "{what}");
            if why != RecordEnd::Left || !matches!(what, "it is lost") {
                assert!(!shows_recorded(&mut call, b), "{what}, across: {across}");
            }
            if stays {
                assert_eq!(call.ask(b, "room::status", json!({}))["recording"], false, "{what}");
            }
        }
    }
}

#[test]
fn a_producer_that_is_closed_ends_no_recording() {
    let (mut call, start) = recorded(true);
    let (a, b) = (call.a, call.b);
    let RecordAct::Start { sources, .. } = &start.act else { panic!("{start:?}") };
    call.say(b, "media::producer::close", json!({"producerId": sources[0].producer.to_string()}));
    assert!(told(call.world.hear(a)).is_empty() && call.world.recorder.is_empty());
    assert!(shows_recorded(&mut call, b));
}

#[test]
fn the_late_end_of_one_recording_is_not_that_of_the_next() {
    let (mut call, first) = recorded(true);
    stop(&mut call);
    call.world.recorder.clear();
    call.say(call.a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
    let second = call.world.recorder.pop().unwrap();
    call.world.recorded(0, begun(&second));
    call.world.hush();
    end(&mut call, &first, RecordEnd::DiskFault);
    call.world.hears_nothing(call.a);
    let b = call.b;
    assert!(shows_recorded(&mut call, b));
    end(&mut call, &second, RecordEnd::DiskFault);
    assert_eq!(told(call.world.hear(call.a)).len(), 1);
}

#[test]
fn who_comes_back_while_its_recording_is_being_started_is_not_recorded_by_that() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b) = (call.a, call.b);
        let transport = call.transport(b, false);
        call.produce(b, &transport, "audio");
        call.say(a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
        let start = call.world.recorder.pop().unwrap();
        call.say(b, "room::leave", json!({}));
        assert_eq!(call.world.recorder.pop().unwrap().act, RecordAct::Stop { end: RecordEnd::Left });
        call.enter(b, json!({}));
        call.world.hush();
        call.world.recorded(0, begun(&start));
        assert!(told(call.world.hear(a)).is_empty(), "across: {across}");
        assert!(!shows_recorded(&mut call, b));
        assert_eq!(call.ask(b, "room::status", json!({}))["recording"], false);
    }
}

#[test]
fn one_that_does_not_begin_is_refused_with_the_reason_and_told_to_nobody_else() {
    let (mut call, ..) = Call::running(true);
    let transport = call.transport(call.b, false);
    call.produce(call.b, &transport, "audio");
    let id = call.say(call.a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
    let start = call.world.recorder.pop().unwrap();
    let why = "the disk has no room; delete some".to_owned();
    let refused = Recorded { result: Err(Refused::Full(why)), ..begun(&start) };
    call.world.recorded(0, refused);
    let heard = call.world.hear_one(call.a);
    assert_eq!(error(&heard), ("3503", "服务正在维护：the disk has no room; delete some", id));
    assert!(told(call.world.hear(call.b)).is_empty());
}

#[test]
fn what_a_recorded_member_begins_to_send_is_recorded_too() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b) = (call.a, call.b);
        let transport = call.transport(b, false);
        call.produce(b, &transport, "audio");
        call.say(b, "control::server::record", json!({"to": "b", "enabled": true}));
        let start = call.world.recorder.pop().unwrap();
        // Before the recorder has said that it has begun, and after.
        let added = |call: &mut Call| {
            let producer = call.produce(b, &transport, "video");
            let command = call.world.recorder.pop().unwrap();
            assert_eq!(added_by(&command), producer);
            assert_eq!((command.number, &command.room, &command.member), (0, &start.room, &start.member));
        };
        added(&mut call);
        call.world.recorded(0, begun(&start));
        call.world.hush();
        added(&mut call);
        call.world.hush();
        let own = call.transport(a, false);
        call.produce(a, &own, "video");
        assert!(call.world.recorder.is_empty(), "nobody records a");
    }
}

#[test]
fn a_whole_room_is_recorded_with_all_who_send_and_all_who_come_later() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b, room) = (call.a, call.b, call.room.clone());
        let wish = json!({"to": "taoyao-client-media", "enabled": true});
        let id = call.say(b, "control::server::record", wish.clone());
        assert_eq!(error(&call.world.hear_one(b)), ("3403", "请求拒绝：denied by rule owner", id));
        call.say(a, "control::server::record", wish.clone());
        let start = call.world.recorder.pop().unwrap();
        assert_eq!(start.member, "taoyao-client-media@cn");
        let RecordAct::Start { sources, is_whole_room: true, .. } = &start.act else { panic!("{start:?}") };
        assert_eq!(sources.len(), 1, "the sound of a");
        call.world.recorded(0, begun(&start));
        for line in [a, b] {
            assert_eq!(told(call.world.hear(line))[0]["recorded"]["state"], "recording");
        }
        assert!(shows_recorded(&mut call, a) && shows_recorded(&mut call, b), "across: {across}");
        let c = call.world.register(usize::from(across), "c");
        call.world.hush();
        call.world.send(c, 7, "room::enter", json!({"roomId": room}));
        assert_eq!(told(call.world.hear(c))[0]["recording"], true, "who comes later is told, too");
        assert!(shows_recorded(&mut call, c));
        call.world.hush();
        let transport = call.transport(c, false);
        let producer = call.produce(c, &transport, "video");
        let command = call.world.recorder.pop().unwrap();
        assert_eq!((added_by(&command), command.member), (producer, start.member.clone()));
        call.say(c, "room::leave", json!({}));
        assert!(call.world.recorder.is_empty(), "others go on");
        assert!(!shows_recorded(&mut call, c));
        call.say(a, "control::server::record", json!({"to": "taoyao-client-media", "enabled": false}));
        assert_eq!(call.world.recorder.pop().unwrap().act, RecordAct::Stop { end: RecordEnd::Stopped });
        assert_eq!(told(call.world.hear(b))[0]["recorded"]["reason"], "stopped");
        assert!(!shows_recorded(&mut call, b));
    }
}

#[test]
fn all_members_are_told_when_the_room_begins_and_ceases_to_be_recorded() {
    for across in [false, true] {
        let (mut call, ..) = Call::running(across);
        let (a, b, room) = (call.a, call.b, call.room.clone());
        call.say(a, "control::server::record", json!({"to": "a", "enabled": true}));
        let start = call.world.recorder.pop().unwrap();
        assert_eq!(call.ask(b, "room::status", json!({}))["recording"], false, "not yet");
        call.world.recorded(0, begun(&start));
        let state = |is_on: bool, size: usize| {
            json!({
                "roomId": room, "name": "n", "clientSize": size, "mediaClientId": "taoyao-client-media",
                "recording": is_on,
            })
        };
        for (line, seen) in [(a, "a"), (b, call.a_seen)] {
            let mut expected = state(true, 2);
            expected["recorded"] = json!({"clientId": seen, "state": "recording"});
            assert_eq!(told(call.world.hear(line)), [expected], "across: {across}");
        }
        assert_eq!(call.ask(b, "room::status", json!({}))["recording"], true);
        let c = call.world.register(0, "c");
        call.world.hush();
        call.world.send(c, 7, "room::enter", json!({"roomId": room}));
        assert_eq!(told(call.world.hear(c)), [state(true, 3)], "who comes later is told, too");
        call.world.hush();
        end(&mut call, &start, RecordEnd::TooLong);
        for line in [a, b, c] {
            assert_eq!(told(call.world.hear(line)).len(), 1);
        }
        end(&mut call, &start, RecordEnd::TooLong);
        call.world.hears_nothing(b);
    }
}

/// A room whose `b` is being recorded, and the command that began it.
fn recorded(across: bool) -> (Call, RecordCommand) {
    let (mut call, ..) = Call::running(across);
    let transport = call.transport(call.b, false);
    call.produce(call.b, &transport, "audio");
    call.say(call.a, "control::server::record", json!({"to": call.b_seen, "enabled": true}));
    let start = call.world.recorder.pop().unwrap();
    call.world.recorded(0, begun(&start));
    call.world.hush();
    let b = call.b;
    assert!(shows_recorded(&mut call, b));
    (call, start)
}

fn stop(call: &mut Call) {
    call.say(call.a, "control::server::record", json!({"to": call.b_seen, "enabled": false}));
}

fn leave(call: &mut Call) {
    call.say(call.b, "room::leave", json!({}));
}

/// Who is told to go goes.
fn expel(call: &mut Call) {
    call.say(call.a, "room::expel", json!({"clientId": call.b_seen}));
    assert!(signals(&call.world.hear(call.b)).contains(&"room::expel"));
    leave(call);
}

fn close(call: &mut Call) {
    call.say(call.a, "room::close", json!({}));
}

fn lose(call: &mut Call) {
    let room = call.room.clone();
    call.world.happen(0, &room, Happening::RoomLost);
}

fn end(call: &mut Call, start: &RecordCommand, end: RecordEnd) {
    call.world.recorded(0, Recorded { number: 0, end: Some(end), ..begun(start) });
}

fn begun(start: &RecordCommand) -> Recorded {
    let (room, member, number) = (start.room.clone(), start.member.clone(), start.number);
    Recorded { room, member, number, recording: number, result: Ok(Some("/v/1.webm".to_owned())), end: None }
}

/// The producer that a command adds.
fn added_by(command: &RecordCommand) -> String {
    let RecordAct::Add { sources } = &command.act else { panic!("{command:?}") };
    assert_eq!(sources.len(), 1);
    sources[0].producer.to_string()
}

/// The bodies of `room::status` among what was heard.
fn told(heard: Vec<Value>) -> Vec<Value> {
    let states = heard.into_iter().filter(|one| one["header"]["signal"] == "room::status");
    states.map(|mut state| state["body"].take()).collect()
}

fn shows_recorded(call: &mut Call, line: Line) -> bool {
    call.world.hush();
    call.world.send(line, 9_999, "client::status", json!({}));
    call.world.hear_one(line)["body"]["serverRecording"] == true
}
