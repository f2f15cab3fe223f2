//! Reference sections 4.7 and 7: peer-to-peer sessions, at one node and across two alike.

use std::time::Duration;

use serde_json::json;
use taoyao_signal::{MeshEvent, Output};
use taoyao_types::{AccountLimits, NodeName, limits};
use taoyao_wire::link::{Failure, Message, Payload, Reply};

use crate::world::{Line, World, error, is_server_id, signals};

/// Two terminals, `a` and `b`, and how each is shown the other.
struct Pair {
    world: World,
    a: Line,
    b: Line,
    b_for_a: &'static str,
    a_for_b: &'static str,
}

fn pairs() -> [Pair; 2] {
    let mut near = World::new(&["cn"]);
    let (a, b) = (near.register(0, "a"), near.register(0, "b"));
    near.hush();
    let mut far = World::new(&["cn", "cn/east"]);
    let (far_a, far_b) = (far.register(0, "a"), far.register(1, "b"));
    far.hush();
    [
        Pair { world: near, a, b, b_for_a: "b", a_for_b: "a" },
        Pair { world: far, a: far_a, b: far_b, b_for_a: "b@east.cn", a_for_b: "a@cn" },
    ]
}

impl Pair {
    fn call(&mut self) -> String {
        self.world.send(self.a, 41, "session::call", json!({"clientId": self.b_for_a}));
        let answer = self.world.hear_one(self.a);
        self.world.hear_one(self.b);
        answer["body"]["sessionId"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_call_tells_both_ends_about_each_other() {
    for mut pair in pairs() {
        let Pair { world, a, b, b_for_a, a_for_b } = &mut pair;
        world.send(*a, 41, "session::call", json!({"clientId": b_for_a, "video": false}));
        let answer = world.hear_one(*a);
        let session = answer["body"]["sessionId"].as_str().unwrap();
        assert_eq!(session.len(), 36);
        let expected = json!({
            "code": "0000", "message": "成功", "header": {"v": "1.0.0", "id": 41, "signal": "session::call"},
            "body": {"name": "Name of b", "clientId": b_for_a, "sessionId": session},
        });
        assert_eq!(answer, expected);
        let invitation = world.hear_one(*b);
        assert!(is_server_id(&invitation), "the caller's id never reaches the called terminal");
        let expected = json!({
            "name": "Name of a", "clientId": a_for_b, "sessionId": session, "audio": true, "video": false,
        });
        assert_eq!(
            (&invitation["header"]["signal"], &invitation["body"]),
            (&json!("session::call"), &expected)
        );
    }
}

#[test]
fn without_names_the_ids_stand_for_them() {
    let mut world = World::new(&["cn", "cn/east"]);
    let lines = [0, 1].map(|node| {
        let line = world.connect(node);
        world.send(line, 1, "client::register", json!({"clientId": "x", "clientType": "CAMERA"}));
        line
    });
    world.hush();
    world.send(lines[0], 2, "session::call", json!({"clientId": "x@east.cn"}));
    assert_eq!(world.hear_one(lines[0])["body"]["name"], "x@east.cn");
    assert_eq!(world.hear_one(lines[1])["body"]["name"], "x@cn");
}

#[test]
fn offers_answers_candidates_pause_and_resume_go_to_the_other_end_as_they_are() {
    for mut pair in pairs() {
        let session = pair.call();
        let Pair { world, a, b, .. } = &mut pair;
        for (from, to, signal, body) in [
            (
                *b,
                *a,
                "session::exchange",
                json!({"sessionId": session, "type": "offer", "sdp": "v=0\r\n\"null\""}),
            ),
            (*a, *b, "session::exchange", json!({"sessionId": session, "type": "answer", "sdp": "v=0"})),
            (
                *a,
                *b,
                "session::exchange",
                json!({"sessionId": session, "type": "candidate", "candidate": {"sdpMLineIndex": 0}}),
            ),
            (*b, *a, "session::pause", json!({"sessionId": session, "type": "video"})),
            (*b, *a, "session::resume", json!({"sessionId": session, "type": "video"})),
        ] {
            world.send(from, 7, signal, body.clone());
            world.hears_nothing(from);
            let message = world.hear_one(to);
            assert!(is_server_id(&message));
            assert_eq!((&message["header"]["signal"], &message["body"]), (&json!(signal), &body));
            assert_eq!((&message["code"], &message["message"]), (&json!("0000"), &json!("成功")));
        }
        world.send(
            *a,
            8,
            "session::exchange",
            json!({"sessionId": session, "type": "candidate", "candidate": null}),
        );
        assert_eq!(world.hear_one(*b)["body"], json!({"sessionId": session, "type": "candidate"}));
    }
}

#[test]
fn close_is_told_to_both_ends_under_new_ids_and_ends_the_session() {
    for mut pair in pairs() {
        for closer in [0, 1] {
            let session = pair.call();
            let Pair { world, a, b, .. } = &mut pair;
            let from = [*a, *b][closer];
            world.send(from, 9, "session::close", json!({"sessionId": session}));
            for line in [*a, *b] {
                let closed = world.hear_one(line);
                assert!(is_server_id(&closed));
                assert_eq!(
                    (&closed["header"]["signal"], &closed["body"]),
                    (&json!("session::close"), &json!({"sessionId": session}))
                );
            }
            world.send(from, 10, "session::exchange", json!({"sessionId": session}));
            assert_eq!(error(&world.hear_one(from)), ("9999", format!("无效会话：{session}").as_str(), 10));
            assert!(world.nodes.iter().all(|node| node.sessions().count() == 0));
        }
    }
}

#[test]
fn a_terminal_that_disconnects_ends_its_sessions() {
    for mut pair in pairs() {
        let sessions = [pair.call(), pair.call()];
        let Pair { world, a, b, .. } = &mut pair;
        world.hang_up(*b);
        let heard = world.hear(*a);
        let mut closed: Vec<&str> = heard
            .iter()
            .filter(|message| message["header"]["signal"] == "session::close")
            .map(|message| message["body"]["sessionId"].as_str().unwrap())
            .collect();
        closed.sort_unstable();
        let mut expected = sessions.each_ref().map(String::as_str);
        expected.sort_unstable();
        assert_eq!(closed, expected);
        assert_eq!(world.nodes[0].stats().session_ends, 0);
    }
}

#[test]
fn an_unknown_target_is_named_so() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a");
    for body in
        [json!({"clientId": "x"}), json!({"clientId": "x@east.cn"}), json!({"clientId": "@"}), json!({})]
    {
        world.send(a, 3, "session::call", body);
        assert_eq!(error(&world.hear_one(a)), ("3404", "邀请对象无效", 3));
    }
    assert_eq!(world.nodes[0].stats().session_ends, 0);
}

#[test]
fn only_the_two_ends_may_speak() {
    let [mut pair, _] = pairs();
    let session = pair.call();
    let Pair { world, b, .. } = &mut pair;
    let stranger = world.register(0, "stranger");
    world.hush();
    world.send(stranger, 3, "session::close", json!({"sessionId": session}));
    assert_eq!(error(&world.hear_one(stranger)), ("9999", "终端没有会话权限：stranger", 3));
    for (body, id) in [(json!({"sessionId": "none"}), "none"), (json!({}), "null")] {
        world.send(stranger, 4, "session::pause", body);
        assert_eq!(error(&world.hear_one(stranger)), ("9999", format!("无效会话：{id}").as_str(), 4));
    }
    world.hears_nothing(*b);
}

#[test]
fn a_session_whose_other_end_is_gone_is_over() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a");
    let b = world.register(1, "b");
    world.send(a, 2, "session::call", json!({"clientId": "b@east.cn"}));
    let session = world.hear(a).pop().unwrap()["body"]["sessionId"].clone();
    // The other node has started anew and knows nothing any more, though the name is back.
    world.nodes[1] = World::new(&["cn", "cn/east"]).nodes.remove(1);
    world.register(1, "b");
    world.hush();
    world.send(a, 5, "session::exchange", json!({"sessionId": session, "type": "offer"}));
    let heard = world.hear(a);
    assert_eq!(error(&heard[0]), ("9999", format!("无效会话：{}", session.as_str().unwrap()).as_str(), 5));
    assert_eq!(
        (&heard[1]["header"]["signal"], &heard[1]["body"]),
        (&json!("session::close"), &json!({"sessionId": session}))
    );
    world.hears_nothing(b);
}

#[test]
fn failures_of_the_mesh_are_named_and_leave_a_running_session_alone() {
    let node: NodeName = "cn/east".parse().unwrap();
    for (failure, code, text) in [
        (
            Failure::Unreachable { node: node.clone(), reason: "link down".into() },
            "3502",
            "服务无效：unreachable at cn/east: link down",
        ),
        (Failure::Deadline, "2001", "终端没有响应"),
        (Failure::Busy { node: node.clone() }, "3503", "服务正在维护：busy at cn/east"),
        (Failure::Denied { rule: "r".into() }, "3403", "请求拒绝：denied by rule r"),
    ] {
        let [_, mut pair] = pairs();
        let session = pair.call();
        let Pair { world, a, .. } = &mut pair;
        world.lose_replies = Some(failure);
        world.send(*a, 6, "session::pause", json!({"sessionId": session}));
        assert_eq!(error(&world.hear_one(*a)), (code, text, 6));
        assert_eq!(world.nodes[0].stats().session_ends, 1);
    }
}

#[test]
fn a_call_that_may_have_arrived_is_taken_back() {
    let [_, mut pair] = pairs();
    let Pair { world, a, b, b_for_a, .. } = &mut pair;
    world.lose_replies = Some(Failure::Deadline);
    world.send(*a, 6, "session::call", json!({"clientId": b_for_a}));
    assert_eq!(error(&world.hear_one(*a)), ("2001", "终端没有响应", 6));
    assert_eq!(signals(&world.hear(*b)), ["session::call", "session::close"]);
    assert!(world.nodes.iter().all(|node| node.stats().session_ends == 0));
}

#[test]
fn an_offer_that_overtakes_the_answer_to_the_call_waits_for_it() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.hush();
    // The mesh of this world is quick; the call is taken out of its hands.
    let text = r#"{"header":{"v":"1","id":5,"signal":"session::call"},"body":{"clientId":"b@east.cn"}}"#;
    world.nodes[0].handle_text(world.now, a.1, text);
    let asked = std::iter::from_fn(|| world.nodes[0].poll_output()).find_map(|output| match output {
        Output::Ask { ask, payload: Payload::Call { session, .. }, .. } => Some((ask, session)),
        _ => None,
    });
    let (ask, session) = asked.unwrap();
    let message = |signal: &str| Message {
        signal: signal.into(),
        v: "1".into(),
        code: "0000".into(),
        text: "成功".into(),
        body: Some(r#"{"type":"offer"}"#.into()),
    };
    let payload = |signal: &str| Payload::Session {
        from: "b@east.cn".parse().unwrap(),
        session: session.clone(),
        message: message(signal),
    };
    for signal in ["session::exchange", "session::pause", "session::close"] {
        world.request(0, "a@cn", payload(signal), 1_000);
    }
    world.hears_nothing(a);
    assert!(world.replies().iter().all(|(_, reply)| *reply == Reply::Done), "{:?}", world.replies());
    world.mesh(0, MeshEvent::Reply { ask, reply: Reply::Called { name: None } });
    let heard = world.hear(a);
    assert_eq!(signals(&heard), ["session::call", "session::exchange", "session::pause", "session::close"]);
    assert_eq!(heard[3]["body"], json!({"sessionId": session}));
}

#[test]
fn a_terminal_has_so_many_sessions_and_no_more() {
    let [_, mut pair] = pairs();
    for nth in 0..limits::TERMINAL_SESSIONS_MAX {
        let session = pair.call();
        pair.world.send(pair.b, nth as i64, "session::exchange", json!({"sessionId": session}));
        pair.world.hush();
    }
    let Pair { world, a, b, b_for_a, .. } = &mut pair;
    world.send(*a, 6, "session::call", json!({"clientId": b_for_a}));
    assert_eq!(error(&world.hear_one(*a)).0, "3503");
    let third = world.register(0, "third");
    world.hush();
    world.send(third, 6, "session::call", json!({"clientId": b_for_a}));
    assert_eq!(error(&world.hear_one(third)).0, "3503");
    world.hears_nothing(*b);
}

#[test]
fn a_terminal_may_call_itself() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.hush();
    world.send(a, 2, "session::call", json!({"clientId": "a"}));
    let heard = world.hear(a);
    assert_eq!(signals(&heard), ["session::call", "session::call"]);
    let session = heard[0]["body"]["sessionId"].clone();
    assert_eq!(heard[1]["body"]["sessionId"], session);
    world.send(a, 3, "session::exchange", json!({"sessionId": session, "n": 1}));
    assert_eq!(world.hear_one(a)["body"]["n"], 1);
    world.send(a, 4, "session::close", json!({"sessionId": session}));
    assert_eq!(signals(&world.hear(a)), ["session::close"]);
    assert_eq!(world.nodes[0].stats().session_ends, 0);
}

