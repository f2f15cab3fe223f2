//! Policy is asked of everything that the tables say it is asked of: where it begins, and again where it ends, for the node
//! that sends it may lie.

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList, Policy};
use taoyao_signal::{Audit, MeshEvent};
use taoyao_types::{
    AccountTag, ConnId, PartitionId, PolicyRule, Role, SCOPES, Scope, SessionEpoch, TerminalName, Verdict,
};
use taoyao_wire::link::{
    AlarmReport, Failure, ListQuery, Message, Payload, PresenceNews, Receiving, Reply, RoomAct, RoomCheck,
    RoomEvent, RoomNews, RoomRequest,
};
use taoyao_wire::signals::{SIGNALS, Sender, Signal};

use crate::world::{EVERYTHING, Line, World, key};

const NODES: [&str; 3] = ["cn", "cn/east", "cn/north"];
/// The one who may not, at node 1, and the one at node 2 whom it may not.
const FROM: &str = "b@east.cn";
const TO: &str = "v@north.cn";

#[test]
fn what_policy_denies_is_refused_and_audited_where_it_begins() {
    let (mut world, here, there, room) = apart(&SCOPES);
    let guest = operator(&mut world, 1);
    for row in SIGNALS.iter().filter(|row| row.asks.scope().is_some()) {
        let line = match row.signal {
            // Within the own partition, which nobody is denied.
            Signal::ClientBroadcast => continue,
            // No one of `north` is asked for; what is not shown is not in the list.
            Signal::RoomList => {
                world.send(here, 7, row.name, json!({}));
                assert_eq!(world.hear_one(here)["body"], json!([]));
                continue;
            }
            // Told by nodes: see the presence of a partition below.
            Signal::ClientOnline | Signal::ClientOffline => continue,
            _ if row.sender == Sender::Node => guest,
            _ => here,
        };
        world.audits.clear();
        world.send(line, 7, row.name, naming_everything(&room));
        let told = world.hear_one(line);
        assert_eq!(
            (&told["code"], &told["header"]["id"]),
            (&json!("3403"), &json!(7)),
            "{}: {told}",
            row.name
        );
        assert_eq!(denials(&world.audits), [(row.name, "apart")]);
        world.hears_nothing(there);
    }
}

#[test]
fn what_policy_denies_is_refused_and_audited_where_it_ends() {
    let (mut world, _, there, room) = apart(&SCOPES);
    let payloads: Vec<Payload> = everything_for(&room);
    for row in SIGNALS.iter().filter(|row| row.name.starts_with("control::")) {
        if row.asks.scope() == Some(Scope::Control) {
            refused_at_the_end(&mut world, there, &message(row.name));
        }
    }
    let mut asked = 0;
    for payload in &payloads {
        if payload.asks().is_some_and(|asks| asks.scope().is_some()) && !is_the_routers(payload) {
            refused_at_the_end(&mut world, there, payload);
            asked += 1;
        }
    }
    assert_eq!(asked, 17, "all that a terminal may be behind");
}

fn refused_at_the_end(world: &mut World, there: Line, payload: &Payload) {
    world.audits.clear();
    world.hush();
    let refused = world.nodes[2].stats().mesh_refused;
    let is_event = match arrive(world, payload) {
        Arrival::Answered => false,
        Arrival::Unanswered => true,
    };
    let denied = Reply::Failed(Failure::Denied { rule: "apart".into() });
    let replies: Vec<Reply> = world.replies().into_iter().map(|(_, reply)| reply).collect();
    let expected: Vec<Reply> = if is_event { Vec::new() } else { vec![denied] };
    assert_eq!(replies, expected, "{payload:?}");
    let signal = payload.signal().unwrap().name();
    assert_eq!(denials(&world.audits), [(signal, "apart")], "{payload:?}");
    assert_eq!(world.nodes[2].stats().mesh_refused, refused + 1);
    world.hears_nothing(there);
}

