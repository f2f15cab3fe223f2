//! What the REST interface asks the node: whose account this is, and to carry out a signal for it.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use taoyao_auth::{Account, Credentials};
use taoyao_types::{Secret, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::configuration::Configuration;
use super::fault::Fault;
use super::message::Message;
use super::recording::{RecordingAnswer, RecordingAsk, RecordingFault};

/// The `header.id` of every call: each has a connection of its own, so one number is enough.
const ID: u64 = 1;
/// The `header.v` of every call (reference section 2.2).
const VERSION: &str = "1.0.0";

/// One question to the node. A `reply` that is dropped is answered with 503.
#[derive(Debug)]
pub enum RestRequest {
    /// Whose account is it?
    Authenticate { ip: IpAddr, proof: Proof, reply: oneshot::Sender<Result<Account, NotLetIn>> },
    /// Carry out the signal of an envelope; its answer is an envelope, too.
    Signal { account: Account, text: String, reply: oneshot::Sender<String> },
    /// Of an operator; whether the recording is in one of the account's partitions is the node's to see.
    Recording {
        account: Account,
        ask: RecordingAsk,
        reply: oneshot::Sender<Result<RecordingAnswer, RecordingFault>>,
    },
}

/// What somebody shows to prove whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    Password(Credentials),
    /// A bearer token.
    Token(Secret),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLetIn {
    /// It was looked at, and is no account's.
    Wrong,
    /// It was not looked at, whether right or wrong: too many logins wait, or too many have failed. The same may be let in
    /// after so many seconds.
    NotLookedAt { seconds: u64 },
}

/// What the REST interface needs from the node.
#[derive(Debug, Clone)]
pub struct Rest {
    requests: mpsc::Sender<RestRequest>,
    configuration: Arc<Configuration>,
}

impl Rest {
    /// Questions go into `requests`; while it is full they wait, as part of the time that the node has for an answer.
    pub fn new(requests: mpsc::Sender<RestRequest>, configuration: Configuration) -> Self {
        Self { requests, configuration: Arc::new(configuration) }
    }

    pub(super) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    pub(super) async fn authenticate(&self, ip: IpAddr, proof: Proof) -> Result<Account, NotLetIn> {
        let asked = self.ask(|reply| RestRequest::Authenticate { ip, proof, reply }).await;
        asked.unwrap_or(Err(NotLetIn::NotLookedAt { seconds: 1 }))
    }

    /// The answer to a signal, be it the terminal's or the node's.
    pub(super) async fn carry_out(
        &self,
        account: Account,
        signal: Signal,
        body: Map<String, Value>,
    ) -> Result<Message, Fault> {
        let envelope = json!({
            "header": { "v": VERSION, "id": ID, "signal": signal.name() },
            "body": body,
        });
        let text = envelope.to_string();
        let answer = self.ask(|reply| RestRequest::Signal { account, text, reply }).await?;
        Message::read(answer).ok_or(Fault::new(Code::SystemFault, Code::SystemFault.text()))
    }

    pub(super) async fn recording(
        &self,
        account: Account,
        ask: RecordingAsk,
    ) -> Result<Result<RecordingAnswer, RecordingFault>, Fault> {
        self.ask(|reply| RestRequest::Recording { account, ask, reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> RestRequest) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let busy = || {
            let why = "the node is stopping, or the account has too many calls under way";
            Fault::with(Code::Overloaded, why)
        };
        let asked = async {
            self.requests.send(request(reply)).await.map_err(|_| busy())?;
            answer.await.map_err(|_| busy())
        };
        let late = |_| Err(Fault::with(Code::UpstreamTimeout, "the node did not answer in time"));
        timeout(limits::REST_ANSWER_MAX, asked).await.unwrap_or_else(late)
    }
}
