//! The media forwarder's table: what it means, what its defaults are, and its mistakes.

use taoyao_topology::{Media, Topology};

use crate::{MESH, mistakes, topology};

/// The mesh with this table at `hz`, its last node.
fn with_media(media: &str) -> String {
    format!("{MESH}media = {{ {media} }}\n")
}

fn media(mesh: &Topology) -> &Media {
    mesh.by_name("hz").and_then(|hz| hz.media.as_ref()).expect("the mesh has it")
}

#[test]
fn an_address_is_enough() {
    let mesh = topology(&with_media("listen = \"127.0.0.1:44444\""));
    let media = media(&mesh);
    assert_eq!((media.listen.port(), media.advertise.to_string().as_str()), (44_444, "127.0.0.1:44444"));
    assert_eq!((media.workers, media.tcp, media.room_transports_per_worker), (None, true, None));
    assert_eq!((media.plain_ports.clone(), media.bitrate_in_max), (40_000..=44_443, 1_600_000));
    assert!(topology(MESH).by_name("hz").is_some_and(|hz| hz.media.is_none()), "nobody has it unasked");
}

#[test]
fn every_key_is_read() {
    let mesh = topology(&with_media(
        "listen = \"0.0.0.0:44444\", advertise = \"sh.example.com:44444\", workers = 4, tcp = false, \
         plain_ports = \"30000-30009\", bitrate_in_max = 8000000, room_transports_per_worker = 20",
    ));
    let media = media(&mesh);
    assert_eq!((media.workers, media.tcp, media.bitrate_in_max), (Some(4), false, 8_000_000));
    assert_eq!((media.plain_ports.clone(), media.room_transports_per_worker), (30_000..=30_009, Some(20)));
    assert!(mesh.draw().contains("media sh.example.com:44444"), "{}", mesh.draw());
}

#[test]
fn the_default_for_plain_rtp_leaves_out_what_is_listened_on_beside_it() {
    let ports = |hz: &str, sh: &str| {
        let sh = format!("terminals = {{ listen = \"127.0.0.1:8001\" }}\n{sh}\n");
        let text = with_media(hz).replace("terminals = { listen = \"127.0.0.1:8001\" }\n", &sh);
        media(&topology(&text)).plain_ports.clone()
    };
    let own = "listen = \"127.0.0.1:44400\", workers = 4";
    assert_eq!(ports(own, ""), 40_000..=44_399);
    let low = "media = { listen = \"127.0.0.1:40010\", workers = 10 }";
    assert_eq!(ports(own, low), 40_020..=44_399);
    assert_eq!(ports("listen = \"127.0.0.1:40000\", workers = 1", ""), 40_001..=44_443);
    let plain = "media = { listen = \"127.0.0.1:6000\", plain_ports = \"39000-43000\" }";
    assert_eq!(ports("listen = \"127.0.0.1:44444\"", plain), 43_001..=44_443);
    let elsewhere = "host = \"elsewhere\"\nmedia = { listen = \"127.0.0.1:40010\", workers = 10 }";
    assert_eq!(ports("listen = \"127.0.0.1:44444\"", elsewhere), 40_000..=44_443);
}

#[test]
fn mistakes_say_what_to_write() {
    let cases = [
        ("workers = 2", "has no `listen`"),
        ("listen = \"0.0.0.0:44444\"", "nobody can dial 0.0.0.0:44444"),
        ("listen = \"127.0.0.1:44444\", workers = 0", "`workers` is not between 1 and 256"),
        ("listen = \"127.0.0.1:44444\", plain_ports = \"9-1\"", "the first port is above the last"),
        ("listen = \"127.0.0.1:44444\", plain_ports = \"many\"", "plain_ports = \"40000-44443\""),
        ("listen = \"127.0.0.1:44444\", bitrate_in_max = 1", "`bitrate_in_max` is not between"),
        ("listen = \"127.0.0.1:44444\", worker = 2", "unknown key `worker`"),
    ];
    for (table, told) in cases {
        let mistakes = mistakes(&with_media(table)).to_string();
        assert!(mistakes.contains(told), "{told:?} is missing in:\n{mistakes}");
    }
}