/// The same with everything allowed gets through, so that it is policy that stops it.
#[test]
fn what_policy_allows_gets_through_the_same_way() {
    let (mut world, _, there, room) = apart(&[]);
    for payload in everything_for(&room) {
        if is_the_routers(&payload) || payload.asks().is_none_or(|asks| asks.scope().is_none()) {
            continue;
        }
        world.audits.clear();
        arrive(&mut world, &payload);
        assert_eq!(
            denials(&world.audits).iter().filter(|(_, rule)| *rule == "apart").count(),
            0,
            "{payload:?}"
        );
    }
    assert!(world.hear(there).len() >= 5);
}

#[test]
fn recording_takes_the_scope_record_towards_who_is_recorded() {
    let rule = rule(&[Scope::Record]);
    let mut world = World::with_policy(&NODES, Policy::new(EVERYTHING.to_vec(), vec![rule]), true);
    let (owner, member) = (world.register(1, "b"), world.register(2, "v"));
    let room = create(&mut world, owner);
    for line in [owner, member] {
        world.send(line, 5, "room::enter", json!({"roomId": room}));
        world.hear(line);
    }
    world.send(owner, 6, "control::server::record", json!({"roomId": room, "to": TO, "enabled": true}));
    let told = world.hear(owner);
    assert_eq!(told.last().unwrap()["code"], "3403", "{told:?}");
    assert_eq!(denials(&world.audits), [("control::server::record", "apart")]);

    let record = |client: &str| {
        in_room(FROM, &room, RoomAct::Record { client: client.parse().unwrap(), enabled: true })
    };
    world.audits.clear();
    world.node_request(1, 0, record(TO));
    let denied = Reply::Failed(Failure::Denied { rule: "apart".into() });
    assert_eq!(world.replies().last().unwrap().1, denied, "its own node may lie, and this one is the room's");
    assert_eq!(denials(&world.audits), [("control::server::record", "apart")]);
    assert!(world.recorder.is_empty());

    world.node_request(1, 0, record(FROM));
    assert_ne!(world.replies().last().unwrap().1, denied, "oneself");
}

#[test]
fn nobody_is_told_of_a_partition_whose_presence_is_not_shown() {
    let (mut world, here, _, _) = apart(&[Scope::Presence]);
    world.send(here, 5, "client::list", json!({}));
    world.hush();
    let late = world.register(2, "late");
    world.hang_up(late);
    world.pass(std::time::Duration::from_secs(5));
    world.hears_nothing(here);
}

#[test]
fn nothing_but_its_own_signal_is_carried_in_another_things_name() {
    let mut world = World::new(&NODES);
    let (here, there) = (world.register(1, "b"), world.register(2, "v"));
    let room = create(&mut world, there);
    for line in [here, there] {
        world.send(line, 5, "room::enter", json!({"roomId": room}));
    }
    world.hush();
    let order = |signal: &str| Message { signal: signal.into(), ..words("room::broadcast") };
    for signal in ["client::shutdown", "platform::reboot", "room::close", "control::ptz"] {
        for act in [
            RoomAct::Broadcast { message: order(signal) },
            RoomAct::Expel { client: TO.parse().unwrap(), message: order(signal) },
            RoomAct::Invite { client: TO.parse().unwrap(), message: order(signal) },
        ] {
            world.node_request(2, 1, in_room(FROM, &room, act));
            let denied = Reply::Failed(Failure::Denied { rule: "signal".into() });
            assert_eq!(world.replies().last().unwrap().1, denied);
        }
        let (from, partition) = (FROM.parse().unwrap(), PartitionId::of(&"north.cn".parse().unwrap()));
        let payload = Payload::Broadcast { from, client_type: None, message: order(signal) };
        world.mesh(2, MeshEvent::Broadcast { partition, payload });
        let from = TO.parse().unwrap();
        let event = RoomEvent::Told { from, to: None, message: order(signal) };
        let news = RoomNews { room: room.clone(), feed: 1, seq: 0, event };
        let origin = taoyao_types::NodeId::of(&NODES[2].parse().unwrap());
        world.mesh(1, MeshEvent::NodeEvent { origin, payload: Payload::RoomNews(news) });
        world.hears_nothing(there);
        world.hears_nothing(here);
    }
}

