//! Certificates and secrets: the files that the nodes will want to read must be there. Whether they are is told by the caller.

use std::path::{Path, PathBuf};

use crate::certs::Certs;
use crate::mistake::{Report, Span};
use crate::node::Node;
use crate::tcp::{Secret, TcpMode};

/// Where the file speaks of certificates, for mistakes that are found after parsing.
#[derive(Debug, Clone)]
pub(crate) struct FileSpans {
    pub(crate) certs_dir: Span,
    /// In the order of the topology's nodes.
    pub(crate) nodes: Vec<NodeFileSpans>,
}

/// The same for one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeFileSpans {
    pub(crate) name: Span,
    pub(crate) tls: Option<(Span, Span)>,
    /// Where the file of each TCP listener's secret is named, if it is in a file.
    pub(crate) secrets: Vec<Option<Span>>,
}

/// Reports every certificate, key and secret of `nodes` that does not exist.
pub(crate) fn check_files<'n>(
    certs: &Certs,
    nodes: impl Iterator<Item = (&'n Node, &'n NodeFileSpans)>,
    spans: &FileSpans,
    exists: &dyn Fn(&Path) -> bool,
    report: &Report<'_>,
) {
    let check = Check { exists, report, advice: make_them(report.file()) };
    let mut wants_authority = false;
    for (node, node_spans) in nodes {
        if node.parent().is_some() || node.links.is_some() {
            wants_authority = true;
            check.made_by_us(node, &certs.node(node), "link", &node_spans.name);
        }
        let Some(terminals) = &node.terminals else {
            continue;
        };
        match (&terminals.tls, &node_spans.tls) {
            (Some(tls), Some((cert, key))) => {
                check.given(node, "certificate", &tls.cert, cert);
                check.given(node, "key", &tls.key, key);
            }
            _ => check.made_by_us(node, &certs.terminals(node), "terminal", &node_spans.name),
        }
        for (tcp, span) in terminals.tcp.iter().zip(&node_spans.secrets) {
            if let (TcpMode::Encrypted { secret: Secret::File(path), .. }, Some(span)) = (&tcp.mode, span) {
                check.secret(node, path, span);
            }
        }
    }
    if wants_authority && !exists(&certs.authority()) {
        let what = format!("missing certificate of the authority: {}", certs.authority().display());
        report.add(&spans.certs_dir, what, check.advice);
    }
}

fn make_them(file: &str) -> String {
    format!("run `taoyao cert dev {file}` for development, else `taoyao cert issue`; or another [certs] dir")
}

struct Check<'a> {
    exists: &'a dyn Fn(&Path) -> bool,
    report: &'a Report<'a>,
    /// How to get the certificates that the product itself makes.
    advice: String,
}

impl Check<'_> {
    fn made_by_us(&self, node: &Node, (cert, key): &(PathBuf, PathBuf), kind: &str, span: &Span) {
        for path in [cert, key].into_iter().filter(|path| !(self.exists)(path)) {
            let what =
                format!("missing {kind} certificate or key of node `{}`: {}", node.name, path.display());
            self.report.add(span, what, self.advice.as_str());
        }
    }

    fn secret(&self, node: &Node, path: &Path, span: &Span) {
        if !(self.exists)(path) {
            let what =
                format!("missing secret of a TCP listener of node `{}`: {}", node.name, path.display());
            let advice = "the path of a file with the key in Base64, seen from the topology file's directory";
            self.report.add(span, what, advice);
        }
    }

    fn given(&self, node: &Node, kind: &str, path: &Path, span: &Span) {
        if !(self.exists)(path) {
            let what = format!("missing {kind} of node `{}`: {}", node.name, path.display());
            let advice = "the path of an existing file, seen from the topology file's directory; or no `tls`";
            self.report.add(span, what, advice);
        }
    }
}
