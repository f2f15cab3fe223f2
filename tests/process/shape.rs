//! The trees that tests run, and the topology files that describe them.

use std::fmt::Write as _;

use taoyao_types::NodeName;

use crate::ports;

/// Every mesh of these tests is of this organisation.
pub(crate) const ORG: &str = "acme";
/// The account that all terminals use.
pub(crate) const USERNAME: &str = "taoyao";
pub(crate) const PASSWORD: &str = "hear-and-see";

/// Nodes by short name, each with its parent before it.
pub(crate) type Shape = [(&'static str, Option<&'static str>)];

/// The tree of `topology/seven.toml`: a root, two regions, four sites.
pub(crate) const SEVEN: &Shape = &[
    ("cn", None),
    ("east", Some("cn")),
    ("north", Some("cn")),
    ("sh", Some("east")),
    ("hz", Some("east")),
    ("bj", Some("north")),
    ("tj", Some("north")),
];
/// A node by itself.
pub(crate) const ONE: &Shape = &[("cn", None)];
/// A root with two children.
pub(crate) const THREE: &Shape = &[("cn", None), ("east", Some("cn")), ("north", Some("cn"))];

/// One node's place in the tree and on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) short: &'static str,
    pub(crate) parent: Option<&'static str>,
    pub(crate) name: NodeName,
    pub(crate) has_children: bool,
    pub(crate) terminals: u16,
    pub(crate) links: u16,
    pub(crate) admin: u16,
}

/// Finds a name and free ports for every node of a shape.
pub(crate) fn places(shape: &Shape) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for &(short, parent) in shape {
        let above = parent.map(|parent| places.iter().find(|place| place.short == parent).unwrap());
        let name = above.map_or(short.to_owned(), |above| format!("{}/{short}", above.name));
        places.push(Place {
            short,
            parent,
            name: name.parse().unwrap(),
            has_children: shape.iter().any(|(_, parent)| *parent == Some(short)),
            terminals: ports::free(),
            links: ports::free(),
            admin: ports::free(),
        });
    }
    places
}

/// The topology file. `detour` is a node whose children are told another port to dial.
pub(crate) fn topology(places: &[Place], detour: Option<(&str, u16)>) -> String {
    let mut file = format!(
        "# The topology of one test.\n\
         org = \"{ORG}\"\n\
         login = {{ development = true, shared_account = {{ username = \"{USERNAME}\", password = \"{PASSWORD}\" }} }}\n\
         policy = {{ between_partitions = [\"see\", \"presence\", \"call\", \"control\", \"room\"] }}\n"
    );
    for place in places {
        let Place { short, terminals, links, admin, .. } = place;
        writeln!(file, "[[node]]\nname = \"{short}\"").unwrap();
        writeln!(file, "terminals = {{ listen = \"127.0.0.1:{terminals}\" }}").unwrap();
        writeln!(file, "admin = {{ listen = \"127.0.0.1:{admin}\" }}").unwrap();
        match place.parent {
            // The root owns a second partition, whose terminals roam between the sites.
            None => file.push_str("partitions = [\"cn\", \"mobile.cn\"]\n"),
            Some(parent) => writeln!(file, "parent = [\"{parent}\"]").unwrap(),
        }
        if place.has_children {
            let dialled = detour.filter(|(node, _)| node == short).map_or(*links, |(_, port)| port);
            let advertise = format!("127.0.0.1:{dialled}");
            writeln!(file, "links = {{ listen = \"127.0.0.1:{links}\", advertise = \"{advertise}\" }}")
                .unwrap();
        } else if place.parent.is_some() {
            file.push_str("serves = [\"mobile.cn\"]\n");
        }
    }
    file
}