#[test]
fn an_operator_is_believed_of_the_owner_of_its_partition_or_at_home() {
    let mut world = World::new(&NODES);
    let there = world.register(2, "v");
    let close = |from: &str, room: &str| {
        let Payload::Room(mut request) = in_room(from, room, RoomAct::Close) else { unreachable!() };
        request.is_operator = true;
        Payload::Room(request)
    };
    // `cn` owns the partition that `north.cn` lies within; `east` neither owns nor has it.
    for (origin, from, is_believed) in
        [(1, "op@cn", false), (1, "op@east.cn", false), (0, "op@cn", true), (0, "op@north.cn", true)]
    {
        let room = create(&mut world, there);
        world.node_request(2, origin, close(from, &room));
        let reply = world.replies().pop().unwrap().1;
        assert_eq!(!matches!(reply, Reply::Failed(_)), is_believed, "{origin} {from}: {reply:?}");
    }
}

#[test]
fn a_guest_speaks_for_partitions_of_its_node_only() {
    let mut world = World::new(&NODES);
    let roaming = |partitions: &[&str]| {
        let partitions = partitions.iter().map(|name| name.parse().unwrap()).collect();
        Account::new("ops", [Role::Operator], AllowList::default(), partitions)
    };
    for (account, code) in [(roaming(&["north.cn"]), "3403"), (roaming(&["north.cn", "east.cn"]), "0000")] {
        let line = Line(1, ConnId(1 << 63));
        world.nodes[1].handle_guest(world.now, line.1, account);
        world.send(line, 1, "client::list", json!({}));
        assert_eq!(world.hear_one(line)["code"], code);
        world.hang_up(line);
    }
    assert_eq!(denials(&world.audits), [("client::list", "partition")]);
}

/// A mesh in which these scopes are denied from `east.cn` to `north.cn`, with a terminal in each, and a room of the latter
/// with it in there.
fn apart(denied: &[Scope]) -> (World, Line, Line, String) {
    let mut world = World::with_rules(&NODES, vec![rule(denied)]);
    let (here, there) = (world.register(1, "b"), world.register(2, "v"));
    let room = create(&mut world, there);
    world.send(there, 5, "room::enter", json!({"roomId": room}));
    world.hush();
    (world, here, there, room)
}

fn rule(denied: &[Scope]) -> PolicyRule {
    let (from, to) = ("east.cn".parse().unwrap(), "north.cn".parse().unwrap());
    PolicyRule { id: "apart".into(), verdict: Verdict::Deny, from, to, scopes: denied.to_vec() }
}

fn create(world: &mut World, line: Line) -> String {
    world.send(line, 4, "room::create", json!({}));
    let told = world.hear(line);
    told.last().unwrap()["body"]["roomId"].as_str().unwrap_or_else(|| panic!("{told:?}")).to_owned()
}

fn operator(world: &mut World, node: usize) -> Line {
    let line = Line(node, ConnId(1 << 63));
    let account = Account::new("ops", [Role::Operator], AllowList::default(), Vec::new());
    world.nodes[node].handle_guest(world.now, line.1, account);
    line
}

/// A body that names the other terminal, its partition and its room in every field that signals have for that.
fn naming_everything(room: &str) -> Value {
    json!({
        "to": TO, "clientId": TO, "roomId": room, "partition": "north.cn", "enabled": true,
        "producerId": "p", "consumerId": "c", "transportId": "t", "type": "PAN", "value": 1,
    })
}

fn denials(audits: &[Audit]) -> Vec<(&str, &str)> {
    audits.iter().filter_map(|audit| Some((audit.signal, audit.denied.as_deref()?))).collect()
}

enum Arrival {
    Answered,
    Unanswered,
}

/// Brings a payload to node 2 as the mesh would, from a node that did not ask.
fn arrive(world: &mut World, payload: &Payload) -> Arrival {
    match payload {
        Payload::Room(_) | Payload::RoomCheck(_) | Payload::Alarm(_) => {
            world.node_request(2, 1, payload.clone());
        }
        Payload::Broadcast { .. } => {
            let partition = PartitionId::of(&"north.cn".parse().unwrap());
            world.mesh(2, MeshEvent::Broadcast { partition, payload: payload.clone() });
            return Arrival::Unanswered;
        }
        Payload::Message { message, .. } if !message.signal.starts_with("control::") => {
            world.mesh(2, MeshEvent::Event { target: key(TO), payload: payload.clone() });
            return Arrival::Unanswered;
        }
        Payload::Message { .. }
        | Payload::Call { .. }
        | Payload::Session { .. }
        | Payload::Status { .. }
        | Payload::Ping
        | Payload::Trace { .. }
        | Payload::List(_)
        | Payload::Presence(_)
        | Payload::RoomNews(_) => {
            world.request(2, TO, payload.clone(), 1_000);
        }
    }
    Arrival::Answered
}

