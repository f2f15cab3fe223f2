//! The listener itself: routes, and the way of a question to the node and back.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::listener::AdminCounters;
use crate::request::{AdminFailure, AdminRequest};
use crate::token::ApiToken;
use crate::{api, metrics, probes};

/// How long the node may take for an answer; then the listener gives 504.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the routes need: the way to the node, the token, and what the listener counts.
#[derive(Debug, Clone)]
pub struct AdminService {
    counters: Arc<AdminCounters>,
    requests: mpsc::Sender<AdminRequest>,
    token: ApiToken,
}

impl AdminService {
    /// Questions go into `requests`; when it is full they wait, as part of the node's time.
    pub fn new(requests: mpsc::Sender<AdminRequest>, token: ApiToken) -> Self {
        Self { counters: Arc::default(), requests, token }
    }

    /// What [`crate::serve`] counts; `/metrics` shows it.
    pub fn counters(&self) -> &Arc<AdminCounters> {
        &self.counters
    }

    pub(crate) fn token(&self) -> &ApiToken {
        &self.token
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> AdminRequest,
    ) -> Result<T, AdminFailure> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let stopping = || AdminFailure::new(503, "The node is stopping.");
            self.requests.send(request(reply)).await.map_err(|_| stopping())?;
            answer.await.map_err(|_| stopping())
        };
        timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(|_| {
            let text = format!("The node did not answer within {} s.", ANSWER_WITHIN.as_secs());
            Err(AdminFailure::new(504, text))
        })
    }
}

/// All routes of the listener.
pub fn router(service: AdminService) -> Router {
    let api = Router::new()
        .route("/api/status", get(api::status))
        .route("/api/terminals", get(api::terminals))
        .route("/api/terminals/close", post(api::close_terminal))
        .route("/api/links", get(api::links))
        .route("/api/alarms", get(api::alarms))
        .route("/api/rooms", get(api::rooms))
        .route("/api/rooms/{id}", get(api::room))
        .route("/api/recordings", get(api::recordings))
        .route("/api/recordings/{id}", get(api::recording))
        .route("/api/trace", post(api::trace))
        .route("/api/drain", post(api::drain))
        .route("/api/{*other}", any(api::unknown))
        .method_not_allowed_fallback(api::wrong_method)
        .layer(middleware::from_fn_with_state(service.clone(), api::with_token));
    Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(metrics::metrics))
        .merge(api)
        .fallback(api::unknown)
        .with_state(service)
}
