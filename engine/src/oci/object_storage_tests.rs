#![allow(clippy::unwrap_used)]
//! Objects, and what goes wrong on the way to them.

use super::*;
use crate::oci::Access;
use crate::oci::fake::{BUCKET, FINGERPRINT, Fault, NAMESPACE, Oci};
use crate::variables::Variables;

fn bucket(oci: &Oci, namespace: Option<&str>, name: &str) -> Bucket {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("variables");
    let home = format!("HOME={}\n", folder.path().display());
    std::fs::write(&file, oci.credentials(FINGERPRINT) + &home).unwrap();
    let access = Access::from_variables(&Variables::read(&file).unwrap()).unwrap();
    Bucket::new(Client::new(access), namespace.map(str::to_owned), name.to_owned())
}

#[tokio::test]
async fn objects_are_kept_found_and_made_only_once() {
    let oci = Oci::serve();
    let bucket = bucket(&oci, None, BUCKET);
    let name = "team/a b+c%/ü?.json";
    assert_eq!(bucket.get(name).await.unwrap(), None);
    assert!(bucket.create(name, b"one").await.unwrap());
    assert!(!bucket.create(name, b"two").await.unwrap());
    assert_eq!(bucket.get(name).await.unwrap().unwrap(), "one");
    bucket.put(name, b"").await.unwrap();
    assert_eq!(bucket.get(name).await.unwrap().unwrap(), "");
    assert_eq!(oci.names(), [name]);
    let asked = oci.seen().iter().filter(|s| s.as_str() == "GET /n/").count();
    assert_eq!(asked, 1, "the namespace does not change");
}

#[tokio::test]
async fn lists_go_over_pages_and_stop_at_folders() {
    let oci = Oci::serve();
    oci.set_page(2);
    let bucket = bucket(&oci, Some(NAMESPACE), BUCKET);
    for run in ["r1", "r2", "r3"] {
        for file in ["1", "2", "3"] {
            bucket.put(&format!("team/runs/{run}/{file}"), b"x").await.unwrap();
        }
    }
    let listed = bucket.list("team/runs/", Some("/")).await.unwrap();
    assert_eq!(listed.prefixes, ["team/runs/r1/", "team/runs/r2/", "team/runs/r3/"]);
    assert!(listed.objects.is_empty());
    assert_eq!(bucket.list("team/runs/r2/", None).await.unwrap().objects.len(), 3);
    assert_eq!(bucket.list("team/none/", Some("/")).await.unwrap(), Listing::default());
}

#[tokio::test]
async fn what_passes_is_waited_for_and_what_does_not_is_told() {
    let oci = Oci::serve();
    let bucket = bucket(&oci, Some(NAMESPACE), BUCKET);
    oci.faults(&[Fault::Refuse(429, "TooManyRequests"), Fault::Refuse(503, "ServiceUnavailable")]);
    assert!(bucket.create("a", b"one").await.unwrap());
    assert_eq!(oci.seen().len(), 3);
    // It was kept, and nobody heard: the second try finds it there.
    oci.faults(&[Fault::LoseAnswer]);
    assert!(!bucket.create("b", b"one").await.unwrap());
    assert_eq!(bucket.get("b").await.unwrap().unwrap(), "one");

    oci.faults(&[Fault::Refuse(400, "InvalidParameter")]);
    assert_eq!(bucket.put("a", b"two").await.unwrap_err().status(), Some(400));
    oci.faults(&[Fault::Refuse(404, "NotAuthorizedOrNotFound")]);
    let error =
        bucket.get("a").await.unwrap_err().into_error("it cannot be read", "Allow group G to read objects");
    assert!(error.hint_text().unwrap().contains("Allow group G to read objects"), "{error:?}");
}

#[tokio::test]
async fn another_bucket_or_namespace_is_an_error_and_not_an_empty_one() {
    let oci = Oci::serve();
    for (namespace, name, code) in
        [("ns", "nobody's", "BucketNotFound"), ("other", BUCKET, "NamespaceNotFound")]
    {
        let error = bucket(&oci, Some(namespace), name).get("a").await.unwrap_err();
        assert!(matches!(&error, Failure::Service { status: 404, code: c, .. } if c == code), "{error}");
    }
}
