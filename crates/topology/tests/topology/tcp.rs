//! Listeners for bare TCP sockets: what they mean, that unsafe ones have to be asked for, and their mistakes.

use std::path::{Path, PathBuf};

use taoyao_topology::{OldCipher, Secret, Tcp, TcpMode, Topology};

use crate::{MESH, mistakes, topology};

const KEY: &str = "secret = \"2SPWy+TF1zM=\"";

/// The mesh with these listeners at `hz`, its last node; they begin in line 20.
fn with_tcp(tcp: &str) -> String {
    MESH.replace("8002\" }", "8002\", tcp = [\n") + tcp + "\n] }\n"
}

fn listeners(mesh: &Topology) -> &[Tcp] {
    let terminals = mesh.by_name("hz").and_then(|hz| hz.terminals.as_ref());
    &terminals.expect("the mesh has it").tcp
}

/// Checks that a listener has exactly one mistake, whose text has all the parts and shows no secret.
#[track_caller]
fn assert_told(tcp: &str, parts: &[&str]) {
    let mistakes = mistakes(&with_tcp(tcp));
    assert_eq!(mistakes.list().len(), 1, "one mistake is expected:\n{mistakes}");
    for part in parts {
        assert!(mistakes.to_string().contains(part), "{part:?} is missing in:\n{mistakes}");
    }
    assert!(!format!("{mistakes} {mistakes:?}").contains("2SPW"), "{mistakes}");
}

#[test]
fn every_mode_is_read_and_none_is_the_default() {
    assert!(listeners(&topology(MESH)).is_empty());
    let mesh = topology(&with_tcp(&format!(
        "{{ listen = \"127.0.0.1:9001\", mode = \"tls\" }},\n\
         {{ listen = \"127.0.0.1:9002\", mode = \"plaintext\", allow_insecure_legacy = true }},\n\
         {{ listen = \"127.0.0.1:9003\", mode = \"des\", {KEY}, allow_insecure_legacy = true, frame_bytes_max = 2048 }},\n\
         {{ listen = \"127.0.0.1:9004\", mode = \"aes\", secret_file = \"../k\", allow_insecure_legacy = true }}"
    )));
    let names: Vec<&str> = listeners(&mesh).iter().map(|tcp| tcp.mode.name()).collect();
    assert_eq!(names, ["tls", "plaintext", "des", "aes"]);
    let [tls, _, des, aes] = listeners(&mesh) else { panic!("four listeners") };
    assert_eq!((tls.listen.port(), tls.frame_bytes_max, des.frame_bytes_max), (9001, None, Some(2048)));
    let TcpMode::Encrypted { cipher: OldCipher::Des, secret: Secret::Given(key) } = &des.mode else {
        panic!("{des:?}");
    };
    assert!(key.is_published());
    let from_file = TcpMode::Encrypted { cipher: OldCipher::Aes, secret: Secret::File(PathBuf::from("k")) };
    assert_eq!(aes.mode, from_file);
    assert!(!format!("{mesh:?}").contains("2SPW"));
    assert!(mesh.draw().contains("tcp 127.0.0.1:9003 (des)"), "{}", mesh.draw());
    assert_eq!(mesh.summary().nodes[3].tcp[3].mode, "aes");
}

#[test]
fn what_protects_nothing_has_to_be_asked_for() {
    let advice =
        "instead: mode = \"tls\"; or beside it, for old terminals that cannot: allow_insecure_legacy = true";
    let plaintext = "{ listen = \"127.0.0.1:9002\", mode = \"plaintext\" }";
    assert_told(plaintext, &["t.toml:20:37", "mode `plaintext`: passwords and calls can be read", advice]);
    let des = format!("{{ listen = \"127.0.0.1:9002\", mode = \"des\", {KEY} }}");
    assert_told(
        &des,
        &["t.toml:20:37", "mode `des`: its keys are found in hours and the published one", advice],
    );
    let aes =
        "{ listen = \"127.0.0.1:9002\", mode = \"aes\", secret_file = \"k\", allow_insecure_legacy = false }";
    assert_told(aes, &["t.toml:20:37", "mode `aes` (ECB, without authentication)", advice]);
}

#[test]
fn a_secret_that_is_no_key_is_told_what_to_write() {
    let listen = |rest: &str| {
        format!("{{ listen = \"127.0.0.1:9002\", allow_insecure_legacy = true,\nmode = \"{rest} }}")
    };
    assert_told(&listen("des\""), &["t.toml:20:1", "[[node.terminals.tcp]] has no `secret_file`"]);
    assert_told(
        &listen("des\", secret = \"2SPWy-TF1zM=\""),
        &["t.toml:21:24", "bad `secret`: it is not Base64", "instead: 8 bytes in Base64"],
    );
    assert_told(
        &listen(&format!("aes\", {KEY}")),
        &["it has 8 bytes, but AES takes 16, 24 or 32; `openssl rand -base64 32`", "instead: 16, 24 or 32"],
    );
    assert_told(&listen(&format!("des\", {KEY}, secret_file = \"k\"")), &["a secret and a file of it"]);
    assert_told(&listen(&format!("tls\", {KEY}")), &["a secret where none is used", "mode = \"aes\""]);
    assert_told(&listen("des\", secert = \"2SPWy+TF1zM=\", secret_file = \"k\""), &["unknown key `secert`"]);
}

#[test]
fn other_mistakes_of_a_listener_are_told() {
    assert_told(
        "{ mode = \"tls\" }",
        &["[[node.terminals.tcp]] has no `listen`", "instead: tcp = [{ listen ="],
    );
    assert_told("{ listen = \"127.0.0.1:9002\" }", &["has no `mode`", "instead: mode = \"tls\""]);
    let unknown = "{ listen = \"127.0.0.1:9002\", mode = \"rc4\" }";
    assert_told(unknown, &["`mode` = \"rc4\": the modes are tls, plaintext, des and aes"]);
    let short = "{ listen = \"127.0.0.1:9002\", mode = \"tls\", frame_bytes_max = 100 }";
    assert_told(short, &["`frame_bytes_max` is not between 1024 and 32767"]);
    let taken = "{ listen = \"127.0.0.1:8001\", mode = \"tls\" }";
    assert_told(
        taken,
        &["t.toml:20:12", "of `hz`.terminals.tcp clashes with 127.0.0.1:8001 of `sh`.terminals"],
    );
}

#[test]
fn a_missing_file_of_a_secret_is_told() {
    let text = with_tcp(
        "{ listen = \"127.0.0.1:9002\", mode = \"des\", allow_insecure_legacy = true, secret_file = \"k\" }",
    );
    let mesh = topology(&text);
    let hz = mesh.by_name("hz").unwrap().id;
    assert!(mesh.check_files(Some(hz), &|_| true).is_ok());
    let told = mesh.check_files(Some(hz), &|path| path != Path::new("topology/k")).unwrap_err().to_string();
    assert!(told.contains("missing secret of a TCP listener of node `cn/east/hz`: topology/k"), "{told}");
    assert!(told.contains("topology/t.toml:20:"), "{told}");
}
