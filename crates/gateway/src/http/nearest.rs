//! `GET /mesh/nearest`: which nodes a terminal should try.

use std::net::IpAddr;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use taoyao_types::PartitionName;

use super::{Remote, Services, for_anyone};

/// What a terminal tells about itself when it looks for the nearest node.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestQuery {
    /// Its address as this node sees it.
    pub ip: IpAddr,
    /// The partition that it wants; without it all partitions that it may choose from.
    pub partition: Option<PartitionName>,
    /// Where it is, if it says so.
    pub geo: Option<Geo>,
}

/// A place on Earth, in degrees, within −90..=90 and −180..=180.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geo {
    pub lat: f64,
    pub lon: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    partition: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
}

pub(super) async fn nearest(
    State(services): State<Services>,
    Extension(Remote(ip)): Extension<Remote>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let query = parameters.map_err(|error| error.body_text()).and_then(|Query(given)| read(ip, given));
    match query.map(|query| (services.nearest)(query)) {
        Ok(Ok(found)) => for_anyone(Json(found)),
        Ok(Err(sentence)) => for_anyone((StatusCode::NOT_FOUND, sentence + "\n")),
        Err(sentence) => for_anyone((StatusCode::BAD_REQUEST, sentence + "\n")),
    }
}

fn read(ip: IpAddr, given: Parameters) -> Result<NearestQuery, String> {
    let partition = match given.partition.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            text.parse().map_err(|error| format!("partition={text} is not a partition's name: {error}."))?,
        ),
    };
    let geo = match (given.lat, given.lon) {
        (None, None) => None,
        (Some(lat), Some(lon)) if lat.abs() <= 90.0 && lon.abs() <= 180.0 => Some(Geo { lat, lon }),
        _ => return Err("Give both lat (-90 to 90) and lon (-180 to 180), in degrees, or neither.".into()),
    };
    Ok(NearestQuery { ip, partition, geo })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_both_numbers_within_bounds_or_none() {
        let geo = |lat, lon| read(ip(), Parameters { partition: None, lat, lon }).map(|query| query.geo);
        assert_eq!(geo(None, None), Ok(None));
        assert_eq!(geo(Some(31.2), Some(121.5)), Ok(Some(Geo { lat: 31.2, lon: 121.5 })));
        for (lat, lon) in [(Some(31.2), None), (Some(91.0), Some(0.0)), (Some(f64::NAN), Some(0.0))] {
            assert!(geo(lat, lon).is_err(), "{lat:?} {lon:?}");
        }
    }

    #[test]
    fn a_partition_is_a_name() {
        let partition = |text: &str| {
            read(ip(), Parameters { partition: Some(text.into()), lat: None, lon: None })
                .map(|query| query.partition)
        };
        assert_eq!(partition("sh.east.cn"), Ok(Some("sh.east.cn".parse().unwrap())));
        assert_eq!(partition(""), Ok(None));
        assert!(partition("No Such").unwrap_err().contains("No Such"));
    }

    fn ip() -> IpAddr {
        IpAddr::from([192, 0, 2, 1])
    }
}
