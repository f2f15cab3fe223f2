//! Where the files of ended recordings are: the folder in which they were written, or an S3-compatible bucket.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;

use crate::config::BucketConfig;

/// One part of an upload; S3 wants at least 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one upload on their way at once.
const PARTS_AT_ONCE: usize = 2;

#[derive(Debug)]
pub(crate) struct Store {
    folder: Arc<LocalFileSystem>,
    bucket: Option<(Arc<dyn ObjectStore>, Path)>,
}

/// The object store did not do it; says why.
#[derive(Debug, thiserror::Error)]
#[error("the store of recordings: {0}")]
pub struct StoreError(#[source] pub(crate) Error);

/// Bytes of a file, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes, StoreError>>;

impl Store {
    pub(crate) fn open(folder: &FilePath, bucket: Option<&BucketConfig>) -> Result<Self, StoreError> {
        let folder = Arc::new(LocalFileSystem::new_with_prefix(folder).map_err(StoreError)?);
        let bucket = bucket.map(open_bucket).transpose()?;
        Ok(Self { folder, bucket })
    }

    pub(crate) fn has_bucket(&self) -> bool {
        self.bucket.is_some()
    }

    /// Copies a file of the folder into the bucket, in parts.
    pub(crate) async fn upload(&self, name: &str) -> Result<(), StoreError> {
        let Some((bucket, prefix)) = &self.bucket else { return Ok(()) };
        let path = self.folder.path_to_filesystem(&Path::from(name)).map_err(StoreError)?;
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let upload = bucket.put_multipart(&prefix.clone().join(name)).await.map_err(StoreError)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut part = vec![0; PART_BYTES];
        loop {
            let length = match file.read(&mut part).await {
                Ok(length) => length,
                Err(error) => {
                    upload.abort().await.map_err(StoreError)?;
                    return Err(unreadable(error));
                }
            };
            if length == 0 {
                break;
            }
            upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(StoreError)?;
            upload.write(&part[..length]);
        }
        upload.finish().await.map(|_| ()).map_err(StoreError)
    }

    /// From where it is; all of it without a range.
    pub(crate) async fn read(
        &self,
        name: &str,
        is_uploaded: bool,
        range: Option<Range<u64>>,
    ) -> Result<Content, StoreError> {
        let (store, path) = self.place(name, is_uploaded);
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let result = store.get_opts(&path, options).await.map_err(StoreError)?;
        Ok(result.into_stream().map(|piece| piece.map_err(StoreError)).boxed())
    }

    /// What is gone already is no error.
    pub(crate) async fn delete(&self, name: &str, is_uploaded: bool) -> Result<(), StoreError> {
        let (store, path) = self.place(name, is_uploaded);
        match store.delete(&path).await {
            Err(Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(StoreError(error)),
        }
    }

    fn place(&self, name: &str, is_uploaded: bool) -> (&dyn ObjectStore, Path) {
        match &self.bucket {
            Some((bucket, prefix)) if is_uploaded => (bucket.as_ref(), prefix.clone().join(name)),
            _ => (self.folder.as_ref(), Path::from(name)),
        }
    }
}

fn open_bucket(config: &BucketConfig) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    // Whoever came first has chosen ring as well: nothing else is built in.
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
    let bucket = AmazonS3Builder::new()
        .with_endpoint(&config.endpoint)
        .with_region(&config.region)
        .with_bucket_name(&config.bucket)
        .with_access_key_id(&config.access_key)
        .with_secret_access_key(&config.secret_key.0)
        .with_allow_http(config.endpoint.starts_with("http://"))
        .build()
        .map_err(StoreError)?;
    Ok((Arc::new(bucket), Path::from(config.prefix.as_str())))
}

fn unreadable(error: std::io::Error) -> StoreError {
    StoreError(Error::Generic { store: "folder", source: Box::new(error) })
}
