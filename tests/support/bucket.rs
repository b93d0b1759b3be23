//! Object storage as services speak to it: an S3 server on a free port, with one bucket and one pair of keys.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;

pub const KEY: &str = "drydock";
pub const SECRET: &str = "geheim";

pub struct Bucket {
    endpoint: String,
    /// Whether the keys are good.
    open: Arc<AtomicBool>,
}

struct Keys(Arc<AtomicBool>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, key: &str) -> S3Result<SecretKey> {
        if key == KEY && self.0.load(Ordering::Relaxed) {
            return Ok(SecretKey::from(SECRET));
        }
        Err(s3s::s3_error!(InvalidAccessKeyId))
    }
}

impl Bucket {
    /// Serves until the test's process ends; what is put there lies in a folder of the test.
    pub fn serve(folder: PathBuf) -> Self {
        std::fs::create_dir_all(folder.join("bucket")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&folder).unwrap());
        let open = Arc::new(AtomicBool::new(true));
        builder.set_auth(Keys(Arc::clone(&open)));
        let service = builder.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    let service = service.clone();
                    tokio::spawn(async move {
                        let _ = Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(socket), service)
                            .await;
                    });
                }
            });
        });
        Self { endpoint, open }
    }

    /// Takes the keys' rights away, or gives them back.
    pub fn open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    pub fn credentials(&self, secret: &str) -> String {
        format!(
            "AWS_ACCESS_KEY_ID={KEY}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_ENDPOINT={}\nAWS_ALLOW_HTTP=true\n",
            self.endpoint
        )
    }
}
