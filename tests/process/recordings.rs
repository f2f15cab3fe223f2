//! A recording from the signal that asks for it to the file that plays.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taoyao_node::report::RecordingsReport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::clip::{self, Stream, Way};
use crate::mesh::Mesh;
use crate::ports;
use crate::shape::{ONE, PASSWORD};
use crate::terminal::{Heard, Terminal, asked, hear};

/// How much later the picture arrives than the sound that belongs to it.
const LATE: Duration = Duration::from_millis(200);
/// What people do not notice.
const DRIFT_MAX: f64 = 0.04;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_sends_is_recorded_in_step() {
    let clip = tokio::task::spawn_blocking(clip::make).await.unwrap();
    let mesh = recording().await;
    let (camera, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "camera@cn").await.unwrap();
    let room = asked(&camera, "room::create", json!({})).await["body"]["roomId"].clone();
    asked(&camera, "room::enter", json!({ "roomId": room })).await;
    let [picture, sound] = &clip;
    let (transport, way) = transport(&camera, &room).await;
    produce(&camera, &room, &transport, "audio", sound).await;
    let wanted = json!({ "to": "camera@cn", "roomId": room, "enabled": true });
    let begun = asked(&camera, "control::server::record", wanted.clone()).await["body"]["filepath"].clone();
    // The camera is switched on when the recording has begun.
    produce(&camera, &room, &transport, "video", picture).await;
    let status = asked(&camera, "room::status", json!({ "roomId": room })).await;
    assert_eq!(status["body"]["recording"], true, "{status}");
    play(clip, way).await;
    let stop = json!({ "to": "camera@cn", "roomId": room, "enabled": false });
    assert_eq!(asked(&camera, "control::server::record", stop).await["body"]["filepath"], begun);

    let id = begun.as_str().and_then(|path| path.strip_prefix("/recordings/media/")).unwrap();
    let folder = mesh.certs().with_file_name("recordings").join("cn");
    let entry: Value = serde_json::from_slice(&fs::read(folder.join(format!("{id}.json"))).unwrap()).unwrap();
    assert_eq!((&entry["state"], &entry["member"]), (&json!("finished"), &json!("camera@cn")), "{entry}");
    for track in 0..2 {
        assert_eq!(
            (&entry["tracks"][track]["isRecorded"], &entry["tracks"][track]["lostPackets"]),
            (&json!(true), &json!(0)),
            "{entry}"
        );
    }
    let listed: RecordingsReport =
        mesh.admin("cn").report(&format!("/api/recordings?room={}", room.as_str().unwrap())).await;
    assert_eq!((listed.recordings.len(), listed.has_more), (1, false));
    assert_eq!((listed.recordings[0].recording.as_str(), listed.recordings[0].tracks.len()), (id, 2));
    let none: RecordingsReport = mesh.admin("cn").report("/api/recordings?room=0a").await;
    assert!(none.records && none.recordings.is_empty());
    assert!(fs::metadata(folder.join(entry["preview"].as_str().unwrap())).unwrap().len() > 500);

    let file = folder.join(entry["file"].as_str().unwrap());
    downloads(&mesh, id, &fs::read(&file).unwrap()).await;
    let (told, drifts) =
        tokio::task::spawn_blocking(move || (clip::probe(&file), clip::drifts(&file))).await.unwrap();
    let codecs: Vec<&Value> =
        told["streams"].as_array().unwrap().iter().map(|stream| &stream["codec_name"]).collect();
    assert_eq!(codecs.len(), 2);
    assert!(codecs.contains(&&json!("vp8")) && codecs.contains(&&json!("opus")), "{told}");
    let seconds: f64 = told["format"]["duration"].as_str().unwrap().parse().unwrap();
    let length = f64::from(clip::SECONDS);
    assert!((length - 1.0..length + 2.0).contains(&seconds), "{seconds} s");
    let gone = call(&mesh, "DELETE", &format!("/recordings/{id}"), "").await;
    assert!(gone.starts_with(b"HTTP/1.1 200") && fs::read_dir(&folder).unwrap().count() == 0);
    let is_in_step = |drift: &f64| drift.abs() <= DRIFT_MAX;
    assert!(drifts.len() >= 5 && drifts.iter().all(is_in_step), "from the first flash on: {drifts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_room_is_one_file_with_everybodys_names() {
    let clip = tokio::task::spawn_blocking(clip::make).await.unwrap();
    let mesh = recording().await;
    let (camera, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "camera@cn").await.unwrap();
    let (guest, mut heard) = mesh.dialler().register(mesh.place("cn").terminals, "guest@cn").await.unwrap();
    let room = asked(&camera, "room::create", json!({})).await["body"]["roomId"].clone();
    for member in [&camera, &guest] {
        asked(member, "room::enter", json!({ "roomId": room })).await;
    }
    // Nobody sends anything yet.
    let wanted = json!({ "to": "taoyao-client-media", "roomId": room, "enabled": true });
    let begun = asked(&camera, "control::server::record", wanted).await["body"]["filepath"].clone();
    let [picture, sound] = &clip;
    let (transport, way) = transport(&camera, &room).await;
    produce(&camera, &room, &transport, "audio", sound).await;
    produce(&camera, &room, &transport, "video", picture).await;
    play(clip, way).await;
    // The room's last word ends its recording.
    camera.tell("room::close", json!({ "roomId": room }));
    let mut ends = Vec::new();
    while ends.last().is_none_or(|state| state != "ended") {
        let status = |heard| match heard {
            Heard::Push(told) if told["header"]["signal"] == "room::status" => Some(told),
            _ => None,
        };
        let told = hear(&mut heard, status).await;
        assert_eq!(told["body"]["recorded"]["clientId"], "taoyao-client-media", "{told}");
        ends.push(told["body"]["recorded"]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(ends, ["recording", "ended"]);
    let id = begun.as_str().and_then(|path| path.strip_prefix("/recordings/media/")).unwrap();
    let folder = mesh.certs().with_file_name("recordings").join("cn");
    let entry = ended(&folder.join(format!("{id}.json"))).await;
    assert_eq!((&entry["end"], &entry["isWholeRoom"]), (&json!("room-closed"), &json!(true)), "{entry}");
    let file = folder.join(entry["file"].as_str().unwrap());
    let told = tokio::task::spawn_blocking(move || clip::probe(&file)).await.unwrap();
    let streams = told["streams"].as_array().unwrap();
    let titles: Vec<&str> = streams.iter().map(|stream| stream["tags"]["title"].as_str().unwrap()).collect();
    assert!(titles.len() == 2 && titles.iter().all(|title| title.contains("camera@cn")), "{titles:?}");
}

/// The entry of a recording, once it is over.
async fn ended(path: &std::path::Path) -> Value {
    let began = Instant::now();
    loop {
        let entry: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        if entry["state"] != "recording" {
            return entry;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{entry}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_recordings_have_no_place_runs_and_says_so() {
    let mut mesh = Mesh::plan(ONE);
    // A folder below a file cannot be made.
    let taken = mesh.certs().with_file_name("taken");
    fs::write(&taken, "").unwrap();
    let recordings = format!("recordings = {{ dir = \"{}\" }}\n", taken.join("recordings").display());
    mesh.change("name = \"cn\"\n", &format!("name = \"cn\"\n{}{recordings}", media()));
    mesh.start_all().await;
    let (camera, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "camera@cn").await.unwrap();
    let room = asked(&camera, "room::create", json!({})).await["body"]["roomId"].clone();
    asked(&camera, "room::enter", json!({ "roomId": room })).await;
    let wanted = json!({ "to": "taoyao-client-media", "roomId": room, "enabled": true });
    let refused = camera.request("control::server::record", wanted).await.unwrap();
    assert_eq!(refused["code"], "3503", "{refused}");
    let report: RecordingsReport = mesh.admin("cn").report("/api/recordings").await;
    assert!(report.records && report.fault.is_some_and(|fault| fault.contains("taken")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_shall_not_record_says_so() {
    let mut mesh = Mesh::plan(ONE);
    mesh.change("name = \"cn\"\n", &format!("name = \"cn\"\n{}", media()));
    mesh.start_all().await;
    let (camera, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "camera@cn").await.unwrap();
    let room = asked(&camera, "room::create", json!({})).await["body"]["roomId"].clone();
    asked(&camera, "room::enter", json!({ "roomId": room })).await;
    let silent = Stream { packets: vec![vec![0; 12]], rate: 48_000 };
    let (transport, _way) = transport(&camera, &room).await;
    produce(&camera, &room, &transport, "audio", &silent).await;
    let wanted = json!({ "to": "camera@cn", "roomId": room, "enabled": true });
    let refused = camera.request("control::server::record", wanted).await.unwrap();
    assert_eq!(refused["code"], "3406", "{refused}");
    let denied = call(&mesh, "GET", "/recordings/list", "").await;
    assert!(denied.starts_with(b"HTTP/1.1 403"), "the account is no operator's");
}

async fn recording() -> Mesh {
    let mut mesh = Mesh::plan(ONE);
    mesh.change("name = \"cn\"\n", &format!("name = \"cn\"\n{}recordings = {{}}\n", media()));
    let password = format!("password = \"{PASSWORD}\"");
    mesh.change(&password, &format!("{password}, roles = [\"terminal\", \"operator\"]"));
    mesh.start_all().await;
    mesh
}

/// An operator finds the recording and gets any part of it.
async fn downloads(mesh: &Mesh, id: &str, file: &[u8]) {
    let listed = call(mesh, "GET", "/recordings/list", "").await;
    let listed = String::from_utf8_lossy(&listed);
    assert!(listed.starts_with("HTTP/1.1 200") && listed.contains(id), "{listed}");
    let whole = call(mesh, "GET", &format!("/recordings/media/{id}"), "").await;
    assert!(whole.starts_with(b"HTTP/1.1 200") && whole.ends_with(file));
    let part = call(mesh, "GET", &format!("/recordings/media/{id}"), "range: bytes=100-199\r\n").await;
    assert!(part.starts_with(b"HTTP/1.1 206") && part.ends_with(&[b"\r\n\r\n", &file[100..200]].concat()));
    let preview = call(mesh, "GET", &format!("/recordings/preview/{id}"), "").await;
    assert!(
        preview.starts_with(b"HTTP/1.1 200") && preview.windows(2).any(|two| two == [0xff, 0xd9]),
        "a JPEG ends so"
    );
}

/// A REST call with the account of all terminals; head and body of the answer.
async fn call(mesh: &Mesh, method: &str, path: &str, headers: &str) -> Vec<u8> {
    let mut stream = mesh.dialler().tls(mesh.place("cn").terminals).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
         authorization: Basic dGFveWFvOmhlYXItYW5kLXNlZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The node may close the connection without a goodbye of TLS.
    let _closed = stream.read_to_end(&mut answer).await.is_err();
    answer
}

fn media() -> String {
    format!("media = {{ listen = \"127.0.0.1:{}\", workers = 1 }}\n", ports::free())
}

/// A transport for plain RTP: its id and its ports.
async fn transport(camera: &Terminal, room: &Value) -> (Value, Way) {
    let plain = json!({ "roomId": room, "rtcpMux": false, "comedia": true });
    let made = asked(camera, "media::transport::plain::create", plain).await["body"].take();
    let port = |name: &str| made[name].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap();
    (made["transportId"].clone(), Way::to(port("port"), port("rtcpPort")))
}

async fn produce(camera: &Terminal, room: &Value, transport: &Value, kind: &str, stream: &Stream) {
    let codec = match kind {
        "audio" => {
            json!({ "mimeType": "audio/opus", "payloadType": 100, "clockRate": 48_000, "channels": 2 })
        }
        _ => json!({ "mimeType": "video/VP8", "payloadType": 101, "clockRate": 90_000 }),
    };
    let rtp =
        json!({ "codecs": [codec], "encodings": [{ "ssrc": stream.ssrc() }], "rtcp": { "cname": "camera" } });
    let wish = json!({
        "roomId": room, "transportId": transport, "kind": kind, "rtpParameters": rtp, "appData": {},
    });
    asked(camera, "media::produce", wish).await;
}

async fn play(clip: [Stream; 2], way: Way) {
    let (began, way) = (Instant::now(), Arc::new(way));
    let late = [LATE, Duration::ZERO];
    let playing = clip.into_iter().zip(late).map(|(stream, late)| {
        let way = Arc::clone(&way);
        tokio::task::spawn_blocking(move || stream.play(began, late, &way))
    });
    for played in playing.collect::<Vec<_>>() {
        played.await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
}
