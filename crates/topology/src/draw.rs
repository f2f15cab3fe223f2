//! The topology as a drawing for people.

use crate::node::Node;
use crate::suggest::listed;
use crate::topology::Topology;

impl Topology {
    /// A tree of the nodes, one a line, with partitions and addresses in columns, and behind it the rewriting rules; ends
    /// without a line break.
    pub fn draw(&self) -> String {
        let head = format!(
            "{} · generation {} · {} · {}",
            self.org,
            self.generation,
            counted(self.nodes.len(), "node"),
            counted(self.partitions.len(), "partition")
        );
        let mut rows = Vec::new();
        self.draw_below(0, "", "", &mut rows);
        let drawn = align(&rows).into_iter().chain(self.rewrites());
        format!("{head}\n{}", drawn.collect::<Vec<String>>().join("\n"))
    }

    /// The rewriting rules of all nodes, one a line: `sh rewrites 192.168.1.0/24: 192.168.1.2 inside`.
    pub fn rewrites(&self) -> Vec<String> {
        let of_node = |node: &Node| -> Vec<String> {
            node.rewrite.rules.iter().map(|rule| format!("{} rewrites {rule}", node.name.short())).collect()
        };
        self.nodes.iter().flat_map(of_node).collect()
    }

    /// Draws a node behind `own` and its children behind `below`; depth is bounded by the number of tiers.
    fn draw_below(&self, index: usize, own: &str, below: &str, rows: &mut Vec<[String; COLUMNS]>) {
        let node = &self.nodes[index];
        rows.push(self.row(own, node));
        let children = &self.downs[index];
        for (nth, &child) in children.iter().enumerate() {
            let (branch, bar) =
                if nth + 1 == children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.draw_below(child, &format!("{below}{branch}"), &format!("{below}{bar}"), rows);
        }
    }

    fn row(&self, branch: &str, node: &Node) -> [String; COLUMNS] {
        let served = match node.serves.as_slice() {
            [] => String::new(),
            serves => format!(" (serves {})", listed(serves.iter().map(|name| name.as_str()))),
        };
        let partitions = listed(node.partitions.iter().map(|name| name.as_str()));
        let mut places = Vec::new();
        places.extend(node.terminals.as_ref().map(|at| format!("terminals {}", at.advertise)));
        let tcp = node.terminals.iter().flat_map(|at| &at.tcp);
        places.extend(tcp.map(|tcp| format!("tcp {} ({})", tcp.listen, tcp.mode.name())));
        places.extend(node.links.as_ref().map(|at| format!("links {}", at.advertise)));
        places.extend(node.media.as_ref().map(|at| format!("media {}", at.advertise)));
        places.extend(node.admin.map(|at| format!("admin {at}")));
        let standby = node.parents.iter().skip(1).filter_map(|id| self.node(*id));
        places.extend(standby.map(|node| format!("standby {}", node.name)));
        [format!("{branch}{}", node.name.short()), format!("{partitions}{served}"), places.join("  ")]
    }
}

const COLUMNS: usize = 3;

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn align(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let line = |[name, partitions, places]: &[String; COLUMNS]| {
        format!("{name:first$}  {partitions:second$}  {places}").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
