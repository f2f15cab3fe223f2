//! The web terminal's files, as parts of the binary.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// Path and content of every file under `assets/`; the build script writes it.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file of the web terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    path: &'static str,
    content: &'static [u8],
}

/// The file at a URL's path; `/` is the page, and the REST interface's is where the original has its own.
pub(super) fn find(path: &str) -> Option<Asset> {
    let path = match path {
        "/" => "/index.html",
        "/swagger-ui" | "/swagger-ui/" | "/swagger-ui.html" => "/swagger-ui/index.html",
        path => path,
    };
    let index = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    let (path, content) = FILES[index];
    Some(Asset { path, content })
}

impl Asset {
    /// The file, or 304 if the browser has it. Asked for each time: a node's update must not meet an old page.
    pub(super) fn answer(self, request: &HeaderMap) -> Response {
        let etag = self.etag();
        let headers = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, etag.clone())];
        if has(request, &etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(CONTENT_TYPE, content_type(self.path))], Body::from(self.content)).into_response()
    }

    fn etag(self) -> String {
        let mut hash = DefaultHasher::new();
        self.content.hash(&mut hash);
        format!("\"{:016x}\"", hash.finish())
    }
}

fn has(request: &HeaderMap, etag: &str) -> bool {
    let listed = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == etag)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{fs, io};

    use super::*;

    #[test]
    fn every_file_under_assets_is_served_with_its_own_type() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut found = 0;
        walk(&root, &mut |file| {
            let path = format!("/{}", file.strip_prefix(&root).unwrap().display());
            let asset = find(&path).unwrap_or_else(|| panic!("{path} is not served"));
            assert_eq!(asset.content, fs::read(file).unwrap(), "{path}");
            assert_ne!(content_type(&path), "application/octet-stream", "{path} needs a content type");
            found += 1;
        })
        .unwrap();
        assert_eq!(found, FILES.len());
    }

    #[test]
    fn only_listed_paths_are_served() {
        for path in ["/../Cargo.toml", "//index.html", "/index.html/", "", "/nothing.js"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_browser_that_has_the_file_gets_304() {
        let asset = Asset { path: "/x.js", content: b"let x" };
        let first = asset.answer(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        let mut again = HeaderMap::new();
        again.insert(IF_NONE_MATCH, format!("\"other\", W/{}", asset.etag()).parse().unwrap());
        assert_eq!(asset.answer(&again).status(), StatusCode::NOT_MODIFIED);
        let changed = Asset { path: "/x.js", content: b"let y" };
        assert_eq!(changed.answer(&again).status(), StatusCode::OK);
    }

    fn walk(folder: &Path, each: &mut impl FnMut(&Path)) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { walk(&path, each)? } else { each(&path) }
        }
        Ok(())
    }
}
