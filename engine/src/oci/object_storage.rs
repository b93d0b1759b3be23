//! Object Storage by its own API, which has what S3's may lack: an object that is put only where there is none.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/api/#/en/objectstorage/20160918/>.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::client::{Body, Call, Client, part};
use super::endpoint::Service;
use super::failure::Failure;

/// A bucket as one client sees it.
pub struct Bucket {
    client: Client,
    /// `None`: that of the tenancy, which the service knows.
    namespace: Option<String>,
    found: OnceCell<String>,
    name: String,
}

/// A page of what a bucket holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    objects: Vec<Object>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_start_with: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    name: String,
}

/// What lies under a prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Whole names.
    pub objects: Vec<String>,
    /// Names up to and with the delimiter, each once.
    pub prefixes: Vec<String>,
}

impl Bucket {
    pub fn new(client: Client, namespace: Option<String>, name: String) -> Self {
        Self { client, namespace, found: OnceCell::new(), name }
    }

    async fn namespace(&self) -> Result<&str, Failure> {
        if let Some(namespace) = &self.namespace {
            return Ok(namespace);
        }
        let asked = self.found.get_or_try_init(|| async {
            let call = self.call(Method::GET, "/n/".to_owned(), Body::None);
            self.client.ask(&call).await?.json::<String>()
        });
        Ok(asked.await?)
    }

    fn call<'a>(&self, method: Method, path: String, body: Body<'a>) -> Call<'a> {
        Call { body, ..Call::new(Service::ObjectStorage, method, path) }
    }

    async fn objects(&self) -> Result<String, Failure> {
        Ok(format!("/n/{}/b/{}/o", part(self.namespace().await?), part(&self.name)))
    }

    async fn object(&self, name: &str) -> Result<String, Failure> {
        Ok(format!("{}/{}", self.objects().await?, part(name)))
    }

    /// `None`: there is no such object.
    ///
    /// # Errors
    /// Any failure but that.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, Failure> {
        let call = self.call(Method::GET, self.object(name).await?, Body::None);
        match self.client.ask(&call).await {
            Ok(answer) => Ok(Some(answer.bytes)),
            // A bucket that is not there, or not to be seen, is something else.
            Err(Failure::Service { status: 404, code, .. }) if code == "ObjectNotFound" => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Keeps an object, in place of an earlier one of the name.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let call = self.call(Method::PUT, self.object(name).await?, Body::Object(bytes));
        self.client.ask(&call).await.map(|_| ())
    }

    /// Keeps an object unless there is one of its name, and says whether it did. `false` may also mean that an attempt whose answer got lost
    /// had done it.
    ///
    /// # Errors
    /// When it is not known whether it is kept.
    pub async fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, Failure> {
        let mut call = self.call(Method::PUT, self.object(name).await?, Body::Object(bytes));
        call.headers.push(("if-none-match", "*"));
        match self.client.ask(&call).await {
            Ok(_) => Ok(true),
            Err(e) if e.status() == Some(412) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// What lies under `prefix`; with a delimiter, only up to the next one.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub async fn list(&self, prefix: &str, delimiter: Option<&str>) -> Result<Listing, Failure> {
        let path = self.objects().await?;
        let mut found = Listing::default();
        let mut start: Option<String> = None;
        loop {
            let mut call = self.call(Method::GET, path.clone(), Body::None);
            call.query.push(("prefix", prefix));
            call.query.extend(delimiter.map(|delimiter| ("delimiter", delimiter)));
            call.query.extend(start.as_deref().map(|start| ("start", start)));
            let page: Page = self.client.ask(&call).await?.json()?;
            found.objects.extend(page.objects.into_iter().map(|object| object.name));
            found.prefixes.extend(page.prefixes);
            match page.next_start_with {
                // Where the next page is this one, there would be no end.
                Some(next) if start.as_ref() == Some(&next) => {
                    return Err(Failure::Unexpected(format!("the list of {} does not go on", self.name)));
                }
                Some(next) => start = Some(next),
                None => break,
            }
        }
        found.prefixes.dedup();
        Ok(found)
    }
}

#[cfg(test)]
#[path = "object_storage_tests.rs"]
mod tests;
