//! What a record needs of object storage, and the services that give it.

use async_trait::async_trait;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::{Error, Result};
use crate::oci::Failure;
use crate::oci::object_storage::Bucket;

/// Objects by name, in folders that are parts of the names.
#[async_trait]
pub(super) trait Objects: Send + Sync {
    /// `None`: there is none of this name.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// In place of an earlier one of the name.
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<()>;
    /// Unless there is one of the name; whether it was put. A try whose answer got lost may have put it and say that it did not.
    async fn create(&self, name: &str, bytes: &[u8]) -> Result<bool>;
    /// The last parts of the names of the objects in a folder, those in folders below with them.
    async fn names(&self, folder: &str) -> Result<Vec<String>>;
    /// The names of the folders in a folder.
    async fn folders(&self, folder: &str) -> Result<Vec<String>>;
}

/// What `object_store` speaks: S3, Google's, Azure's, and folders.
pub(super) struct Library {
    pub store: Box<dyn ObjectStore>,
    pub root: Key,
}

impl Library {
    fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.root.clone(), |key, part| key.join(part))
    }
}

fn failed(error: object_store::Error) -> Error {
    Error::failed("the storage does not do it").because(error).hint(
        "see that the storage answers and the credentials (AWS_ACCESS_KEY_ID and the like) may list, read and write there",
    )
}

#[async_trait]
impl Objects for Library {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let got = match self.store.get(&self.key(name)).await {
            Ok(got) => got.bytes().await,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => Err(e),
        };
        got.map(|bytes| Some(bytes.to_vec())).map_err(failed)
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.store.put(&self.key(name), bytes.to_vec().into()).await.map(|_| ()).map_err(failed)
    }

    async fn create(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&self.key(name), bytes.to_vec().into(), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let listed: Vec<_> = self.store.list(Some(&self.key(folder))).try_collect().await.map_err(failed)?;
        Ok(listed.iter().filter_map(|o| o.location.filename().map(str::to_owned)).collect())
    }

    async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.key(folder))).await.map_err(failed)?;
        Ok(listed.common_prefixes.iter().filter_map(|p| p.filename().map(str::to_owned)).collect())
    }
}

/// Oracle's own API. Its S3 endpoint is an object store of the library; that it honours `If-None-Match` is not documented.
pub(super) struct Oracle {
    pub bucket: Bucket,
    pub name: String,
    /// Ends with `/` where it is not empty.
    pub root: String,
}

impl Oracle {
    fn failed(&self, verb: &'static str) -> impl Fn(Failure) -> Error {
        let policy = format!(
            "Allow group GROUP to manage objects in compartment COMPARTMENT where all {{target.bucket.name='{}', \
             any {{request.permission='OBJECT_INSPECT', request.permission='OBJECT_READ', \
             request.permission='OBJECT_CREATE', request.permission='OBJECT_OVERWRITE'}}}}",
            self.name
        );
        move |failure| failure.into_error(format!("Object Storage does not {verb}"), &policy)
    }

    async fn list(
        &self,
        folder: &str,
        delimiter: Option<&str>,
    ) -> Result<crate::oci::object_storage::Listing> {
        let prefix = format!("{}{folder}/", self.root);
        self.bucket.list(&prefix, delimiter).await.map_err(self.failed("list"))
    }
}

#[async_trait]
impl Objects for Oracle {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let got = self.bucket.get(&format!("{}{name}", self.root)).await;
        got.map(|bytes| bytes.map(|b| b.to_vec())).map_err(self.failed("read"))
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.bucket.put(&format!("{}{name}", self.root), bytes).await.map_err(self.failed("write"))
    }

    async fn create(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        self.bucket.create(&format!("{}{name}", self.root), bytes).await.map_err(self.failed("write"))
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.list(folder, None).await?;
        Ok(listed.objects.iter().filter_map(|name| name.rsplit('/').next().map(str::to_owned)).collect())
    }

    async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.list(folder, Some("/")).await?;
        let name = |prefix: &String| prefix.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
        Ok(listed.prefixes.iter().filter_map(name).collect())
    }
}
