//! What accounts do to real nodes: scripts that run, a node that ends itself; and alarms that cross three tiers.

use serde_json::json;
use taoyao_node::report::AlarmsReport;

use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::{ONE, PASSWORD, Shape};
use crate::terminal::{Heard, hear, hear_close};

/// A root that owns `mobile.cn`, and a site two tiers below whose terminals may be of it.
const LINE: &Shape = &[("cn", None), ("east", Some("cn")), ("sh", Some("east"))];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alarms_reach_the_owner_of_their_partition_when_it_is_back() {
    let mut mesh = Mesh::plan(LINE);
    let relay = mesh.put_relay_above("east").await;
    mesh.start_all().await;
    let port = mesh.place("sh").terminals;
    let (camera, _ears) = mesh.dialler().register(port, "cam@mobile.cn").await.unwrap();
    camera.tell("client::alarm", json!({"message": "smoke", "datetime": "20230601120000"}));
    until("the first alarm at the root", async || missing(&mesh, &["smoke"]).await).await;

    until("the site has heard that it is there", async || waiting(&mesh, 0).await).await;

    relay.cut();
    for message in ["fire", "flood"] {
        camera.tell("client::alarm", json!({"message": message}));
    }
    until("two alarms waiting", async || waiting(&mesh, 2).await).await;
    assert_eq!(missing(&mesh, &["smoke"]).await, Vec::<String>::new());
    relay.heal();
    until("all alarms at the root", async || missing(&mesh, &["flood", "fire", "smoke"]).await).await;

    let report: AlarmsReport = mesh.admin("cn").report("/api/alarms").await;
    let first = &report.alarms[2];
    assert_eq!((first.terminal.to_string().as_str(), first.node.as_str()), ("cam@mobile.cn", "cn/east/sh"));
    assert_eq!(first.terminal_time.as_deref(), Some("20230601120000"));
    assert_eq!(mesh.status("cn").await.alarms, 3);
    assert!(mesh.node("cn").says(&["WARN", "alarm", "cam@mobile.cn", "flood"]).await);
    until("nothing waiting at the site", async || {
        let report: AlarmsReport = mesh.admin("sh").report("/api/alarms").await;
        if report.waiting == 0 && report.alarms.is_empty() { Vec::new() } else { vec![format!("{report:?}")] }
    })
    .await;
}

/// How many alarms wait at the site, if not so many.
async fn waiting(mesh: &Mesh, expected: u64) -> Vec<String> {
    let waiting = mesh.admin("sh").metric("taoyao_terminal_alarms_waiting").await;
    if waiting == expected { Vec::new() } else { vec![format!("{waiting} wait")] }
}

/// What the root does not have as it should: these messages, the newest first.
async fn missing(mesh: &Mesh, expected: &[&str]) -> Vec<String> {
    let report: AlarmsReport = mesh.admin("cn").report("/api/alarms").await;
    let found: Vec<&str> = report.alarms.iter().map(|alarm| alarm.message.as_str()).collect();
    if found == expected { Vec::new() } else { vec![format!("{found:?} instead of {expected:?}")] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_runs_what_is_listed_and_ends_the_node() {
    let mut mesh = Mesh::plan(ONE);
    mesh.change(
        &format!("password = \"{PASSWORD}\""),
        &format!(
            "password = \"{PASSWORD}\", roles = [\"terminal\", \"operator\"], \
             signals = [\"client::*\", \"system::info\", \"platform::script\", \"platform::shutdown\"]"
        ),
    );
    mesh.change(
        "[[node]]",
        "[[script]]\nname = \"greet\"\ncommand = [\"/bin/echo\", \"hello\"]\narguments = [{ min = 1, max = 3 }]\n[[node]]",
    );
    mesh.start_all().await;
    let port = mesh.place("cn").terminals;
    let (ops, mut ops_ears) = mesh.dialler().register(port, "ops").await.unwrap();
    let (_other, mut ears) = mesh.dialler().register(port, "other").await.unwrap();

    let info = ops.request("system::info", json!({})).await.unwrap();
    assert!(
        info["body"]["cpuProcessors"].as_u64() > Some(0) && info["body"]["diskspace"].is_array(),
        "{info}"
    );
    let greeted = ops.request("platform::script", json!({"script": "greet 3"})).await.unwrap();
    assert_eq!(greeted["body"], json!({"result": "hello 3\n"}), "{greeted}");
    let refused = ops.request("platform::script", json!({"script": "greet 4"})).await.unwrap();
    assert_eq!(refused["message"], "请求错误：greet takes a number from 1 to 3", "{refused}");
    assert!(mesh.node("cn").says(&["carried out", "platform::script", "greet 3: exit 0"]).await);

    let ended = ops.request("platform::shutdown", json!({})).await.unwrap();
    assert_eq!((&ended["code"], &ended["header"]["signal"]), (&json!("0000"), &json!("platform::shutdown")));
    let told = |heard| match heard {
        Heard::Push(push) if push["header"]["signal"] == "platform::shutdown" => Some(()),
        _ => None,
    };
    hear(&mut ears, told).await;
    assert_eq!((hear_close(&mut ears).await, hear_close(&mut ops_ears).await), (Some(1001), Some(1001)));
    let ended = mesh.node("cn").ended().await;
    assert_eq!(ended.code(), Some(0), "{}", mesh.node("cn").log());
    assert!(mesh.node("cn").says(&["ended: 1 node drained", "2 terminals", "all closed properly"]).await);
    assert!(mesh.node("cn").says(&["carried out", "platform::shutdown"]).await);
}
