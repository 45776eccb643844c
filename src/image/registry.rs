//! A registry's API: manifests and blobs, with the user's credentials, asked again when the network fails.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use futures_util::StreamExt;
use oci_client::client::{
    BlobResponse, Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol,
};
use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};

use super::{ImageError, ImageReference, RegistryLogin};
use crate::checksum::{Sha256, Sha256Stream};
use crate::http::{self, HttpError, Patience};
use crate::progress::{Reporter, Task};

/// The kinds of manifest that are understood.
const MANIFESTS: [&str; 4] = [
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
];

/// A repository of a registry, for reading.
pub struct Registry {
    client: Client,
    credentials: RegistryAuth,
    reference: ImageReference,
    patience: Patience,
}

/// One try's end that was not a success: worth another try, or final.
enum Failure {
    Again(String),
    Final(ImageError),
}

impl Registry {
    /// The registry of an image, with that login, else with what `docker login` or `podman login` left.
    pub async fn of(
        reference: &ImageReference,
        patience: Patience,
        login: Option<&RegistryLogin>,
        reporter: &dyn Reporter,
    ) -> Result<Registry, ImageError> {
        let client = distribution_client(reference, patience)?;
        let credentials = match login {
            Some(login) if login.is_for(reference) => login.auth(),
            _ => RegistryLogin::of(reference, reporter).await.auth(),
        };
        // Blobs are asked for with what is stored here.
        let registry = reference.oci().resolve_registry();
        client.store_auth_if_needed(registry, &credentials).await;
        let reference = reference.clone();
        Ok(Registry {
            client,
            credentials,
            reference,
            patience,
        })
    }

    /// The manifest of the image, by its tag or, if the reference has one, its digest.
    pub async fn manifest(&self, reference: &ImageReference) -> Result<Vec<u8>, ImageError> {
        let image = reference.oci();
        let mut tries = Tries::new(self);
        loop {
            match self.ask_for_manifest(image).await {
                Ok(manifest) => return Ok(manifest),
                Err(error) => tries.after(self.sort(error, "its manifest")).await?,
            }
        }
    }

    async fn ask_for_manifest(&self, image: &Reference) -> Result<Vec<u8>, OciDistributionError> {
        // Its own question about credentials hides why they were refused.
        self.client
            .auth(image, &self.credentials, RegistryOperation::Pull)
            .await?;
        let (manifest, _) = self
            .client
            .pull_manifest_raw(image, &self.credentials, &MANIFESTS)
            .await?;
        Ok(manifest.to_vec())
    }

    /// Saves a blob, whose digest is checked while it comes. A connection that breaks off is resumed.
    pub async fn blob(
        &self,
        descriptor: &OciDescriptor,
        path: &Path,
        task: &dyn Task,
    ) -> Result<(), ImageError> {
        let io = |source| ImageError::Io {
            path: path.to_owned(),
            source,
        };
        let mut blob = Blob {
            registry: self,
            descriptor,
            file: fs_err::File::create(path).map_err(io)?,
            have: 0,
            digest: Sha256Stream::default(),
        };
        let mut tries = Tries::new(self);
        loop {
            let before = blob.have;
            match blob.attempt(task).await {
                Ok(()) => break,
                Err(failure) => {
                    if blob.have > before {
                        tries = Tries::new(self);
                    }
                    tries.after(failure).await?;
                }
            }
        }
        let found = blob.digest.finish().oci();
        if found != descriptor.digest {
            return Err(self.other_digest("a layer", &descriptor.digest, &found));
        }
        blob.file.sync_all().map_err(io)
    }

