//! Missing certificates are told with the node that needs them.

use std::path::Path;

use crate::{MESH, topology};

#[test]
fn a_mesh_with_all_its_files_is_fine() {
    assert!(topology(MESH).check_files(None, &|_| true).is_ok());
}

#[test]
fn every_missing_file_is_told_with_its_node() {
    let mesh = topology(MESH);
    let told = mesh.check_files(None, &|_| false).unwrap_err();
    // The authority; certificate and key of four nodes on links; those of two with terminals.
    assert_eq!(told.list().len(), 1 + 4 * 2 + 2 * 2, "{told}");
    let told = told.to_string();
    assert!(told.contains("missing certificate of the authority: certs/ca.crt"), "{told}");
    assert!(
        told.contains("missing link certificate or key of node `cn/east/sh`: certs/nodes/sh.key"),
        "{told}"
    );
    assert!(told.contains("topology/t.toml:1:7"), "{told}");
    assert!(told.contains("topology/t.toml:11:8"), "{told}");
    assert!(told.contains("run `taoyao cert dev topology/t.toml`"), "{told}");
}

#[test]
fn one_nodes_files_can_be_looked_at_alone() {
    let mesh = topology(MESH);
    let hz = mesh.by_name("hz").unwrap().id;
    let exists = |path: &Path| path != Path::new("certs/terminals/hz.key");
    let told = mesh.check_files(Some(hz), &exists).unwrap_err();
    assert_eq!(told.list().len(), 1, "{told}");
    assert!(told.to_string().contains("missing terminal certificate or key of node `cn/east/hz`"), "{told}");
    let sh = mesh.by_name("sh").unwrap().id;
    assert!(mesh.check_files(Some(sh), &exists).is_ok());
}

#[test]
fn the_operators_own_files_are_looked_for_where_they_are_said_to_be() {
    let tls = "tls = { cert = \"own/hz.crt\", key = \"/etc/hz.key\" }";
    let text = MESH.replace("\"127.0.0.1:8002\" }", &format!("\"127.0.0.1:8002\", {tls} }}"));
    let mesh = topology(&text);
    let told = mesh.check_files(None, &|path| path.starts_with("certs")).unwrap_err().to_string();
    assert!(told.contains("missing certificate of node `cn/east/hz`: topology/own/hz.crt"), "{told}");
    assert!(told.contains("topology/t.toml:18:57"), "{told}");
    assert!(told.contains("missing key of node `cn/east/hz`: /etc/hz.key"), "{told}");
}

#[test]
fn a_node_by_itself_needs_no_link_certificate() {
    let text = "org = \"x\"\n[[node]]\nname = \"a\"\nterminals = { listen = \"127.0.0.1:1\" }\n";
    let told = topology(text).check_files(None, &|_| false).unwrap_err();
    assert_eq!(told.list().len(), 2, "{told}");
}
