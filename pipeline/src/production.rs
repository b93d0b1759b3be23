//! The demo's production: a service of the engine with a volume of its own, beside the stages and not in them.

use dagger_module::sdk::{CacheSharingMode, ContainerAsServiceOpts, Query, Secret, Service};
use dagger_module::{Held, Result};

use crate::settings::{Settings, mount};

const PORT: isize = 5432;

/// One that serves; `stop` it when nobody needs it any more.
pub struct Production {
    pub service: Service,
    pub url: Secret,
}

impl Production {
    pub async fn of(settings: &Settings, dag: &Query, scale: Option<f64>) -> Result<Self> {
        let volume = settings
            .state
            .as_ref()
            .map_or_else(|| "drydock-demo-production".to_owned(), |state| format!("{state}-production"));
        // Its folder has a lock of its own: one that serves from it already is waited for.
        let container =
            mount(settings.project(dag).await?, &dag.cache_volume(volume), CacheSharingMode::Shared).await?;
        // Known to this call alone, and so the service is this call's alone: no other call can stop it under its feet.
        let (name, password) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4().simple());
        let secret = dag.set_secret(format!("drydock-demo-password-{name}"), password.to_string());
        let url = dag.set_secret(
            format!("drydock-demo-url-{name}"),
            format!("postgresql://drydock:{password}@database:{PORT}/logistics"),
        );
        let listen = format!("0.0.0.0:{PORT}");
        let mut command = vec!["drydock", "demo", "serve", "--listen", &listen];
        let scale = scale.map(|scale| scale.to_string());
        if let Some(scale) = &scale {
            command.extend(["--scale", scale]);
        }
        let options = ContainerAsServiceOpts {
            args: Some(command),
            expand: None,
            experimental_privileged_nesting: None,
            insecure_root_capabilities: None,
            no_init: None,
            use_entrypoint: None,
        };
        let service = container
            .with_secret_variable("DRYDOCK_DEMO_PASSWORD", secret.id().await?)
            .with_exposed_port(PORT)
            .as_service_opts(options);
        // What is held on to is this one and not one like it.
        let service = Held::of(&service).await?.get(dag);
        Ok(Self { service, url })
    }

    /// Has it shut down. At the end of a session the engine kills what still serves, and a server that was killed begins its next
    /// start with a recovery.
    pub async fn stop(&self) -> Result<()> {
        self.service.stop().await?;
        Ok(())
    }
}
