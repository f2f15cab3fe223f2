//! The OpenAPI document, made from the table of routes.

use std::sync::LazyLock;

use taoyao_types::Asks;
use taoyao_wire::signals::{Need, Signal};
use taoyao_wire::terminal::Code;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, Deprecated, HttpMethod, InfoBuilder, OpenApi,
    OpenApiBuilder, Paths, Ref, Required,
};

use super::route::{Answer, Does, Missing, Route, Verbs};
use super::routes::ROUTES;
use super::schemas::{self, ERROR};

/// The document as JSON.
pub(super) static TEXT: LazyLock<String> =
    LazyLock::new(|| document().to_json().expect("a document is texts, numbers and lists of them"));

const ABOUT: &str = "The paths of the original signal service. A call is a signal in another dress: it needs the same \
    permission, goes the same way through the mesh, and fails with the same codes. Log in by HTTP Basic with an account of \
    the node, or by a bearer token from `taoyao user token`.";

/// Statuses that any call may have, besides those of its path.
const ANY: [Code; 8] = [
    Code::BadRequest,
    Code::Refused,
    Code::BadMethod,
    Code::SystemFault,
    Code::Unreachable,
    Code::Overloaded,
    Code::UpstreamTimeout,
    Code::Gone,
];

fn document() -> OpenApi {
    let info = InfoBuilder::new().title("Taoyao").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT));
    let mut paths = Paths::new();
    for route in &ROUTES {
        for method in methods(route.verbs) {
            let method = method.clone();
            paths.add_path_operation(route.path, vec![method.clone()], operation(route, &method));
        }
    }
    let security = ["basic", "token"].map(|name| SecurityRequirement::new(name, [""; 0]));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components()))
        .security(Some(security))
        .build()
}

fn methods(verbs: Verbs) -> &'static [HttpMethod] {
    match verbs {
        Verbs::Get => &[HttpMethod::Get],
        Verbs::GetOrPost => &[HttpMethod::Get, HttpMethod::Post],
        Verbs::Post => &[HttpMethod::Post],
        Verbs::Delete => &[HttpMethod::Delete],
    }
}

fn operation(route: &Route, method: &HttpMethod) -> Operation {
    let mut operation = OperationBuilder::new()
        .summary(Some(route.about))
        .operation_id(Some(operation_id(route, method)))
        .tag(route.path.split('/').nth(1).unwrap_or_default())
        .request_body(body(route));
    let policy = match route.does.asks() {
        Asks::Scope(scope) => format!("Policy between partitions is asked for `{}`.", scope.as_str()),
        Asks::Nothing(why) => format!("Policy between partitions is not asked: {why}."),
    };
    let about = match route.does {
        Does::Signal(signal) => {
            let need = schemas::need(signal.row().need);
            format!("Carries out `{}`.{need} {policy}", signal.name())
        }
        Does::Configuration(_) | Does::Recording(_) | Does::LogRooms | Does::Protocol => policy,
    };
    operation = operation.description(Some(about));
    if route.verbs == Verbs::GetOrPost && *method == HttpMethod::Get {
        operation = operation.deprecated(Some(Deprecated::True));
    }
    for parameter in parameters(route) {
        operation = operation.parameter(parameter);
    }
    operation = operation.response("200", success(route)).response("401", Ref::from_response_name("401"));
    for code in ANY.into_iter().chain(own(route)) {
        let status = code.http_status().to_string();
        operation = operation.response(&status, Ref::from_response_name(&status));
    }
    operation.build()
}

/// `get /client/status/{clientId}` is `getClientStatus`.
fn operation_id(route: &Route, method: &HttpMethod) -> String {
    let verb = match method {
        HttpMethod::Get => "get",
        HttpMethod::Post => "post",
        _ => "delete",
    };
    let words = route.path.split('/').filter(|word| !word.starts_with('{'));
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    words.fold(verb.to_owned(), |id, word| id + &capital(word))
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let variables = route.variables.iter().map(|variable| {
        let text = schemas::id();
        ParameterBuilder::new()
            .name(variable.name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(variable.about))
            .schema(Some(text))
            .build()
    });
    let query = route.query.iter().map(|field| {
        ParameterBuilder::new()
            .name(field.name)
            .parameter_in(ParameterIn::Query)
            .required(if field.is_required { Required::True } else { Required::False })
            .description(Some(field.about))
            .schema(Some(schemas::value(field.kind)))
            .build()
    });
    variables.chain(query).collect()
}

fn body(route: &Route) -> Option<RequestBody> {
    if route.body.is_empty() {
        return None;
    }
    let content = ContentBuilder::new().schema(Some(schemas::fields(route.body, route.either))).build();
    Some(
        RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build(),
    )
}

