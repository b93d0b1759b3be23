//! Object Storage: the objects of one bucket.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Answer, BUCKET, NAMESPACE, State, fail, give};

/// Object Storage, as far as it is asked.
pub(super) fn act(
    state: &mut State,
    method: &str,
    target: &str,
    header: &dyn Fn(&str) -> String,
    body: &[u8],
) -> Answer {
    let url = url::Url::parse(&format!("http://fake{target}")).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    if url.path() == "/n/" {
        return give(json!(NAMESPACE).to_string());
    }
    let parts: Vec<String> = url
        .path()
        .split('/')
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned())
        .collect();
    let [_, n, namespace, b, bucket, o, name @ ..] = parts.as_slice() else {
        return fail(404, "NotAuthorizedOrNotFound", "there is no such call");
    };
    assert_eq!([n.as_str(), b, o], ["n", "b", "o"]);
    if namespace != NAMESPACE {
        return fail(
            404,
            "NamespaceNotFound",
            "You do not have authorization, or the namespace does not exist",
        );
    }
    if bucket != BUCKET {
        return fail(
            404,
            "BucketNotFound",
            "Either the bucket does not exist in the namespace, or you are not authorized",
        );
    }
    match (method, name) {
        ("GET", []) => list(state, &query),
        ("GET", [name]) => match state.objects.get(name) {
            Some(bytes) => give(bytes.clone()),
            None => fail(404, "ObjectNotFound", "The object was not found"),
        },
        ("PUT", [name]) => {
            if header("if-none-match") == "*" && state.objects.contains_key(name) {
                return fail(
                    412,
                    "IfNoneMatchFailed",
                    "The If-None-Match header is '*' but there is an existing entity",
                );
            }
            state.objects.insert(name.clone(), body.to_vec());
            give("")
        }
        _ => fail(404, "NotAuthorizedOrNotFound", "there is no such call"),
    }
}

fn list(state: &State, query: &BTreeMap<String, String>) -> Answer {
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let start = query.get("start").cloned().unwrap_or_default();
    let (mut found, mut prefixes, mut next) = (Vec::new(), Vec::new(), None);
    for name in state.objects.keys().filter(|name| name.starts_with(&prefix) && **name >= start) {
        let folder = query
            .get("delimiter")
            .and_then(|delimiter| name[prefix.len()..].split_once(delimiter.as_str()))
            .map(|(folder, _)| format!("{prefix}{folder}{}", query["delimiter"]));
        if folder.is_some() && prefixes.last() == folder.as_ref() {
            continue;
        }
        if found.len() + prefixes.len() == state.page {
            next = Some(name.clone());
            break;
        }
        match folder {
            Some(folder) => prefixes.push(folder),
            None => found.push(json!({"name": name})),
        }
    }
    let mut page = json!({"objects": found, "prefixes": prefixes});
    if let Some(next) = next {
        page["nextStartWith"] = json!(next);
    }
    give(page.to_string())
}
