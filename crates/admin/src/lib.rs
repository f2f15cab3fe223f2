//! The admin listener: `/healthz`, `/readyz`, `/metrics`, and with a token `/api/status`, `/api/terminals`, `/api/links`, `/api/alarms`, `/api/rooms`, `/api/recordings`, `/api/trace`, `/api/drain`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` | 200 as long as the process turns, whatever its neighbours do |
//! | `GET /readyz` | 200, or 503 with one line for each thing that is not ready |
//! | `GET /metrics` | Prometheus' text format |
//! | `GET /api/status` | JSON: what the node is and how it is |
//! | `GET /api/terminals[?partition=&limit=&after=]` | JSON: the terminals that it knows, page by page |
//! | `GET /api/links` | JSON: its links |
//! | `GET /api/alarms[?limit=]` | JSON: the alarms of its partitions, the newest first |
//! | `GET /api/rooms` | JSON: its rooms, and what its media forwarder carries for each |
//! | `GET /api/rooms/{id}` | JSON: one room with its members and all that they send and receive |
//! | `GET /api/recordings[?room=&since=&limit=]` | JSON: its recordings, the newest first |
//! | `GET /api/recordings/{id}` | JSON: one recording with its tracks |
//! | `POST /api/trace` with `{"from": …, "to": …}` | JSON: the way of a signal, hop by hop |
//! | `POST /api/drain` | JSON; the node begins to send its terminals elsewhere |
//!
//! The listener is private: plain HTTP, on the loopback interface unless the operator says otherwise. What is under `/api/`
//! needs `Authorization: Bearer TOKEN`; a second token opens only what changes nothing. Errors there are JSON `{"error": "a sentence"}`.
//!
//! Every request has to name this listener's host, by an address, as `localhost` or by one of the operator's names: a page from
//! elsewhere that has its own name lead here learns nothing.
//!
//! Nothing is answered from here but `/healthz`: each request becomes an [`AdminRequest`] to the node, which has
//! [`ANSWER_WITHIN`] to answer it.

mod api;
mod listener;
mod metrics;
mod probes;
mod request;
mod service;
mod token;

pub use listener::{AdminCounters, serve};
pub use metrics::{Kind, Sample};
pub use request::{AdminFailure, AdminQuery, AdminRequest};
pub use service::{ANSWER_WITHIN, AdminService, router};
pub use taoyao_http::Hosts;
pub use token::ApiToken;