    fn other_digest(&self, what: &str, expected: &str, found: &str) -> ImageError {
        ImageError::OtherDigest {
            reference: self.reference.to_string(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn sort(&self, error: OciDistributionError, what: &str) -> Failure {
        let reference = self.reference.to_string();
        let registry = self.reference.registry().to_owned();
        let not_found = |reason| ImageError::NotFound {
            reference: reference.clone(),
            registry: registry.clone(),
            reason,
        };
        let denied = |reason| ImageError::Denied {
            reference: reference.clone(),
            registry: registry.clone(),
            reason,
        };
        use OciDistributionError as E;
        Failure::Final(match error {
            E::RequestError(error) => match http::reason(&error) {
                reason if reason.starts_with(http::UNTRUSTED) => {
                    let url = error.url().map(ToString::to_string).unwrap_or(registry);
                    ImageError::Http(HttpError::Untrusted { url, reason })
                }
                reason => return Failure::Again(reason),
            },
            E::IoError(error) => return Failure::Again(http::reason(&error)),
            E::ServerError { code, .. } if code == 429 || code >= 500 => {
                return Failure::Again(format!("the registry answers {code}"));
            }
            E::ServerError { code: 404, .. } => not_found("404".to_owned()),
            E::ServerError { code: 403, .. } => denied("403".to_owned()),
            E::ServerError { code, message, .. } => ImageError::Refused {
                reference,
                reason: format!("{code} {message}").trim_end().to_owned(),
            },
            E::RegistryError { envelope, .. } => {
                let code = envelope.errors.first().map(|error| &error.code);
                let words: Vec<&str> = envelope
                    .errors
                    .iter()
                    .map(|error| error.message.as_str())
                    .collect();
                let reason = words.join("; ");
                match code {
                    Some(OciErrorCode::Toomanyrequests) => return Failure::Again(reason),
                    Some(OciErrorCode::Denied | OciErrorCode::Unauthorized) => denied(reason),
                    Some(
                        OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound
                        | OciErrorCode::BlobUnknown,
                    ) => not_found(reason),
                    _ => ImageError::Refused { reference, reason },
                }
            }
            E::UnauthorizedError { .. } => denied("401".to_owned()),
            E::AuthenticationFailure(reason) => denied(match reason.trim() {
                "" => "the credentials are not taken".to_owned(),
                reason => reason.to_owned(),
            }),
            E::DigestError(DigestError::VerificationError { expected, actual }) => {
                self.other_digest(what, &expected, &actual)
            }
            other => malformed(&self.reference, &other.to_string()),
        })
    }
}

/// A blob on its way into a file.
struct Blob<'a> {
    registry: &'a Registry,
    descriptor: &'a OciDescriptor,
    file: fs_err::File,
    have: u64,
    digest: Sha256Stream,
}

impl Blob<'_> {
    async fn attempt(&mut self, task: &dyn Task) -> Result<(), Failure> {
        let (registry, image) = (self.registry, self.registry.reference.oci());
        let sort = |error| registry.sort(error, "a layer");
        let client = &registry.client;
        let answer = match self.have {
            0 => BlobResponse::Full(
                client
                    .pull_blob_stream(image, self.descriptor)
                    .await
                    .map_err(sort)?,
            ),
            have => client
                .pull_blob_stream_partial(image, self.descriptor, have, None)
                .await
                .map_err(sort)?,
        };
        let mut stream = match answer {
            BlobResponse::Partial(stream) => stream,
            BlobResponse::Full(stream) => {
                self.begin_anew().map_err(|error| sort(error.into()))?;
                stream
            }
        };
        let size = u64::try_from(self.descriptor.size).unwrap_or(0);
        while self.have < size {
            let Some(piece) = stream.next().await else {
                let reason = format!("{} of {size} bytes arrived", self.have);
                return Err(Failure::Again(reason));
            };
            let piece = piece.map_err(|error| Failure::Again(http::reason(&error)))?;
            // Behind its end nothing is read: what is longer than it should be has another digest.
            self.file.write_all(&piece).map_err(|source| {
                let path = self.file.path().to_owned();
                Failure::Final(ImageError::Io { path, source })
            })?;
            self.digest.update(&piece);
            self.have += piece.len() as u64;
            task.advance(piece.len() as u64);
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> std::io::Result<()> {
        self.have = 0;
        self.digest = Sha256Stream::default();
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0)).map(drop)
    }
}

/// How often something was tried already.
struct Tries<'a> {
    registry: &'a Registry,
    made: usize,
    pauses: Box<dyn Iterator<Item = std::time::Duration> + Send>,
}

impl<'a> Tries<'a> {
    fn new(registry: &'a Registry) -> Tries<'a> {
        let pauses = Box::new(registry.patience.pauses());
        Tries {
            registry,
            made: 0,
            pauses,
        }
    }

    /// Pauses before the next try, if there is to be one.
    async fn after(&mut self, failure: Failure) -> Result<(), ImageError> {
        self.made += 1;
        match (failure, self.pauses.next()) {
            (Failure::Final(error), _) => Err(error),
            (Failure::Again(_), Some(pause)) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            (Failure::Again(reason), None) => Err(ImageError::Unreachable {
                reference: self.registry.reference.to_string(),
                tries: self.made,
                reason,
            }),
        }
    }
}

/// A client with the settings of every other request.
pub(super) fn distribution_client(
    reference: &ImageReference,
    patience: Patience,
) -> Result<Client, ImageError> {
    let authorities = http::named_authorities()?.map(|data| Certificate {
        encoding: CertificateEncoding::Pem,
        data,
    });
    let protocol = match scheme_of(reference.oci().resolve_registry()) {
        "http" => ClientProtocol::Http,
        _ => ClientProtocol::Https,
    };
    let client = Client::try_from(ClientConfig {
        protocol,
        extra_root_certificates: authorities.into_iter().collect(),
        connect_timeout: Some(patience.connect_timeout()),
        read_timeout: Some(patience.silence),
        user_agent: http::USER_AGENT,
        ..ClientConfig::default()
    });
    client.map_err(|error| match error {
        OciDistributionError::RequestError(error) => http::unusable_setup(error).into(),
        other => malformed(reference, &other.to_string()),
    })
}

/// How a registry is spoken to.
pub(super) fn scheme_of(registry: &str) -> &'static str {
    match is_this_machine(registry) {
        true => "http",
        false => "https",
    }
}

/// Registries of this machine have no certificate; Docker speaks plain HTTP to them too.
fn is_this_machine(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => registry.rsplit_once(':').map_or(registry, |(host, _)| host),
    };
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

pub(super) fn malformed(reference: &ImageReference, reason: &str) -> ImageError {
    ImageError::Malformed {
        reference: reference.to_string(),
        reason: reason.to_owned(),
    }
}

/// A digest as descriptors have it.
pub(super) fn digest_of(reference: &ImageReference, text: &str) -> Result<Sha256, ImageError> {
    text.strip_prefix("sha256:")
        .and_then(|hex| hex.parse().ok())
        .ok_or_else(|| {
            malformed(
                reference,
                &format!("`{text}` is not the digest of a blob (sha256:…)"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_this_machine_are_asked_without_tls() {
        for registry in ["localhost", "localhost:5000", "127.0.0.1:5000"] {
            assert!(is_this_machine(registry), "{registry}");
        }
        for registry in ["public.ecr.aws", "localhost.example:443", "registry:5000"] {
            assert!(!is_this_machine(registry), "{registry}");
        }
    }
}
