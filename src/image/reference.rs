//! The names of images, with the short forms that Docker knows.

use std::fmt;
use std::str::FromStr;

use oci_client::Reference;

use crate::checksum::Sha256;
use crate::publication::{AccountId, Region};

/// An image in a registry: `public.ecr.aws/lambda/provided:al2023`, `debian` (which is
/// `docker.io/library/debian:latest`), `localhost:5000/name@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference(Reference);

/// A registry of ECR: `123456789012.dkr.ecr.eu-central-1.amazonaws.com`.
///
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRegistry {
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub region: Region,
}

impl EcrRegistry {
    fn of_host(host: &str) -> Option<EcrRegistry> {
        let parts: Vec<&str> = host.split('.').collect();
        match parts.as_slice() {
            [
                account,
                "dkr",
                "ecr" | "ecr-fips",
                region,
                "amazonaws",
                "com",
            ]
            | [account, "dkr", "ecr", region, "amazonaws", "com", "cn"] => Some(EcrRegistry {
                account: account.parse().ok()?,
                region: region.parse().ok()?,
            }),
            _ => None,
        }
    }
}

/// A text that names no image.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` names no image ({reason}); type for example public.ecr.aws/lambda/provided:al2023, debian:bullseye or \
     localhost:5000/name@sha256:…"
)]
pub struct ReferenceError {
    text: String,
    reason: String,
}

impl ImageReference {
    /// The registry that has it.
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// The repository in it.
    pub fn repository(&self) -> &str {
        self.0.repository()
    }

    /// Its tag; `latest`, if the name says none.
    pub fn tag(&self) -> &str {
        self.0.tag().unwrap_or("latest")
    }

    /// The account's registry at AWS that has it, if it is one.
    pub fn ecr(&self) -> Option<EcrRegistry> {
        EcrRegistry::of_host(self.registry())
    }

    /// Its digest, if the name says it.
    pub fn digest(&self) -> Option<Sha256> {
        self.0.digest()?.strip_prefix("sha256:")?.parse().ok()
    }

    /// The same image, and of it the content of that digest: whatever the tag says one day.
    pub fn at(&self, digest: &Sha256) -> ImageReference {
        let (registry, repository) = (self.0.registry().into(), self.0.repository().into());
        ImageReference(match self.0.tag() {
            Some(tag) => {
                Reference::with_tag_and_digest(registry, repository, tag.into(), digest.oci())
            }
            None => Reference::with_digest(registry, repository, digest.oci()),
        })
    }

    /// The repository and the digest, without the tag: what every engine takes.
    pub fn by_digest(&self, digest: &Sha256) -> String {
        self.0.clone_with_digest(digest.oci()).whole()
    }

    /// Do both names lead to one repository?
    pub fn is_of_the_repository_of(&self, other: &ImageReference) -> bool {
        let place = |named: &ImageReference| {
            (
                named.0.registry().to_owned(),
                named.0.repository().to_owned(),
            )
        };
        place(self) == place(other)
    }

    pub(super) fn oci(&self) -> &Reference {
        &self.0
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let failed = |reason: String| ReferenceError {
            text: text.to_owned(),
            reason,
        };
        let reference = Reference::try_from(text).map_err(|error| failed(error.to_string()))?;
        let named = ImageReference(reference);
        match (named.0.digest(), named.digest()) {
            (Some(_), None) => Err(failed("its digest is not a sha256".to_owned())),
            (Some(_), Some(digest)) => Ok(named.at(&digest)),
            (None, _) => Ok(named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> String {
        text.parse::<ImageReference>().unwrap().to_string()
    }

    #[test]
    fn short_names_are_docker_hubs_and_no_tag_is_latest() {
        for (text, whole) in [
            ("debian", "docker.io/library/debian:latest"),
            ("rocker/r-ver:4.5.0", "docker.io/rocker/r-ver:4.5.0"),
            ("localhost/r", "localhost/r:latest"),
            ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
            (
                "public.ecr.aws/lambda/provided:al2023",
                "public.ecr.aws/lambda/provided:al2023",
            ),
        ] {
            assert_eq!(named(text), whole);
        }
    }

    #[test]
    fn a_digest_joins_the_tag_and_is_written_in_small_letters() {
        let digest = Sha256::of(b"manifest");
        let image: ImageReference = "localhost:5000/r:1".parse().unwrap();
        assert_eq!(image.digest(), None);
        let pinned = image.at(&digest);
        assert_eq!(
            pinned.to_string(),
            format!("localhost:5000/r:1@sha256:{digest}")
        );
        assert_eq!(pinned.digest(), Some(digest));
        assert_eq!(
            image.by_digest(&digest),
            format!("localhost:5000/r@sha256:{digest}")
        );
        let shouted = format!("r@sha256:{}", digest.to_string().to_uppercase());
        assert_eq!(
            named(&shouted),
            format!("docker.io/library/r@sha256:{digest}")
        );
    }

    #[test]
    fn ecrs_registries_are_known_by_their_names() {
        let ecr = |name: &str| name.parse::<ImageReference>().unwrap().ecr();
        for (host, region) in [
            (
                "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
                "eu-central-1",
            ),
            (
                "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
        ] {
            let found = ecr(&format!("{host}/r/function:1")).unwrap();
            assert_eq!(found.account.as_str(), "123456789012");
            assert_eq!(found.region.as_str(), region);
        }
        for name in [
            "public.ecr.aws/lambda/provided",
            "debian",
            "x.dkr.ecr.eu-west-1.amazonaws.com/r",
        ] {
            assert_eq!(ecr(name), None, "{name}");
        }
    }

    #[test]
    fn what_names_no_image_is_answered_with_an_example() {
        let sha512 = format!("r@sha512:{}", "a".repeat(128));
        for text in [
            "",
            "UPPER",
            "a b",
            "--rm",
            "r:",
            "r@sha256:12",
            "../etc",
            &sha512,
        ] {
            let error = text.parse::<ImageReference>().unwrap_err().to_string();
            assert!(error.contains("provided:al2023"), "{error}");
        }
    }
}
