//! Certificates and secrets: the files that the nodes will want to read must be there, and be right. The caller looks at them.

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

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertUse {
    /// The organisation's own, which signs the others.
    Authority,
    /// A node's on links.
    Link,
    /// A node's towards terminals, made by the product.
    Terminals,
    /// The same, made by somebody else and named by the operator.
    OwnTerminals,
}

/// A certificate and the key that belongs to it, both there.
#[derive(Debug, Clone)]
pub struct CertFiles<'t> {
    pub usage: CertUse,
    /// Whose it is; none for the authority's.
    pub node: Option<&'t Node>,
    pub cert: PathBuf,
    /// None for the authority's, which only signs where it is kept.
    pub key: Option<PathBuf>,
}

/// What is wrong with one, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertFault {
    pub what: String,
    pub advice: String,
}

/// How the caller looks at files.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
    pub(crate) examine: &'a dyn Fn(&CertFiles<'_>) -> Vec<CertFault>,
}

/// Reports every certificate, key and secret of `nodes` that does not exist, and every certificate that is not right.
pub(crate) fn check_files<'n>(
    certs: &Certs,
    nodes: impl Iterator<Item = (&'n Node, &'n NodeFileSpans)>,
    spans: &FileSpans,
    look: Look<'_>,
    report: &Report<'_>,
) {
    let check = Check { look, report, advice: make_them(report.file()) };
    let mut wants_authority = false;
    for (node, node_spans) in nodes {
        if node.parent().is_some() || node.links.is_some() {
            wants_authority = true;
            check.made_by_us(node, certs.node(node), CertUse::Link, &node_spans.name);
        }
        let Some(terminals) = &node.terminals else {
            continue;
        };
        match (&terminals.tls, &node_spans.tls) {
            (Some(tls), Some((cert, key))) => {
                check.given(node, "certificate", &tls.cert, cert);
                check.given(node, "key", &tls.key, key);
                let files = (tls.cert.clone(), tls.key.clone());
                check.examine(Some(node), files, CertUse::OwnTerminals, cert);
            }
            _ => check.made_by_us(node, certs.terminals(node), CertUse::Terminals, &node_spans.name),
        }
        for (tcp, span) in terminals.tcp.iter().zip(&node_spans.secrets) {
            if let (TcpMode::Encrypted { secret: Secret::File(path), .. }, Some(span)) = (&tcp.mode, span) {
                check.secret(node, path, span);
            }
        }
    }
    let authority = certs.authority();
    if wants_authority && !(look.exists)(&authority) {
        let what = format!("missing certificate of the authority: {}", authority.display());
        report.add(&spans.certs_dir, what, check.advice);
    } else if wants_authority {
        let files = CertFiles { usage: CertUse::Authority, node: None, cert: authority, key: None };
        check.tell(&files, &spans.certs_dir);
    }
}

fn make_them(file: &str) -> String {
    format!("run `taoyao cert dev {file}` for development, else `taoyao cert issue`; or another [certs] dir")
}

struct Check<'a> {
    look: Look<'a>,
    report: &'a Report<'a>,
    /// How to get the certificates that the product itself makes.
    advice: String,
}

impl Check<'_> {
    fn made_by_us(&self, node: &Node, files: (PathBuf, PathBuf), usage: CertUse, span: &Span) {
        let kind = if usage == CertUse::Link { "link" } else { "terminal" };
        for path in [&files.0, &files.1].into_iter().filter(|path| !(self.look.exists)(path)) {
            let what =
                format!("missing {kind} certificate or key of node `{}`: {}", node.name, path.display());
            self.report.add(span, what, self.advice.as_str());
        }
        self.examine(Some(node), files, usage, span);
    }

    /// Has a pair looked at that is there.
    fn examine(&self, node: Option<&Node>, (cert, key): (PathBuf, PathBuf), usage: CertUse, span: &Span) {
        if (self.look.exists)(&cert) && (self.look.exists)(&key) {
            self.tell(&CertFiles { usage, node, cert, key: Some(key) }, span);
        }
    }

    fn tell(&self, files: &CertFiles<'_>, span: &Span) {
        for CertFault { what, advice } in (self.look.examine)(files) {
            self.report.add(span, what, advice);
        }
    }

    fn secret(&self, node: &Node, path: &Path, span: &Span) {
        if !(self.look.exists)(path) {
            let what =
                format!("missing secret of a TCP listener of node `{}`: {}", node.name, path.display());
            let advice = "the path of a file with the key in Base64, seen from the topology file's directory";
            self.report.add(span, what, advice);
        }
    }

    fn given(&self, node: &Node, kind: &str, path: &Path, span: &Span) {
        if !(self.look.exists)(path) {
            let what = format!("missing {kind} of node `{}`: {}", node.name, path.display());
            let advice = "the path of an existing file, seen from the topology file's directory; or no `tls`";
            self.report.add(span, what, advice);
        }
    }
}