/// The ends that rang end by themselves, with a reason, at both ends; answered ones stay.
#[test]
fn a_call_that_nobody_answers_ends_and_both_are_told_why() {
    for mut pair in pairs() {
        let (ringing, answered) = (pair.call(), pair.call());
        let Pair { world, a, b, .. } = &mut pair;
        let say = |session: &str| json!({"sessionId": session, "type": "answer"});
        world.send(*b, 5, "session::exchange", say(&answered));
        // What the caller says answers nothing.
        world.send(*a, 6, "session::exchange", say(&ringing));
        world.hush();
        world.pass(limits::CALL_UNANSWERED_MAX);
        for line in [*a, *b] {
            let told = world.hear_one(line);
            let body = json!({"sessionId": ringing, "reason": "unanswered"});
            assert_eq!((&told["header"]["signal"], &told["body"]), (&json!("session::close"), &body));
        }
        world.send(*b, 7, "session::pause", say(&answered));
        assert_eq!(signals(&world.hear(*a)), ["session::pause"]);
        let expired: u64 = world.nodes.iter().map(|node| node.stats().calls_expired).sum();
        assert_eq!((expired, world.nodes[0].stats().calls_unanswered), (1, 0));
    }
}

#[test]
fn an_account_cannot_keep_a_telephone_engaged() {
    let mut world = World::new(&["cn", "cn/east"]);
    let phone = world.register_as(0, "phone", "ann");
    let mut refused = 0;
    for nth in 0..2 * limits::CALLS_RINGING_PER_ACCOUNT_MAX {
        let line = world.register_as(nth % 2, &format!("t{nth}"), "bob");
        world.hush();
        world.send(line, 1, "session::call", json!({"clientId": "phone@cn"}));
        let heard = world.hear(line);
        let is_refused = signals(&heard).contains(&"platform::error");
        assert_eq!(is_refused, nth >= limits::CALLS_RINGING_PER_ACCOUNT_MAX, "{nth}: {heard:?}");
        if is_refused {
            let text = "服务正在维护：too many calls of this account ring there already";
            assert_eq!(error(&heard[0]), ("3503", text, 1));
            refused += 1;
        }
    }
    assert_eq!(refused, limits::CALLS_RINGING_PER_ACCOUNT_MAX);
    let other = world.register_as(0, "other", "cem");
    world.hush();
    world.send(other, 1, "session::call", json!({"clientId": "phone"}));
    assert_eq!(signals(&world.hear(other)), ["session::call"], "another account gets through");
    world.send(phone, 2, "session::call", json!({"clientId": "other"}));
    assert!(signals(&world.hear(phone)).contains(&"session::call"), "and the telephone may call");
}

