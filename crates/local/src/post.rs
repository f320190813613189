//! Posts requests from files as their senders would: signed by the scheme of the route, with the secret that the function reads.
//!
//! A file is JSON: `{"route": "POST /job-complete", "body": …, "headers": {…}}`. A body that is a text is sent as it is, any other as
//! JSON. A header of the file is sent instead of the one that signing would add, so that a wrong proof can be tried.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Uri, header},
};
use contract::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};
use webhook::{Draft, Stamp};

use crate::{
    api::{Api, Sender},
    endpoint::Endpoint,
    ids,
    observer::{Activity, Observer},
};

/// Maximum number of requests that are sent at once.
const AT_ONCE: usize = 16;
/// Ending of the names of files that are posted of a folder.
pub(crate) const ENDING: &str = "json";

/// A request as a file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    route: String,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Posts the requests of files and folders, and returns when all are answered. A file that cannot be read or sent is reported to the
/// observer; the others are posted all the same.
pub async fn post(apis: &[Endpoint], observer: &Observer, paths: &[PathBuf]) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut posts = JoinSet::new();
    for path in paths.iter().flat_map(|path| files(path, &[ENDING])) {
        while posts.try_join_next().is_some() {}
        let read = path.and_then(|path| Ok((path.display().to_string(), read(&path)?)));
        let (origin, post) = match read {
            Ok(read) => read,
            Err(reason) => {
                observer.tell(Activity::Unreadable { reason });
                continue;
            }
        };
        let Some(place) =
            Arc::clone(&places).acquire_owned().await.ok().filter(|_| !apis.iter().any(|api| api.api.is_closed()))
        else {
            break;
        };
        match request(apis, &post) {
            Ok((api, request)) => {
                posts.spawn(async move {
                    let _it_is_told_to_the_observer = api.answer(request, &Sender::File(origin)).await;
                    drop(place);
                });
            }
            Err(reason) => observer.tell(Activity::NotPosted { origin, route: post.route, reason }),
        }
    }
    while posts.join_next().await.is_some() {}
}

/// Returns the files of a path: itself, or those of a folder in the order of their names.
pub(crate) fn files(path: &Path, endings: &[&str]) -> Vec<Result<PathBuf, String>> {
    if !path.is_dir() {
        return vec![Ok(path.to_owned())];
    }
    let listed = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let file = entry?.path();
            if file.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
                files.push(file);
            }
        }
        files.sort();
        Ok(files)
    };
    match listed() {
        Ok(files) if files.is_empty() => {
            vec![Err(format!("{}: there is no file *.{} in it", path.display(), endings.join(" or *.")))]
        }
        Ok(files) => files.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(format!("{}: {error}", path.display()))],
    }
}

fn read(path: &Path) -> Result<Post, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the signed request and the API that it is for, or why there is none.
fn request(apis: &[Endpoint], post: &Post) -> Result<(Arc<Api>, Request), String> {
    let found = apis.iter().find_map(|endpoint| Some((endpoint, endpoint.api.authentication(&post.route)?)));
    let (endpoint, authentication) =
        found.ok_or_else(|| format!("no API of the declaration has the route `{}`", post.route))?;
    let variable = &authentication.secret;
    let secret: Secret = std::env::var(variable)
        .map_err(|_| format!("set the environment variable `{variable}` of `provision dev`: it signs the request"))?
        .into();
    let body = match &post.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    let given = post.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str()));
    let content_type = given.map_or("application/json", |(_, value)| value);
    let (method, path) = post.route.split_once(' ').unwrap_or_default();
    let url = format!("{}{path}", endpoint.url);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let draft = Draft { url: &url, content_type: Some(content_type), body: &body };
    let stamp = Stamp { id: &format!("msg_{}", ids::uuid()), time };
    let signed = webhook::sign(&authentication.scheme, &secret, draft, stamp)
        .map_err(|error| format!("`{variable}` cannot sign it: {error}"))?;
    let uri: Uri = signed.url.parse().map_err(|_| format!("`{variable}` cannot stand in a path"))?;
    let mut request = Request::builder().method(method).uri(uri.path_and_query().map_or("/", |path| path.as_str()));
    let own = [("host", uri.authority().map_or("", |host| host.as_str())), ("content-type", content_type)];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).chain(signed.headers);
    let is_given = |name: &str| post.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
    let headers = post.headers.clone().into_iter().chain(own.filter(|(name, _)| !is_given(name)));
    for (name, value) in headers {
        let name = HeaderName::try_from(&name)
            .map_err(|_| format!("`{}` is not the name of a header", name.escape_debug()))?;
        let value =
            HeaderValue::try_from(value).map_err(|_| format!("the value of `{name}` cannot stand in a header"))?;
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body)).map_err(|error| error.to_string())?;
    Ok((Arc::clone(&endpoint.api), request))
}