/// What the mesh's side of a node answers itself; its tests are in `taoyao-route`.
fn is_the_routers(payload: &Payload) -> bool {
    matches!(payload, Payload::Ping | Payload::Trace { .. } | Payload::List(_))
}

/// One of everything that nodes say to each other, in the name of the one who may not.
fn everything_for(room: &str) -> Vec<Payload> {
    let from = || FROM.parse::<TerminalName>().unwrap();
    let to = || TO.parse::<TerminalName>().unwrap();
    let state = json!({"clientId": FROM}).to_string();
    let acts = [
        RoomAct::Create { name: None, password: None, media: None, empty_seconds: None },
        RoomAct::Enter { entry: 1, password: None, state, receiving: Receiving::default() },
        RoomAct::Close,
        RoomAct::Broadcast { message: words("room::broadcast") },
        RoomAct::Invite { client: to(), message: words("room::invite") },
        RoomAct::Expel { client: to(), message: words("room::expel") },
        RoomAct::Members,
        RoomAct::Ids { client: to() },
        RoomAct::Status,
        RoomAct::Media { ask: 1, signal: "media::produce".into(), body: "{}".into() },
        RoomAct::Record { client: to(), enabled: true },
        RoomAct::Leave,
    ];
    let news = PresenceNews {
        partition: "east.cn".parse().unwrap(),
        origin: taoyao_types::NodeId(1),
        complete: None,
        changes: Vec::new(),
    };
    let (node, epoch) = ("cn/east".parse().unwrap(), taoyao_types::NodeEpoch(1));
    let report = AlarmReport {
        from: from(),
        account: AccountTag::NOBODY,
        node,
        epoch,
        number: 1,
        at: 0,
        message: "fire".into(),
        datetime: None,
    };
    let event = RoomEvent::Closed;
    let query = ListQuery {
        rooms: false,
        home: "east.cn".parse().unwrap(),
        client_type: None,
        partitions: Vec::new(),
        after: None,
        limit: 1,
    };
    let rooms = acts.map(|act| in_room(FROM, room, act));
    let others = [
        message("client::unicast"),
        message("client::reboot"),
        message("client::shutdown"),
        message("room::invite"),
        Payload::Call {
            from: from(),
            account: AccountTag::NOBODY,
            name: None,
            session: "s".into(),
            audio: true,
            video: true,
        },
        Payload::Session { from: from(), session: "s".into(), message: words("session::pause") },
        Payload::Status { from: from() },
        Payload::Ping,
        Payload::Trace { to: to() },
        Payload::List(query),
        Payload::Broadcast { from: from(), client_type: None, message: words("client::broadcast") },
        Payload::Presence(news),
        Payload::RoomNews(RoomNews { room: room.to_owned(), feed: 1, seq: 1, event }),
        Payload::RoomCheck(RoomCheck { seats: Vec::new() }),
        Payload::Alarm(report),
    ];
    rooms.into_iter().chain(others).collect()
}

fn in_room(from: &str, room: &str, act: RoomAct) -> Payload {
    Payload::Room(Box::new(RoomRequest {
        from: from.parse().unwrap(),
        session: SessionEpoch(1),
        account: AccountTag::NOBODY,
        room: room.to_owned(),
        is_operator: false,
        act,
    }))
}

fn message(signal: &str) -> Payload {
    Payload::Message { from: FROM.parse().unwrap(), message: words(signal) }
}

fn words(signal: &str) -> Message {
    let (v, code, text) = ("1.0.0".to_owned(), "0000".to_owned(), String::new());
    Message { signal: signal.to_owned(), v, code, text, body: Some("{}".to_owned()) }
}
