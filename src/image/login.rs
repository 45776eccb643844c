//! By what a registry knows us: what Docker's and podman's own commands left, or what AWS gives for its registry.

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

use super::ImageReference;
use crate::progress::Reporter;

/// A user of a registry. Its password is in no output.
#[derive(Clone)]
pub struct RegistryLogin {
    registry: String,
    auth: RegistryAuth,
}

impl RegistryLogin {
    /// What `docker login` or `podman login` left for an image's registry; else nobody.
    pub async fn of(reference: &ImageReference, reporter: &dyn Reporter) -> RegistryLogin {
        let registry = reference.oci().resolve_registry().to_owned();
        let asked = registry.clone();
        // A credential helper is a program that may ask and wait.
        let found = tokio::task::spawn_blocking(move || credentials(&asked)).await;
        let auth = match found {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(reason)) => {
                let registry = reference.registry();
                reporter.warn(&format!(
                    "the credentials for {registry} cannot be used ({reason}); asking without them"
                ));
                RegistryAuth::Anonymous
            }
            Err(_) => RegistryAuth::Anonymous,
        };
        RegistryLogin { registry, auth }
    }

    /// A user with a password, at an image's registry.
    pub fn with_password(reference: &ImageReference, user: &str, password: &str) -> RegistryLogin {
        RegistryLogin {
            registry: reference.oci().resolve_registry().to_owned(),
            auth: RegistryAuth::Basic(user.to_owned(), password.to_owned()),
        }
    }

    /// Is it nobody?
    pub fn is_anonymous(&self) -> bool {
        matches!(self.auth, RegistryAuth::Anonymous)
    }

    pub(super) fn is_for(&self, reference: &ImageReference) -> bool {
        self.registry == reference.oci().resolve_registry()
    }

    pub(super) fn auth(&self) -> RegistryAuth {
        self.auth.clone()
    }
}

/// What `docker login` or `podman login` left for a registry; none is anonymous.
fn credentials(registry: &str) -> Result<RegistryAuth, String> {
    let key = match registry {
        // Docker's own name for its own registry.
        "index.docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    use CredentialRetrievalError as E;
    let nothing = |error: &E| {
        matches!(
            error,
            E::ConfigNotFound | E::ConfigReadError | E::NoCredentialConfigured
        )
    };
    let found = match docker_credential::get_credential(key) {
        Err(error) if nothing(&error) => docker_credential::get_podman_credential(registry),
        found => found,
    };
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(RegistryAuth::Basic(user, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(
            "an identity token, which only Docker itself can use; log in with a user name and an access token".to_owned(),
        ),
        Err(error) if nothing(&error) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(error.to_string()),
    }
}
