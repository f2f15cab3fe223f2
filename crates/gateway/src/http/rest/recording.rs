//! Recordings by REST: what is asked of the node, and its answer as HTTP has it.

use std::fmt;
use std::io;
use std::ops::Range;

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde_json::Value;
use taoyao_wire::terminal::Code;

use super::answer::{done, success};
use super::fault::Fault;
use super::unkept;

/// What a path does with recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    List,
    Status,
    Media,
    Preview,
    Delete,
}

/// What is wanted of the node's recordings. Ids are as the caller wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingAsk {
    List,
    Status(String),
    Media { id: String, range: Option<ByteRange> },
    Preview(String),
    Delete(String),
}

/// Bytes of a file as a request names them (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// The last is included.
    From {
        first: u64,
        last: Option<u64>,
    },
    Last(u64),
}

/// The node's answer.
#[derive(Debug)]
pub enum RecordingAnswer {
    /// One entry or a list of them.
    Told(Value),
    File(RecordingFile),
    Deleted,
}

/// A file on its way to whoever called.
pub struct RecordingFile {
    /// Of ASCII letters, digits, dashes and dots.
    pub name: String,
    pub content_type: &'static str,
    /// Which bytes come, and of how many; `None`: all, and nobody knows how many.
    pub part: Option<(Range<u64>, u64)>,
    pub is_partial: bool,
    pub content: BoxStream<'static, Result<Bytes, io::Error>>,
}

/// Why the node does not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFault {
    #[error("this node has no recorder")]
    SwitchedOff,
    /// Not there, or not for this account, which is not told which of the two.
    #[error("there is no such recording")]
    Missing,
    #[error("the recording is under way; stop it first")]
    UnderWay,
    #[error("the recording has {0} bytes")]
    Beyond(u64),
    #[error("{0}")]
    Failed(String),
}

impl ByteRange {
    /// One range of bytes; whatever else is asked for is ignored, as RFC 9110 allows.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let (first, last) = headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        match (first.trim(), last.trim()) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => Some(Self::From { first: number(first)?, last: None }),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From { first, last: Some(last) })
            }
        }
    }

    /// Of a file of so many bytes; `None` if it lies beyond.
    pub fn of(self, bytes: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From { first, last } => first..last.map_or(bytes, |last| last.saturating_add(1).min(bytes)),
            Self::Last(count) => bytes.saturating_sub(count)..bytes,
        };
        (range.start < range.end).then_some(range)
    }
}

impl fmt::Debug for RecordingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingFile")
            .field("name", &self.name)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

/// What a call asks of the node.
pub(super) fn ask(deed: Deed, variables: &RawPathParams, headers: &HeaderMap) -> RecordingAsk {
    let id = variables.iter().next().map(|(_, id)| id.to_owned()).unwrap_or_default();
    match deed {
        Deed::List => RecordingAsk::List,
        Deed::Status => RecordingAsk::Status(id),
        Deed::Media => RecordingAsk::Media { id, range: ByteRange::read(headers) },
        Deed::Preview => RecordingAsk::Preview(id),
        Deed::Delete => RecordingAsk::Delete(id),
    }
}

pub(super) fn tell(answered: Result<RecordingAnswer, RecordingFault>) -> Result<Response, Fault> {
    match answered {
        Ok(RecordingAnswer::Told(body)) => Ok(success(&Some(body))),
        Ok(RecordingAnswer::Deleted) => Ok(done()),
        Ok(RecordingAnswer::File(file)) => Ok(send(file)),
        Err(RecordingFault::Beyond(bytes)) => Ok(beyond(bytes)),
        Err(fault) => Err(Fault::with(code_of(&fault), fault)),
    }
}

fn code_of(fault: &RecordingFault) -> Code {
    match fault {
        RecordingFault::SwitchedOff => Code::NotAcceptable,
        RecordingFault::Missing => Code::Gone,
        RecordingFault::UnderWay | RecordingFault::Beyond(_) => Code::BadRequest,
        RecordingFault::Failed(_) => Code::SystemFault,
    }
}

fn send(file: RecordingFile) -> Response {
    let RecordingFile { name, content_type, part, is_partial, content } = file;
    let mut response = unkept(Body::from_stream(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(shown) = HeaderValue::try_from(format!("inline; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, shown);
    }
    if let Some((range, bytes)) = part {
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
        let told = format!("bytes {}-{}/{bytes}", range.start, range.end.saturating_sub(1));
        if is_partial && let Ok(told) = HeaderValue::try_from(told) {
            headers.insert(CONTENT_RANGE, told);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
    }
    response
}

fn beyond(bytes: u64) -> Response {
    let mut response = unkept(StatusCode::RANGE_NOT_SATISFIABLE);
    if let Ok(told) = HeaderValue::try_from(format!("bytes */{bytes}")) {
        response.headers_mut().insert(CONTENT_RANGE, told);
    }
    response
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    #[test]
    fn ranges_are_read_as_browsers_write_them() {
        for (text, expected) in [
            ("bytes=0-", Some(0..100)),
            ("bytes=10-19", Some(10..20)),
            ("bytes=90-1000", Some(90..100)),
            ("bytes=-5", Some(95..100)),
            ("bytes=100-", None),
            ("bytes=-0", None),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(text))]);
            assert_eq!(ByteRange::read(&headers).unwrap().of(100), expected, "{text}");
        }
        for text in ["bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "lines=1-2", "bytes=1"] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(text))]);
            assert_eq!(ByteRange::read(&headers), None, "{text}");
        }
    }

    #[test]
    fn a_part_is_told_as_one_and_a_range_beyond_the_end_is_refused() {
        let file = |is_partial| RecordingFile {
            name: "a.webm".to_owned(),
            content_type: "video/webm",
            part: Some((10..20, 100)),
            is_partial,
            content: stream::empty().boxed(),
        };
        let response = tell(Ok(RecordingAnswer::File(file(true)))).unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 10-19/100");
        assert_eq!(response.headers()[CONTENT_LENGTH], "10");
        let response = tell(Err(RecordingFault::Beyond(100))).unwrap();
        assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes */100");
    }

    #[test]
    fn faults_have_the_codes_of_the_protocol() {
        let code = |fault| tell(Err(fault)).unwrap_err().code;
        assert_eq!(code(RecordingFault::SwitchedOff), Code::NotAcceptable);
        assert_eq!(code(RecordingFault::Missing), Code::Gone);
        assert_eq!(code(RecordingFault::UnderWay), Code::BadRequest);
    }
}
