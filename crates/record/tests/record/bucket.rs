//! Recordings in an S3-compatible bucket, played by a small server that takes, keeps and gives objects.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use taoyao_record::{BucketConfig, Part, RecorderConfig};
use taoyao_types::{Secret, Wall};

use crate::keeping::{record, runtime};
use crate::stage::{Stage, id};

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

#[test]
fn an_ended_recording_moves_into_the_bucket_and_is_read_and_deleted_there() {
    let (objects, endpoint) = bucket();
    let stage = Stage::new(|config| in_bucket(config, endpoint));
    record(&stage, "away", 1);
    runtime().block_on(async {
        stage.recorder.tidy(Wall(2)).await;
        let entry = stage.recorder.get(&id("away")).unwrap();
        assert!(entry.is_uploaded && entry.reason.is_none(), "{entry:?}");
        assert!(!stage.path(&entry).exists(), "the copy in the folder has gone");
        let kept = objects.lock().unwrap().get("/recordings/node-1/away.webm").cloned().unwrap();
        assert_eq!(kept.len() as u64, entry.bytes);
        let content = stage.recorder.read(&id("away"), Part::Media, None).await.unwrap();
        let pieces: Vec<bytes::Bytes> = content.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), kept);
        stage.recorder.delete(&id("away")).await.unwrap();
    });
    assert!(objects.lock().unwrap().is_empty());
}

#[test]
fn without_its_bucket_a_recording_stays_in_the_folder_with_the_reason() {
    // A server that does not understand what is wanted: no time is lost with trying again.
    let (_, endpoint) = bucket();
    let stage = Stage::new(|config| in_bucket(config, format!("{endpoint}/forbidden")));
    record(&stage, "here", 1);
    runtime().block_on(stage.recorder.tidy(Wall(2)));
    let entry = stage.recorder.get(&id("here")).unwrap();
    assert!(!entry.is_uploaded && entry.reason.as_ref().unwrap().contains("not uploaded"), "{entry:?}");
    assert!(stage.path(&entry).exists());
}

fn in_bucket(config: &mut RecorderConfig, endpoint: String) {
    config.bucket = Some(BucketConfig {
        endpoint,
        region: "here".to_owned(),
        bucket: "recordings".to_owned(),
        prefix: "node-1".to_owned(),
        access_key: "key".to_owned(),
        secret_key: Secret("secret".to_owned()),
    });
}

/// What is in the bucket, and where it is.
fn bucket() -> (Objects, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let objects = Objects::default();
    let kept = Arc::clone(&objects);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let objects = Arc::clone(&kept);
            std::thread::spawn(move || serve(stream, &objects));
        }
    });
    (objects, endpoint)
}

/// Answers the requests of one connection until it is closed.
fn serve(stream: TcpStream, objects: &Objects) -> Option<()> {
    let mut answers = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let length = content_length(&mut reader)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (method, target) = line.split_once(' ')?;
        let (path, query) =
            target.split(' ').next()?.split_once('?').unwrap_or((target.split(' ').next()?, ""));
        let mut kept = objects.lock().ok()?;
        let (status, answer) = answer(method, path, query, &body, &mut kept);
        drop(kept);
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\netag: \"1\"\r\n", answer.len());
        let dates = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        answers.write_all(&[head.as_bytes(), dates.as_bytes(), &answer].concat()).ok()?;
    }
}

fn content_length(reader: &mut impl BufRead) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { return Some(length) };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
}

/// Parts are put together in the order in which they come: recordings of tests have one.
fn answer(
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
    objects: &mut BTreeMap<String, Vec<u8>>,
) -> (&'static str, Vec<u8>) {
    let xml = |text: &str| ("200 OK", text.as_bytes().to_vec());
    match method {
        _ if path.starts_with("/forbidden") => ("403 Forbidden", Vec::new()),
        "POST" if query.starts_with("uploads") => {
            xml("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        }
        "POST" if query.starts_with("delete") => {
            let text = String::from_utf8_lossy(body);
            objects.retain(|name, _| !text.contains(name.trim_start_matches("/recordings/")));
            xml("<DeleteResult><Deleted><Key>node-1/away.webm</Key></Deleted></DeleteResult>")
        }
        "POST" => xml("<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>"),
        "PUT" => {
            objects.entry(path.to_owned()).or_default().extend_from_slice(body);
            ("200 OK", Vec::new())
        }
        "DELETE" => {
            objects.remove(path);
            ("204 No Content", Vec::new())
        }
        _ => objects.get(path).map_or(("404 Not Found", Vec::new()), |object| ("200 OK", object.clone())),
    }
}