#[test]
fn an_account_has_so_many_unanswered_calls_over_all_its_terminals() {
    let shares = AccountLimits { calls_unanswered: 3, ..Default::default() };
    let mut world = World::with_shares(&["cn"], shares);
    let phones: Vec<Line> = (0..4).map(|n| world.register_as(0, &format!("phone{n}"), "ann")).collect();
    let bobs: Vec<Line> = (0..4).map(|n| world.register_as(0, &format!("bob{n}"), "bob")).collect();
    world.hush();
    for (nth, line) in bobs.iter().enumerate() {
        world.send(*line, 1, "session::call", json!({"clientId": format!("phone{nth}")}));
    }
    let text = "服务正在维护：this account has its whole share of 3 unanswered calls at this node";
    assert_eq!(error(&world.hear_one(bobs[3])), ("3503", text, 1));
    assert_eq!(world.nodes[0].stats().shares_exhausted, 1);
    let session = world.hear_one(phones[0])["body"]["sessionId"].clone();
    world.send(phones[0], 2, "session::exchange", json!({"sessionId": session, "type": "answer"}));
    world.send(bobs[3], 3, "session::call", json!({"clientId": "phone3"}));
    assert_eq!(signals(&world.hear(bobs[3])), ["session::call"], "an answered call gives its place back");
    world.pass(limits::CALL_UNANSWERED_MAX + Duration::from_secs(1));
    assert_eq!((world.nodes[0].stats().calls_unanswered, world.nodes[0].stats().session_ends), (0, 2));
}
