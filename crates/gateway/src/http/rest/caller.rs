//! One call of a known account: what it comes to, carried out.

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Map;
use serde_json::value::RawValue;
use taoyao_auth::Account;
use taoyao_types::Role;
use taoyao_wire::signals::{Signal, signals_markdown};
use taoyao_wire::terminal::Code;

use super::answer::{done, success, tell};
use super::call::Rest;
use super::fault::{Fault, Place};
use super::route::{Does, Route};
use super::{input, recording, unkept};

/// Who calls, and whom to ask.
pub(super) struct Caller<'a> {
    pub(super) rest: &'a Rest,
    pub(super) account: Account,
}

impl Caller<'_> {
    pub(super) async fn call(
        &self,
        route: &'static Route,
        variables: Result<RawPathParams, Fault>,
        parts: &Parts,
        body: Body,
        place: &Place,
    ) -> Result<Response, Fault> {
        if route.verbs.changes() && comes_from_elsewhere(&parts.headers) {
            tracing::warn!(target: "audit", account = %self.account, path = route.path, rule = "cross-site", "denied");
            let why = "denied by rule cross-site: a page of another site may not change anything";
            return Err(Fault::with(Code::Refused, why));
        }
        match route.does {
            Does::Signal(signal) => {
                let body = input::read(route, &variables?, &parts.uri, &parts.headers, body).await?;
                let message = self.rest.carry_out(self.account.clone(), signal, body).await?;
                tell(route, message, place)
            }
            Does::Configuration(section) => {
                self.authorise(Role::Admin, route)?;
                Ok(success(&Some(self.rest.configuration().section(section))))
            }
            Does::Recording(deed) => {
                self.authorise(Role::Operator, route)?;
                let ask = recording::ask(deed, &variables?, &parts.headers);
                recording::tell(self.rest.recording(self.account.clone(), ask).await?)
            }
            Does::LogRooms => self.log_rooms(route).await,
            Does::Protocol => {
                Ok(unkept(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], signals_markdown())))
            }
        }
    }

    /// Permission for what is no signal, noted like the permissions of signals.
    fn authorise(&self, role: Role, route: &Route) -> Result<(), Fault> {
        let (account, path) = (&self.account, route.path);
        match account.may_as(role, path) {
            Ok(()) => tracing::info!(target: "audit", %account, path, "carried out"),
            Err(lacking) => {
                tracing::warn!(target: "audit", %account, path, rule = lacking.rule(), "denied");
                return Err(lacking.into());
            }
        }
        Ok(())
    }

    async fn log_rooms(&self, route: &Route) -> Result<Response, Fault> {
        self.authorise(Role::Operator, route)?;
        let listed = self.rest.carry_out(self.account.clone(), Signal::RoomList, Map::new()).await?;
        if listed.is_error() {
            return Err(Fault::new(listed.code, listed.message));
        }
        let rooms = listed.body.as_deref().map_or("[]", RawValue::get);
        tracing::info!(account = %self.account, rooms, "the rooms, as an operator asked");
        Ok(done())
    }
}

/// Browsers send a cached password with whatever another site's page makes them ask for, but they say so (Fetch Metadata).
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_of_this_node_and_people_themselves_come_from_here() {
        for (site, elsewhere) in
            [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            assert_eq!(comes_from_elsewhere(&headers), elsewhere, "{site}");
        }
        assert!(!comes_from_elsewhere(&HeaderMap::new()));
    }
}
