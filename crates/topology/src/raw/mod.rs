//! The file as it was written: every value has the right type and its place, nothing is compared with anything else yet.

mod media;
mod node;
mod policy;
mod recordings;
mod script;
mod tcp;

pub(crate) use media::RawMedia;
pub(crate) use node::{Advertised, Listen, RawListener, RawNode, Socket};
pub(crate) use policy::{RawPolicy, RawRule};
pub(crate) use script::RawScript;
pub(crate) use tcp::RawTcp;

use std::path::PathBuf;

use taoyao_types::name::check_label;
use toml::de::DeTable;

use crate::mistake::{At, Report, Source, Span};
use crate::paths::Base;
use crate::read::Table;
use crate::settings::{Ice, Limits, Login};

/// The file as it was written.
#[derive(Debug)]
pub(crate) struct RawTopology {
    pub(crate) org: Option<At<String>>,
    pub(crate) generation: u64,
    pub(crate) certs_dir: At<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) login: Login,
    pub(crate) ice: Ice,
    pub(crate) policy: RawPolicy,
    pub(crate) scripts: Vec<RawScript>,
    pub(crate) nodes: Vec<RawNode>,
}

impl RawTopology {
    /// Reads the text; `None` if it is not TOML, for then the rest would be guesswork.
    pub(crate) fn read(source: &Source, report: &Report<'_>) -> Option<Self> {
        let (document, errors) = DeTable::parse_recoverable(&source.text);
        let mut errors: Vec<_> =
            errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
        errors.sort_by_key(|(span, _)| (span.start, span.end));
        for (span, message) in &errors {
            report.add(span, format!("this is not TOML: {message}"), advice_for(message));
            if !is_repeated(message) {
                // How the parser goes on behind it is guesswork: one bracket would be a hundred mistakes.
                break;
            }
        }
        if !errors.is_empty() {
            return None;
        }
        Some(Self::read_document(
            Table::document(document.get_ref(), report),
            &Base::of_file(&source.file),
            report,
        ))
    }

    fn read_document(mut file: Table<'_>, base: &Base, report: &Report<'_>) -> Self {
        let org = file.required("org", "org = \"demo\"", read_org);
        let org_span = org.as_ref().map_or(0..0, |org| org.span.clone());
        let raw = Self {
            org,
            generation: file.integer("generation", "generation = 1", 1..=GENERATION_MAX).unwrap_or(1),
            certs_dir: read_certs(&mut file, base, org_span),
            limits: file.table("limits", "[limits]").map(Limits::read).unwrap_or_default(),
            login: match file.table("login", "[login]") {
                Some(table) => Login::read(table, base),
                None => Login::default_in(base),
            },
            ice: file.table("ice", "[ice]").map(Ice::read).unwrap_or_default(),
            policy: file
                .table("policy", "[policy]")
                .map_or_else(RawPolicy::default, |table| RawPolicy::read(table, report)),
            scripts: file
                .tables("script", "[[script]]")
                .into_iter()
                .filter_map(|table| RawScript::read(table, base))
                .collect(),
            nodes: file
                .tables("node", "[[node]]")
                .into_iter()
                .filter_map(|table| RawNode::read(table, base))
                .collect(),
        };
        file.finish();
        raw
    }
}

/// TOML's whole numbers are signed.
const GENERATION_MAX: u64 = i64::MAX as u64;

/// The trust domain of node identities: labels as in DNS.
fn read_org(text: &str) -> Result<String, String> {
    if text.len() > 253 {
        return Err("it is longer than 253 bytes".to_owned());
    }
    text.split('.').try_for_each(check_label).map_err(|why| why.to_string())?;
    Ok(text.to_owned())
}

/// The certificate directory; where none is written, a mistake about it is shown at `fallback`.
fn read_certs(file: &mut Table<'_>, base: &Base, fallback: Span) -> At<PathBuf> {
    let default = At { value: base.resolve("../certs"), span: fallback };
    let Some(mut table) = file.table("certs", "[certs]") else {
        return default;
    };
    let dir = table.text("dir", "dir = \"../certs\"");
    table.finish();
    dir.map_or(default, |dir| At { value: base.resolve(&dir.value), span: dir.span })
}

/// A repeated key leaves no doubt about what follows.
fn is_repeated(error: &str) -> bool {
    error.starts_with("duplicate key")
}

fn advice_for(error: &str) -> &'static str {
    if is_repeated(error) {
        "each key once in its table; a further node begins with a new [[node]] line"
    } else {
        "texts in quotes, lists in [ ], one key = value per line; what follows was not looked at"
    }
}
