//! Golden vectors: what goes in and what comes out, as JSON files that other implementations can use as well.

use serde_json::Value;
use taoyao_types::Wall;
use taoyao_wire::terminal::{
    ClientState, ClientType, Code, Fields, IceConfig, Incoming, MediaConfig, Outgoing, Readings, ServerIds,
    UtcOffset, config, nulls, state,
};

/// The cases of a file, each with what it is about.
fn cases(file: &str) -> Vec<Value> {
    serde_json::from_str(file).unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {case}"))
}

#[test]
fn messages_are_read() {
    for case in cases(include_str!("../vectors/incoming.json")) {
        let message = Incoming::decode(text(&case, "text")).unwrap();
        let read = &case["read"];
        assert_eq!(message.v, text(read, "v"), "{}", case["about"]);
        assert_eq!(Some(message.id), read["id"].as_i64(), "{}", case["about"]);
        assert_eq!(message.signal, text(read, "signal"), "{}", case["about"]);
        assert_eq!(message.code, text(read, "code"), "{}", case["about"]);
        assert_eq!(message.text, text(read, "message"), "{}", case["about"]);
        let body = message.body.map(|body| serde_json::from_str::<Value>(body.get()).unwrap());
        assert_eq!(body.as_ref(), read.get("body"), "{}", case["about"]);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for case in cases(include_str!("../vectors/rejected.json")) {
        let reject = Incoming::decode(text(&case, "text")).unwrap_err();
        assert_eq!(reject.code.as_str(), text(&case, "code"), "{}", case["about"]);
        assert_eq!(reject.text, text(&case, "message"), "{}", case["about"]);
        assert_eq!(reject.id, case["id"].as_i64(), "{}", case["about"]);
    }
}

#[test]
fn messages_are_written_byte_for_byte() {
    for case in cases(include_str!("../vectors/outgoing.json")) {
        let message = Outgoing {
            code: text(&case, "code"),
            text: text(&case, "message"),
            v: text(&case, "v"),
            id: case["id"].as_i64().unwrap(),
            signal: text(&case, "signal"),
            body: case["body"].as_str(),
        };
        assert_eq!(message.encode(), text(&case, "text"), "{}", case["about"]);
    }
}

#[test]
fn bodies_travel_on_without_null_entries() {
    for case in cases(include_str!("../vectors/relayed.json")) {
        let relayed = nulls::without_nulls(text(&case, "body"));
        assert_eq!(relayed, text(&case, "relayed"), "{}", case["about"]);
    }
}

#[test]
fn codes_have_their_texts() {
    let cases = cases(include_str!("../vectors/codes.json"));
    assert_eq!(cases.len(), Code::ALL.len());
    for (case, code) in cases.iter().zip(Code::ALL) {
        assert_eq!((code.as_str(), code.text()), (text(case, "code"), text(case, "message")));
    }
}

#[test]
fn ids_have_their_layout() {
    for case in cases(include_str!("../vectors/ids.json")) {
        let number = |name: &str| case[name].as_i64().unwrap();
        let offset = UtcOffset::from_seconds(number("utcOffsetSeconds") as i32);
        let mut ids = ServerIds::new(number("serverIndex") as u8, offset);
        assert_eq!(ids.next(Wall(number("unixMs") as u64)), number("id"), "{}", case["about"]);
    }
}

#[test]
fn the_configuration_is_complete() {
    let expected: Value = serde_json::from_str(include_str!("../vectors/config.json")).unwrap();
    let wall = Wall(1_685_620_800_000);
    let (media, ice) = (MediaConfig::default(), IceConfig::default());
    let body = config::body(ClientType::Web, &media, &ice, wall, UtcOffset::default());
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

#[test]
fn a_state_has_the_reported_fields() {
    let case: Value = serde_json::from_str(include_str!("../vectors/state.json")).unwrap();
    let mut state = ClientState {
        ip: "192.168.1.50".into(),
        name: Some("Gate".into()),
        client_type: ClientType::Mobile,
        partition: "sh.east.cn".parse().unwrap(),
        node: "cn/east/sh".parse().unwrap(),
        readings: Readings::default(),
        server_recording: None,
        last_heartbeat: "2023-06-01 12:00:00".into(),
    };
    let reported = case["reported"].to_string();
    let reported: Fields<'_> = serde_json::from_str(&reported).unwrap();
    state.merge(Readings::of(&reported));
    let shown = state::shown(&state.to_json(), "gate@sh.east.cn", true).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), case["shown"]);
}