fn success(route: &Route) -> Response {
    let (kind, schema) = match route.answer {
        Answer::Markdown => ("text/markdown", schemas::text()),
        Answer::File => ("application/octet-stream", schemas::binary()),
        Answer::Message => ("application/json", schemas::terminals_own()),
        answer => ("application/json", schemas::success(answer, route.missing == Missing::Nothing)),
    };
    let said = match route.missing {
        Missing::Nothing => "Done; no `body` if what is named is not there.",
        Missing::EmptyList => "Done; an empty list if the room is not there.",
        Missing::ToldAsSuccess => "What the terminal answered; or code 9999 if what is named is not there.",
        Missing::NotFound => "Done.",
    };
    ResponseBuilder::new()
        .description(said)
        .content(kind, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

/// Statuses that come from what a path takes or does.
fn own(route: &Route) -> Vec<Code> {
    let mut codes = Vec::new();
    if !route.body.is_empty() {
        codes.push(Code::Unsupported);
    }
    if matches!(route.does, Does::Recording(_)) {
        codes.push(Code::NotAcceptable);
    }
    // What an operator has to switch on first.
    if let Does::Signal(signal) = route.does
        && (signal == Signal::ControlServerRecord || signal.row().need == Need::Named)
    {
        codes.push(Code::NotAcceptable);
    }
    codes
}

fn components() -> Components {
    let mut components = schemas::components(ComponentsBuilder::new())
        .security_scheme("basic", scheme(HttpAuthScheme::Basic, "An account's name and password."))
        .security_scheme("token", scheme(HttpAuthScheme::Bearer, "A token from `taoyao user token`."))
        .response("401", not_let_in());
    for code in ANY.into_iter().chain([Code::Unsupported, Code::NotAcceptable]) {
        components = components.response(code.http_status().to_string(), error(code));
    }
    components.build()
}

fn scheme(scheme: HttpAuthScheme, about: &str) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(about)).build())
}

fn not_let_in() -> Response {
    let header =
        HeaderBuilder::new().schema(Some(schemas::text())).description(Some("How to log in.")).build();
    ResponseBuilder::new()
        .description("The account's name, password or token is missing or wrong. No body.")
        .header("WWW-Authenticate", header)
        .build()
}

fn error(code: Code) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ERROR))).build();
    let about = match code {
        Code::BadRequest => "Something is missing or unfit.",
        Code::Refused => "Denied; the text names the rule.",
        Code::Gone => "There is no such thing.",
        Code::BadMethod => "Another method is needed.",
        Code::NotAcceptable => "Not switched on at this node.",
        Code::Unsupported => "The body is not what it should be, or the signal is unknown.",
        Code::Unreachable => "A node on the way cannot be reached.",
        Code::Overloaded => "Too much to do, or stopping.",
        Code::UpstreamTimeout => "No answer in time.",
        _ => "A fault of the node.",
    };
    let response = ResponseBuilder::new().description(about).content("application/json", content);
    if code == Code::BadMethod {
        let header = HeaderBuilder::new().schema(Some(schemas::text())).description(Some("What is allowed."));
        return response.header("Allow", header.build()).build();
    }
    if code == Code::Overloaded {
        let about = "Seconds after which a login that was not looked at should be tried again.";
        let header = HeaderBuilder::new().schema(Some(schemas::seconds())).description(Some(about));
        return response.header("Retry-After", header.build()).build();
    }
    response.build()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_path_and_method_is_in_the_document_once() {
        let document: Value = serde_json::from_str(&TEXT).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for route in &ROUTES {
            for method in methods(route.verbs) {
                let name = serde_json::to_value(method).unwrap();
                let operation = &document["paths"][route.path][name.as_str().unwrap()];
                assert!(operation["summary"].is_string(), "{} {name}", route.path);
                assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
            }
        }
        let count: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(count, ids.len());
    }

    #[test]
    fn what_changes_something_by_get_is_deprecated_and_nothing_else_is() {
        let document: Value = serde_json::from_str(&TEXT).unwrap();
        for route in &ROUTES {
            let get = &document["paths"][route.path]["get"];
            assert_eq!(get["deprecated"] == true, route.verbs == Verbs::GetOrPost, "{}", route.path);
        }
    }

    #[test]
    fn variables_of_paths_are_the_described_ones() {
        for route in &ROUTES {
            let in_path: Vec<&str> =
                route.path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}')).collect();
            let described: Vec<&str> = route.variables.iter().map(|variable| variable.name).collect();
            assert_eq!(in_path, described, "{}", route.path);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(&TEXT).unwrap();
        let references = TEXT.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut count = 0;
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
            count += 1;
        }
        assert!(count > 100, "{count}");
    }
}
