//! `GET /metrics`: samples in Prometheus' text format, version 0.0.4.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::listener::AdminCounters;
use crate::request::AdminRequest;
use crate::service::AdminService;

/// One value of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `taoyao_` first, the unit last, `_total` at the end of a counter.
    pub name: &'static str,
    /// What it counts, in one sentence; the first sample's of a name is shown.
    pub help: &'static str,
    pub kind: Kind,
    /// Names and values; any text may be a value.
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only up, from zero at the node's start.
    Counter,
    /// Up and down.
    Gauge,
}

pub(crate) async fn metrics(State(service): State<AdminService>) -> Response {
    match service.ask(|reply| AdminRequest::Metrics { reply }).await {
        Ok(mut samples) => {
            samples.extend(service.counters().samples());
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exposition(&samples))
                .into_response()
        }
        Err(failure) => failure.as_text(),
    }
}

impl AdminCounters {
    fn samples(&self) -> [Sample; 2] {
        let counter = |name, help, count: &AtomicU64| {
            let value = count.load(Ordering::Relaxed) as f64;
            Sample { name, help, kind: Kind::Counter, labels: Vec::new(), value }
        };
        [
            counter(
                "taoyao_admin_accepts_failed_total",
                "operators' connections that found no descriptor, or only a kept one",
                &self.accepts_failed,
            ),
            counter(
                "taoyao_admin_cut_off_total",
                "operators' connections cut off for newer ones",
                &self.cut_off,
            ),
        ]
    }
}

/// The samples as text: those of one name together, in the order of their first appearance.
fn exposition(samples: &[Sample]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for sample in samples {
        if !names.contains(&sample.name) {
            names.push(sample.name);
        }
    }
    let mut text = String::new();
    for name in names {
        let mut of_name = samples.iter().filter(|sample| sample.name == name).peekable();
        if let Some(first) = of_name.peek() {
            write_head(&mut text, first);
        }
        of_name.for_each(|sample| write_sample(&mut text, sample));
    }
    text
}

fn write_head(text: &mut String, sample: &Sample) {
    let Sample { name, kind, .. } = sample;
    let help = sample.help.replace('\\', "\\\\").replace('\n', "\\n");
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

fn write_sample(text: &mut String, sample: &Sample) {
    text.push_str(sample.name);
    for (at, (name, value)) in sample.labels.iter().enumerate() {
        let before = if at == 0 { '{' } else { ',' };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        text.push_str(&format!("{before}{name}=\"{value}\""));
    }
    if !sample.labels.is_empty() {
        text.push('}');
    }
    let value = match sample.value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    };
    writeln!(text, " {value}").expect("writing into a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_name_stand_together_under_one_head() {
        let samples = [
            sample("taoyao_links", Kind::Gauge, &[("peer", "cn")], 1.0),
            sample("taoyao_signals_total", Kind::Counter, &[], 12.0),
            sample("taoyao_links", Kind::Gauge, &[("peer", "cn/east"), ("state", "synced")], 0.5),
        ];
        let expected = "\
# HELP taoyao_links What it counts.
# TYPE taoyao_links gauge
taoyao_links{peer=\"cn\"} 1
taoyao_links{peer=\"cn/east\",state=\"synced\"} 0.5
# HELP taoyao_signals_total What it counts.
# TYPE taoyao_signals_total counter
taoyao_signals_total 12
";
        assert_eq!(exposition(&samples), expected);
    }

    #[test]
    fn any_text_may_be_a_label() {
        let text = exposition(&[sample("m", Kind::Gauge, &[("why", "a \"b\" \\ c\nd 桃")], 0.0)]);
        assert!(text.ends_with("m{why=\"a \\\"b\\\" \\\\ c\\nd 桃\"} 0\n"), "{text}");
    }

    #[test]
    fn large_and_strange_values_are_written_as_prometheus_reads_them() {
        let shown =
            |value| exposition(&[sample("m", Kind::Gauge, &[], value)]).lines().last().unwrap().to_owned();
        assert_eq!(shown(9_007_199_254_740_991.0), "m 9007199254740991");
        assert_eq!(shown(f64::INFINITY), "m +Inf");
        assert_eq!(shown(f64::NAN), "m NaN");
        assert_eq!(exposition(&[]), "");
    }

    fn sample(name: &'static str, kind: Kind, labels: &[(&'static str, &str)], value: f64) -> Sample {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Sample { name, help: "What it counts.", kind, labels, value }
    }
}
