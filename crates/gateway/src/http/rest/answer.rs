//! The answer to a signal as its path shows it (reference section 8).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;
use taoyao_wire::terminal::Code;

use super::fault::{Fault, Place};
use super::message::Message;
use super::route::{Answer, Missing, Route};
use super::unkept;

/// Success without a header and with no body if there is none.
#[derive(Serialize)]
struct Success<'a, T> {
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: &'a Option<T>,
}

pub(super) fn tell(route: &Route, message: Message, place: &Place) -> Result<Response, Fault> {
    if message.is_error() {
        return tell_error(route, &message, place);
    }
    match route.answer {
        Answer::Message => Ok(unkept(([(CONTENT_TYPE, "application/json")], message.text))),
        Answer::Members => match message.members() {
            Some(members) => Ok(success(&Some(members))),
            None => Err(Fault::new(Code::SystemFault, Code::SystemFault.text())),
        },
        Answer::Done => Ok(done()),
        Answer::Client
        | Answer::Clients
        | Answer::Room
        | Answer::Rooms
        | Answer::Object
        | Answer::Recording
        | Answer::Recordings
        | Answer::File
        | Answer::Markdown => Ok(success(&message.body)),
    }
}

fn tell_error(route: &Route, message: &Message, place: &Place) -> Result<Response, Fault> {
    let fault = Fault::new(message.code, message.message.as_str());
    if message.lacks_membership() {
        let why = "denied by rule role:operator: the account is no member of the room and has not the role";
        return Err(Fault::with(Code::Refused, why));
    }
    if !message.is_missing() {
        return Err(fault);
    }
    match route.missing {
        Missing::Nothing => Ok(done()),
        Missing::EmptyList => Ok(success(&Some([(); 0]))),
        Missing::ToldAsSuccess if message.code == Code::Unknown => Ok(fault.answer_as(StatusCode::OK, place)),
        Missing::ToldAsSuccess => Err(fault),
        Missing::NotFound => Err(Fault { code: Code::Gone, ..fault }),
    }
}

pub(super) fn success(body: &Option<impl Serialize>) -> Response {
    unkept(Json(Success { code: Code::Success.as_str(), message: Code::Success.text(), body }))
}

pub(super) fn done() -> Response {
    success(&None::<()>)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::{Method, Uri};
    use serde_json::{Value, json};

    use super::super::routes::ROUTES;
    use super::*;

    #[tokio::test]
    async fn the_header_is_left_out_but_of_what_a_terminal_said() {
        let list = answer("/client/list", "0000", "client::list", Some(json!([{ "clientId": "a" }]))).await;
        assert_eq!(list, (200, json!({ "code": "0000", "message": "成功", "body": [{ "clientId": "a" }] })));
        let rung = answer("/control/bell/{clientId}", "0000", "control::bell", Some(json!({}))).await;
        assert_eq!(rung.1["header"]["signal"], "control::bell");
        let sulks = answer("/control/bell/{clientId}", "1234", "control::bell", None).await;
        assert_eq!((sulks.0, &sulks.1["code"]), (200, &json!("1234")));
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_as_the_original_tells_it() {
        for (path, expected) in [
            ("/client/status/{clientId}", (200, "0000", Value::Null)),
            ("/room/list/client/{roomId}", (200, "0000", json!([]))),
            ("/control/bell/{clientId}", (200, "9999", place_json())),
            ("/room/{roomId}", (404, "3404", place_json())),
        ] {
            let (status, body) = answer(path, "9999", "platform::error", Some(json!({}))).await;
            let found = (status, body["code"].as_str().unwrap(), body["body"].clone());
            assert_eq!(found, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn other_errors_have_the_status_of_their_code() {
        for (code, status) in [("3403", 403), ("3502", 502), ("2001", 504), ("3406", 406)] {
            let (found, body) = answer("/client/list", code, "platform::error", Some(json!({}))).await;
            assert_eq!((found, &body["code"], &body["body"]), (status, &json!(code), &place_json()));
        }
    }

    async fn answer(path: &str, code: &str, signal: &str, body: Option<Value>) -> (u16, Value) {
        let route = ROUTES.iter().find(|route| route.path == path).unwrap();
        let mut envelope = json!({
            "code": code, "message": "x", "header": { "v": "1.0.0", "id": 1, "signal": signal },
        });
        if let Some(body) = body {
            envelope["body"] = body;
        }
        let place = Place::of(&Method::GET, &Uri::from_static("/a?limit=2"));
        let message = Message::read(envelope.to_string()).unwrap();
        let response = tell(route, message, &place).unwrap_or_else(|fault| fault.answer(&place));
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn place_json() -> Value {
        json!({ "path": "/a", "query": "limit=2", "method": "GET" })
    }
}
