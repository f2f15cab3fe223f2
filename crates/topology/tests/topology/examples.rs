//! The files in `topology/` are what the README says they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use taoyao_topology::Topology;

#[test]
fn every_example_file_is_without_mistakes() {
    let mut seen = 0;
    for entry in directory().read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            load(&path);
            seen += 1;
        }
    }
    assert!(seen >= 3, "only {seen} example files found");
}

#[test]
fn the_demo_has_three_tiers_and_a_partition_that_roams() {
    let demo = load(&directory().join("demo.toml"));
    let names: Vec<&str> = demo.nodes().iter().map(|node| node.name.as_str()).collect();
    let sites = ["cn/east", "cn/east/sh", "cn/east/hz", "cn/north", "cn/north/bj", "cn/north/tj"];
    assert_eq!(names, [&["cn"][..], &sites].concat());
    let mobile = demo.partitions().find(|partition| partition.name.as_str() == "mobile.cn").unwrap();
    assert_eq!(mobile.owner, demo.root().id);
    assert_eq!(mobile.servers.len(), 5);
    assert_eq!(demo.by_name("sh").unwrap().home_partition().as_str(), "sh.east.cn");
}

#[test]
fn seven_is_the_demo_on_other_ports() {
    let shape = |file| {
        let topology = load(&directory().join(file));
        let rows = topology
            .nodes()
            .iter()
            .map(|node| (node.name.clone(), node.attachable().cloned().collect::<Vec<_>>()));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(shape("demo.toml"), shape("seven.toml"));
}

#[test]
fn all_examples_run_beside_each_other() {
    let files = ["demo.toml", "seven.toml", "single.toml"];
    let meshes = files.map(|file| load(&directory().join(file)));
    let mut wrong = Vec::new();
    for (at, mesh) in meshes.iter().enumerate() {
        for (other_at, other) in meshes.iter().enumerate().skip(at + 1) {
            let pair = format!("{} and {}", files[at], files[other_at]);
            let (a, b) = (taken(mesh), taken(other));
            wrong.extend(a.iter().filter(|what| b.contains(*what)).map(|what| format!("{pair}: {what}")));
            if mesh.org() != other.org() && mesh.certs().dir() == other.certs().dir() {
                wrong.push(format!("{pair}: two authorities in one directory"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Ports and directories that the nodes of a mesh take for themselves.
fn taken(mesh: &Topology) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for node in mesh.nodes() {
        let tcp = [
            node.admin,
            node.terminals.as_ref().map(|at| at.listen),
            node.media.as_ref().map(|at| at.listen),
        ];
        taken.extend(tcp.into_iter().flatten().map(|at| format!("TCP {}", at.port())));
        let udp = [node.links.as_ref().map(|at| at.listen), node.media.as_ref().map(|at| at.listen)];
        taken.extend(udp.into_iter().flatten().map(|at| format!("UDP {}", at.port())));
        let plain = node.media.iter().flat_map(|media| media.plain_ports.clone());
        taken.extend(plain.map(|port| format!("UDP {port}")));
        let dirs = [Some(&node.state_dir), node.recordings.as_ref().map(|recordings| &recordings.dir)];
        taken.extend(dirs.into_iter().flatten().map(|dir| dir.display().to_string()));
    }
    taken
}

#[test]
fn the_demos_drawing_shows_every_node_on_a_line() {
    let demo = load(&directory().join("demo.toml"));
    let drawn = demo.draw();
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[0], "demo · generation 1 · 7 nodes · 8 partitions");
    assert!(lines[1].starts_with("cn        cn, mobile.cn"), "{drawn}");
    assert!(lines[3].starts_with("│  ├─ sh  sh.east.cn (serves mobile.cn)"), "{drawn}");
    assert!(lines[7].starts_with("   └─ tj  tj.north.cn (serves mobile.cn)"), "{drawn}");
    assert!(lines[7].ends_with("media 127.0.0.1:44460  admin 127.0.0.1:9886"), "{drawn}");
}

#[test]
fn the_documentations_example_is_right_and_drawn_as_it_says() {
    for file in ["../docs/topology.md", "../docs/zh/topology.md"] {
        let text = read(&directory().join(file));
        let example = fenced(&text, "toml").expect("the documentation begins with an example");
        let drawing = fenced(&text, "text").expect("the example is drawn");
        let topology = Topology::parse("example.toml", example).unwrap();
        assert_eq!(topology.draw(), drawing.trim_end(), "in {file}");
    }
}

/// The first fenced block of a language.
fn fenced<'t>(text: &'t str, language: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("```{language}\n"))?;
    rest.split_once("```").map(|(block, _)| block)
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topology")
}

fn load(path: &Path) -> Topology {
    match Topology::parse(&path.display().to_string(), &read(path)) {
        Ok(topology) => topology,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the crate reads no files, its tests do")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file can be read")
}
