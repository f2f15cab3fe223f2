//! The recorder's table: what it means, what its defaults are, and its mistakes.

use std::path::Path;

use taoyao_topology::{Bucket, KeepFree, Recordings, Topology, WhenFull};

use crate::{MESH, mistakes, topology};

const MEDIA: &str = "media = { listen = \"127.0.0.1:44444\" }\n";

/// The mesh with this table at `hz`, its last node.
fn with_recordings(table: &str) -> String {
    format!("{MESH}{MEDIA}recordings = {{ {table} }}\n")
}

fn recordings(mesh: &Topology) -> &Recordings {
    mesh.by_name("hz").and_then(|hz| hz.recordings.as_ref()).expect("the mesh has it")
}

#[test]
fn an_empty_table_is_enough() {
    let mesh = topology(&with_recordings(""));
    let recordings = recordings(&mesh);
    assert_eq!(recordings.dir, Path::new("recordings/hz"));
    assert_eq!((recordings.bytes_max, recordings.when_full), (50 << 30, WhenFull::Refuse));
    assert_eq!((recordings.account_bytes_max, recordings.partition_bytes_max), (10 << 30, None));
    assert_eq!((recordings.keep_free, recordings.hours_max), (KeepFree::Bytes(1 << 30), 24));
    assert_eq!((recordings.days_max, &recordings.bucket), (None, &None));
    let without = topology(&format!("{MESH}{MEDIA}"));
    assert!(without.by_name("hz").is_some_and(|hz| hz.recordings.is_none()), "nobody has it unasked");
}

#[test]
fn every_key_is_read() {
    let mesh = topology(&with_recordings(
        "dir = \"/srv/rec\", bytes_max = 1000000000, when_full = \"delete-oldest\", days_max = 30, hours_max = 2, \
         account_bytes_max = 100000000, partition_bytes_max = 500000000, keep_free = \"5%\", bucket = { endpoint = \
         \"https://s3.acme.example\", region = \"eu-1\", name = \"rec\", prefix = \"hz\", keys_file = \"s3.keys\" }",
    ));
    let recordings = recordings(&mesh);
    assert_eq!(recordings.dir, Path::new("/srv/rec"));
    assert_eq!((recordings.bytes_max, recordings.when_full), (1_000_000_000, WhenFull::DeleteOldest));
    let shares = (recordings.account_bytes_max, recordings.partition_bytes_max);
    assert_eq!(shares, (100_000_000, Some(500_000_000)));
    assert_eq!((recordings.keep_free, recordings.hours_max), (KeepFree::Percent(5), 2));
    let bucket = Bucket {
        endpoint: "https://s3.acme.example".to_owned(),
        region: "eu-1".to_owned(),
        name: "rec".to_owned(),
        prefix: "hz".to_owned(),
        keys_file: Some("topology/s3.keys".into()),
    };
    assert_eq!((recordings.days_max, recordings.bucket.as_ref()), (Some(30), Some(&bucket)));
    let shown = mesh.summary().nodes.into_iter().find_map(|node| node.recordings).unwrap();
    assert_eq!(shown.bucket.as_deref(), Some("https://s3.acme.example/rec"));
}

#[test]
fn mistakes_say_what_to_write() {
    let cases = [
        ("bytes_max = 1", "`bytes_max` is not between 16777216"),
        ("when_full = \"stop\"", "it is delete-oldest or refuse"),
        ("keep_free = \"100%\"", "0% to 99% of the disk"),
        ("keep_free = \"some\"", "a number of bytes"),
        ("account_bytes_max = 1", "`account_bytes_max` is not between 16777216"),
        ("hours_max = 0", "`hours_max` is not between 1 and 744"),
        ("days_max = 0", "`days_max` is not between 1 and 36500"),
        ("directory = \"x\"", "unknown key `directory`"),
        ("bucket = { region = \"eu\", name = \"rec\" }", "has no `endpoint`"),
        ("bucket = { endpoint = \"s3\", region = \"eu\", name = \"rec\" }", "begins neither with https://"),
        (
            "bucket = { endpoint = \"https://me:peach@s3\", region = \"eu\", name = \"rec\" }",
            "an account before",
        ),
    ];
    for (table, told) in cases {
        let mistakes = mistakes(&with_recordings(table)).to_string();
        assert!(mistakes.contains(told), "{told:?} is missing in:\n{mistakes}");
    }
    let alone = mistakes(&format!("{MESH}recordings = {{}}\n")).to_string();
    assert!(alone.contains("`recordings` without `media`"), "{alone}");
}

#[test]
fn two_nodes_of_a_machine_record_into_directories_of_their_own() {
    let both = MESH.replace(
        "127.0.0.1:8001\" }\n",
        "127.0.0.1:8001\" }\nmedia = { listen = \"127.0.0.1:44400\" }\nrecordings = { dir = \"r\" }\n",
    );
    let text = format!("{both}{MEDIA}recordings = {{ dir = \"./r\" }}\n");
    let told = mistakes(&text).to_string();
    assert!(told.contains("`sh` and `hz` record into one directory"), "{told}");
}

#[test]
fn keys_written_into_the_file_by_mistake_are_not_shown() {
    let told = mistakes(&with_recordings(
        "bucket = { endpoint = \"https://s3\", region = \"eu\", name = \"rec\", secret_key = \"peach\" }",
    ));
    let told = told.to_string();
    assert!(told.contains("unknown key `secret_key`") && !told.contains("peach"), "{told}");
}
