//! A child with a good certificate that speaks for terminals which the topology does not delegate to it.

use bytes::Bytes;
use serde_json::json;
use taoyao_link::{Lane, LinkEvent, LinkHandle, Links};
use taoyao_types::{NodeEpoch, NodeId, SessionEpoch, SignalId, TerminalKey, TerminalName, Version};
use taoyao_wire::Class;
use taoyao_wire::link::frame::{encode_signal, encode_sync};
use taoyao_wire::link::{Change, Header, Kind, Payload, Record, Sync, Target};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::certificates::{good, now};
use crate::mesh::Mesh;
use crate::patience::{PATIENCE, until};
use crate::strangers::{child, mesh_without_east};
use crate::terminal::{Heard, Terminal, hear};
use crate::witness::Witness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_claims_anothers_terminals_is_refused_with_an_alarm_and_gets_none_of_their_signals() {
    let mut mesh = mesh_without_east().await;
    let witness = Witness::between(&mesh, "cn", "north").await;
    let mut impostor = Impostor::of(&mesh).await;
    let before = mesh.status("cn").await.directory_records;

    // What it may do works, so that the rest is refused for what it is.
    impostor.register(&[Change::Add(record("honest@east.cn", "cn/east"))]);
    until("registered", async || records(&mesh, before + 1).await).await;

    let foreign = [
        Change::Add(record("thief@north.cn", "cn/east")),
        Change::Add(record("thief@cn", "cn/east")),
        Change::Add(record("witness-b@north.cn", "cn/east")),
        // Its own partition, but a node that is not below it.
        Change::Add(record("thief@east.cn", "cn/north")),
    ];
    impostor.register(&foreign);
    let admin = mesh.admin("cn");
    let refused = foreign.len() as u64;
    until("refused", async || {
        let violations = admin.metric("taoyao_authority_violations_total").await;
        if violations == refused { Vec::new() } else { vec![format!("{violations} violations")] }
    })
    .await;
    assert_eq!(admin.metric("taoyao_alarms_total").await, refused, "an operator is told of each");
    assert!(
        mesh.node("cn")
            .says(&["a neighbour did what its place in the topology does not allow", "cn/east"])
            .await
    );
    assert_eq!(records(&mesh, before + 1).await, [""; 0], "no route appeared");

    // Nobody's signals go to it.
    let port = mesh.place("cn").terminals;
    let (caller, _ears) = mesh.dialler().register(port, "caller").await.unwrap();
    for name in ["thief@north.cn", "thief@cn", "thief@east.cn"] {
        assert_eq!(call(&caller, name).await, "邀请对象无效", "{name}");
    }
    assert_eq!(call(&caller, "witness-b@north.cn").await, "成功");
    assert!(impostor.heard_no_signal(), "it heard what was not meant for it");
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_cannot_withdraw_anothers_terminals_not_even_before_they_come() {
    let mesh = mesh_without_east().await;
    let witness = Witness::between(&mesh, "cn", "north").await;
    let impostor = &mut Impostor::of(&mesh).await;
    let before = mesh.status("cn").await.directory_records;
    impostor.register(&[
        Change::Withdraw(record("witness-a@cn", "cn")),
        Change::Withdraw(record("witness-b@north.cn", "cn/north")),
        Change::Lose(record("witness-b@north.cn", "cn/north")),
        Change::WithdrawOrigin { origin: node("cn/north"), epoch: NodeEpoch(u32::MAX) },
        Change::Withdraw(Record { version: newest(), ..record("late@north.cn", "cn/north") }),
        // This comes last, so that the others have been read when it is there.
        Change::Add(record("honest@east.cn", "cn/east")),
    ]);
    until("registered", async || records(&mesh, before + 1).await).await;

    let violations = mesh.admin("cn").metric("taoyao_authority_violations_total").await;
    assert_eq!(violations, 3, "three withdrawals; the rest is about nothing that it could mean");

    let (_late, _ears) =
        mesh.dialler().register(mesh.place("north").terminals, "late@north.cn").await.unwrap();
    until("known at the root", async || records(&mesh, before + 2).await).await;
    let (caller, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "caller").await.unwrap();
    for name in ["witness-a@cn", "witness-b@north.cn", "late@north.cn"] {
        assert_eq!(call(&caller, name).await, "成功", "{name}");
    }
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_cannot_speak_in_anothers_name() {
    let mut mesh = mesh_without_east().await;
    let witness = Witness::between(&mesh, "cn", "north").await;
    let impostor = &mut Impostor::of(&mesh).await;
    let (_victim, mut ears) = mesh.dialler().register(mesh.place("cn").terminals, "victim").await.unwrap();
    // In the header and in the body; in the body alone; and at last in its own.
    impostor.speak(1, "boss@north.cn", "boss@north.cn", "victim@cn");
    impostor.speak(2, "honest@east.cn", "boss@north.cn", "victim@cn");
    impostor.speak(3, "honest@east.cn", "honest@east.cn", "victim@cn");
    // All three came on one ordered lane, so what the first call says is what became of the others.
    let caller = hear(&mut ears, |heard| match heard {
        Heard::Push(push) if push["header"]["signal"] == "session::call" => {
            Some(push["body"]["clientId"].as_str().unwrap().to_owned())
        }
        _ => None,
    });
    assert_eq!(caller.await, "honest@east.cn");
    assert_eq!(mesh.admin("cn").metric("taoyao_authority_violations_total").await, 1);
    assert!(mesh.node("cn").says(&["a neighbour did what", "a signal of node"]).await);
    witness.assert_was_served().await;
}

/// `cn/east`, made by hand.
struct Impostor {
    link: LinkHandle,
    events: mpsc::Receiver<LinkEvent>,
    /// Changes that it has told so far.
    told: u64,
    _links: Links,
}

impl Impostor {
    /// Links up and says, as a child does that has nothing to tell yet, that the root knows everything.
    async fn of(mesh: &Mesh) -> Self {
        let (sender, mut events) = mpsc::channel(1024);
        let links = Links::start(child(mesh, "cn/east", good(mesh, "cn/east")), sender).unwrap();
        let search = async {
            loop {
                if let Some(LinkEvent::Up { link, .. }) = events.recv().await {
                    return link;
                }
            }
        };
        let link = timeout(PATIENCE, search).await.expect("a link");
        link.send(Lane::Directory, encode_sync(&Sync::Journal { applied: 0 })).unwrap();
        Self { link, events, told: 0, _links: links }
    }

    /// Tells the root of changes, one after the other.
    fn register(&mut self, changes: &[Change]) {
        let told = Sync::Changes { first: self.told + 1, changes: changes.to_vec() };
        self.told += changes.len() as u64;
        self.link.send(Lane::Directory, encode_sync(&told)).unwrap();
    }

    /// Calls a terminal. The header says that `source` does, the body that `from` does.
    fn speak(&self, count: u64, source: &str, from: &str, to: &str) {
        let id = SignalId { origin: node("cn/east"), epoch: NodeEpoch(1), count };
        let header = Header::new(Kind::Request, Class::Request, id, Target::Terminal(key(to)), key(source));
        let call = Payload::Call {
            from: from.parse().unwrap(),
            account: taoyao_types::AccountTag::NOBODY,
            name: Some("the boss".to_owned()),
            session: format!("session-{count}"),
            audio: true,
            video: true,
        };
        self.link.send(Lane::Urgent, encode_signal(&header, &call.encode())).unwrap();
    }

    /// Whether everything that the root has sent so far was about the directory.
    fn heard_no_signal(&mut self) -> bool {
        const SYNC: u8 = 0x52;
        let is_sync = |frame: &Bytes| frame.first() == Some(&SYNC);
        while let Ok(event) = self.events.try_recv() {
            match event {
                LinkEvent::Frames { frames, .. } if !frames.iter().all(is_sync) => return false,
                _ => {}
            }
        }
        true
    }
}

async fn call(caller: &Terminal, name: &str) -> String {
    let answer = caller.request("session::call", json!({ "clientId": name })).await.unwrap();
    answer["message"].as_str().unwrap().to_owned()
}

/// What is wrong if the root should have so many records.
async fn records(mesh: &Mesh, wanted: u64) -> Vec<String> {
    let found = mesh.status("cn").await.directory_records;
    if found == wanted { Vec::new() } else { vec![format!("{found} records, not {wanted}")] }
}

fn node(name: &str) -> NodeId {
    NodeId::of(&name.parse().unwrap())
}

fn key(name: &str) -> TerminalKey {
    TerminalKey::of(&name.parse::<TerminalName>().unwrap())
}

/// A record of a terminal that has logged in just now.
fn record(name: &str, origin: &str) -> Record {
    let version = Version { session: SessionEpoch(now().0 << 16), epoch: NodeEpoch(1), seq: 1 };
    Record { key: key(name), origin: node(origin), version }
}

/// Newer than anything ever.
fn newest() -> Version {
    Version { session: SessionEpoch(u64::MAX), epoch: NodeEpoch(u32::MAX), seq: u64::MAX }
}
