//! Files that are not what they should be, and names that are nobody's: told in one sentence each, with what to do instead.

use std::fs;

use crate::support::Site;

#[test]
fn a_file_in_another_encoding_is_a_mistake_of_the_file() {
    let site = Site::new();
    let text = fs::read_to_string(site.path("mesh.toml")).unwrap();
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(site.path("utf16.toml"), &utf16).unwrap();
    fs::write(site.path("users.toml"), &utf16).unwrap();
    for arguments in [
        &["topology", "check", "utf16.toml"][..],
        &["topology", "show", "utf16.toml"],
        &["status", "--topology", "utf16.toml"],
        &["up", "utf16.toml"],
        &["node", "sh", "--topology", "utf16.toml"],
    ] {
        let told = site.run(arguments).ends_with(78);
        assert!(told.err.contains("utf16.toml") && told.err.contains("save it as UTF-8"), "{}", told.err);
    }
    let with_users = text.replace("[login]\n", "[login]\nusers = \"users.toml\"\n");
    fs::write(site.path("mesh.toml"), with_users).unwrap();
    let told = site.run(&["user", "list", "--topology", "mesh.toml"]).ends_with(78);
    assert!(told.err.contains("users.toml") && told.err.contains("save it as UTF-8"), "{}", told.err);
}

#[test]
fn a_mark_at_the_beginning_of_a_file_in_utf_8_does_no_harm() {
    let site = Site::new();
    let text = fs::read_to_string(site.path("mesh.toml")).unwrap();
    fs::write(site.path("marked.toml"), format!("\u{feff}{text}")).unwrap();
    site.run(&["topology", "check", "marked.toml"]).ends_with(0);
}

#[test]
fn a_name_that_is_nobodys_is_an_error_with_the_likely_one() {
    let site = Site::new();
    for (arguments, told) in [
        (&["terminals", "--partition", "sh.east.cm"][..], "did you mean \"sh.east.cn\"?"),
        (&["terminals", "--partition", "elsewhere"], "it has: "),
        (&["terminals", "--after", "ann@sh.esat.cn"], "did you mean \"sh.east.cn\"?"),
        (&["trace", "ann@sh.east.cn", "bob@bj.norht.cn"], "did you mean \"bj.north.cn\"?"),
        (&["trace", "ann@sh.est.cn", "bob@bj.north.cn"], "did you mean \"sh.east.cn\"?"),
        (&["status", "--node", "esat"], "did you mean \"east\"?"),
        (&["links", "--node", "cn/east/hs"], "did you mean \"cn/east/sh\"?"),
        (&["alarms", "--node", "x"], "it has: "),
        (&["rooms", "--node", "nroth"], "did you mean \"north\"?"),
        (&["recordings", "--node", "nroth"], "did you mean \"north\"?"),
        (&["recordings", "--room", "00000000-0000-4000-8000-000000000000"], "is no room of mesh.toml"),
        (
            &["user", "add", "ann", "--password-stdin", "--partition", "sh.eastcn"],
            "did you mean \"sh.east.cn\"?",
        ),
        (&["cert", "issue", "hs"], "did you mean \"sh\"?"),
    ] {
        let arguments = [arguments, &["--topology", "mesh.toml"]].concat();
        let run = site.run_with_input(&arguments, "a-good-password\n").ends_with(64);
        assert!(run.err.contains(told) && run.out.is_empty(), "{arguments:?}: {}{}", run.out, run.err);
    }
}

#[test]
fn a_certificate_that_will_not_do_is_told_before_anybody_is_refused() {
    let site = Site::new();
    let check = ["topology", "check", "--certs", "mesh.toml"];
    site.run(&["cert", "dev", "mesh.toml"]).ends_with(0);
    site.run(&check).ends_with(0);
    let certs = |name: &str| site.path("certs").join(name);
    let told = |expected: &[&str]| {
        let run = site.run(&check).ends_with(1);
        for words in expected {
            assert!(run.err.contains(words), "{words:?} is missing in:\n{}", run.err);
        }
        assert!(run.err.contains("1 mistake;"), "{}", run.err);
    };

    let (own, other) = (certs("nodes/sh.crt"), certs("nodes/bj.crt"));
    let kept = fs::read(&own).unwrap();
    fs::copy(certs("terminals/sh.crt"), certs("terminals/sh.kept")).unwrap();
    // The certificate of another node, with its own key beside it.
    let key = fs::read(certs("nodes/sh.key")).unwrap();
    fs::copy(&other, &own).unwrap();
    fs::copy(certs("nodes/bj.key"), certs("nodes/sh.key")).unwrap();
    told(&[
        "the link certificate of node `cn/east/sh` is of spiffe://test/node/cn/north/bj, not of",
        "taoyao cert issue sh --renew",
    ]);
    fs::write(certs("nodes/sh.key"), &key).unwrap();
    fs::write(&own, &kept).unwrap();

    fs::copy(certs("terminals/bj.crt"), certs("terminals/sh.crt")).unwrap();
    told(&["the terminal certificate of node `cn/east/sh` is over another key than the one beside it"]);
    fs::copy(certs("terminals/sh.kept"), certs("terminals/sh.crt")).unwrap();

    let elsewhere = Site::new();
    elsewhere.run(&["cert", "dev", "mesh.toml"]).ends_with(0);
    for part in ["crt", "key"] {
        fs::copy(
            elsewhere.path("certs/nodes").join(format!("sh.{part}")),
            certs(&format!("nodes/sh.{part}")),
        )
        .unwrap();
    }
    told(&["the link certificate of node `cn/east/sh` is not signed by the authority of this mesh"]);
    site.run(&["topology", "check", "--node", "bj", "mesh.toml"]).ends_with(0);
    site.run(&["topology", "check", "--node", "sh", "mesh.toml"]).ends_with(1);
}

#[test]
fn whoever_waits_for_a_mesh_that_does_not_come_is_told_in_time() {
    let site = Site::new();
    let begin = std::time::Instant::now();
    let run = site.run(&["status", "--wait", "2", "--topology", "mesh.toml"]).ends_with(69);
    assert!(run.err.contains("no node of mesh.toml is running here"), "{}", run.err);
    assert!(begin.elapsed().as_secs() >= 2, "{:?}", begin.elapsed());
    let run =
        site.run(&["status", "--wait", "2", "--node", "nobody", "--topology", "mesh.toml"]).ends_with(64);
    assert!(run.err.contains("no node \"nobody\""), "{}", run.err);
}
