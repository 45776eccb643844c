//! Where something is at AWS: partitions, regions, accounts, organizations, and the ARNs of layers.
//!
//! Forms: <https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html>,
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html>.

use std::fmt;
use std::str::FromStr;

use super::name::{NameError, PublishedName};
use super::text::serde_as_text;

/// A text that is no name of a place or of an owner at AWS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}")]
pub struct PlaceError {
    /// What was given.
    pub text: String,
    /// What it should be, with its form.
    pub what: &'static str,
}

/// A text that passes a test.
macro_rules! checked_text {
    ($(#[$docs:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = PlaceError;

            fn from_str(text: &str) -> Result<Self, PlaceError> {
                let check: fn(&str) -> bool = $check;
                match check(text) {
                    true => Ok($name(text.to_owned())),
                    false => Err(PlaceError { text: text.to_owned(), what: $what }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        serde_as_text!($name);
    };
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

checked_text!(
    /// A part of AWS with accounts of its own: `aws`, `aws-cn`, `aws-us-gov`, or a newer one.
    Partition,
    "partition (aws, aws-cn, aws-us-gov or another word of small letters and `-`)",
    |text| {
        let mut words = text.split('-');
        text.starts_with("aws") && words.all(|word| !word.is_empty() && word.bytes().all(is_lower))
    }
);

checked_text!(
    /// A region, known or not: `eu-central-1`, `us-gov-west-1`.
    Region,
    "region (small letters and a number, as eu-central-1)",
    |text| {
        let words: Vec<&str> = text.split('-').collect();
        let Some((number, words)) = words.split_last() else {
            return false;
        };
        words.len() >= 2
            && is_digits(number)
            && words.iter().all(|word| !word.is_empty() && word.bytes().all(is_lower))
    }
);

checked_text!(
    /// An account: 12 digits.
    AccountId,
    "account (12 digits)",
    |text| text.len() == 12 && is_digits(text)
);

checked_text!(
    /// An organization: `o-` and 10 to 32 small letters and digits.
    OrganizationId,
    "organization (o- and 10 to 32 small letters and digits, as `aws organizations describe-organization` says it)",
    |text| text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len())
            && id.bytes().all(|byte| is_lower(byte) || byte.is_ascii_digit())
    })
);

checked_text!(
    /// A role that can be assumed: `arn:aws:iam::123456789012:role/path/name`.
    RoleArn,
    "role (its ARN, as arn:aws:iam::123456789012:role/publisher)",
    |text| match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            partition.parse::<Partition>().is_ok()
                && account.parse::<AccountId>().is_ok()
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        }
        _ => false,
    }
);

impl RoleArn {
    /// The account that the role is of.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }
}

impl Default for Partition {
    /// That of the commercial regions.
    fn default() -> Partition {
        Partition("aws".to_owned())
    }
}

impl Partition {
    /// The partition that a region is in, by how regions are named.
    ///
    /// Source: the AWS SDKs' `partitions.json`.
    pub fn of(region: &Region) -> Partition {
        let partition = match region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            region if region.starts_with("us-iso-") => "aws-iso",
            region if region.starts_with("us-isob-") => "aws-iso-b",
            region if region.starts_with("eu-isoe-") => "aws-iso-e",
            region if region.starts_with("us-isof-") => "aws-iso-f",
            region if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        Partition(partition.to_owned())
    }
}

/// A text that is no ARN of a layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not the right number of parts, or other words between them.
    #[error("`{text}` is no ARN of a layer{of}; it looks like {example}")]
    Form {
        /// What was given.
        text: String,
        /// ` version`, or nothing.
        of: &'static str,
        /// What it looks like.
        example: &'static str,
    },
    /// The ARN of something of Lambda's that is no layer.
    #[error("`{text}` is the ARN of a {kind}; that of a layer{of} looks like {example}")]
    OfAnother {
        /// What was given.
        text: String,
        /// `function`, …
        kind: String,
        /// ` version`, or nothing.
        of: &'static str,
        /// What it looks like.
        example: &'static str,
    },
    /// A layer, where one of its versions is wanted.
    #[error("`{0}` is the ARN of a layer without a version; add the version's number, as `{0}:1`")]
    NoVersion(String),
    /// A version, where the layer is wanted.
    #[error("`{0}` is the ARN of a version of a layer; leave out its number")]
    WithVersion(String),
    /// A version's number that is none.
    #[error("`{text}`: the version `{version}` is no number from 1")]
    Version {
        /// What was given.
        text: String,
        /// The part of it.
        version: String,
    },
    /// A partition, region or account that is none.
    #[error("`{text}`: {source}")]
    Place {
        /// What was given.
        text: String,
        /// What is wrong.
        source: PlaceError,
    },
    /// A layer's name that is none.
    #[error("`{text}`: {source}")]
    Name {
        /// What was given.
        text: String,
        /// What is wrong.
        source: NameError,
    },
}

const LAYER_EXAMPLE: &str = "arn:aws:lambda:eu-central-1:123456789012:layer:r-runtime-4_5-x86_64";
const VERSION_EXAMPLE: &str =
    "arn:aws:lambda:eu-central-1:123456789012:layer:r-runtime-4_5-x86_64:7";

/// A layer: `arn:aws:lambda:eu-central-1:123456789012:layer:r-runtime-4_5-x86_64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerArn {
    /// The partition.
    pub partition: Partition,
    /// The region.
    pub region: Region,
    /// Whose it is.
    pub account: AccountId,
    /// Its name.
    pub layer: PublishedName,
}

/// A version of a layer: the layer's ARN, `:` and its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerVersionArn {
    /// The layer.
    pub layer: LayerArn,
    /// Its number, from 1.
    pub version: u64,
}

impl LayerArn {
    /// One of its versions.
    pub fn version(&self, version: u64) -> LayerVersionArn {
        LayerVersionArn {
            layer: self.clone(),
            version,
        }
    }
}

/// The layer of an ARN, and its version if it has one.
fn parts<'a>(
    text: &'a str,
    of: &'static str,
    example: &'static str,
) -> Result<(LayerArn, Option<&'a str>), ArnError> {
    let form = || ArnError::Form {
        text: text.to_owned(),
        of,
        example,
    };
    let parts: Vec<&str> = text.split(':').collect();
    let &[
        scheme,
        partition,
        service,
        region,
        account,
        kind,
        ref rest @ ..,
    ] = parts.as_slice()
    else {
        return Err(form());
    };
    if scheme != "arn" || service != "lambda" {
        return Err(form());
    }
    if kind != "layer" {
        return Err(ArnError::OfAnother {
            text: text.to_owned(),
            kind: kind.to_owned(),
            of,
            example,
        });
    }
    let (layer, version) = match *rest {
        [layer] => (layer, None),
        [layer, version] => (layer, Some(version)),
        _ => return Err(form()),
    };
    let place = |source| ArnError::Place {
        text: text.to_owned(),
        source,
    };
    let layer = LayerArn {
        partition: partition.parse().map_err(place)?,
        region: region.parse().map_err(place)?,
        account: account.parse().map_err(place)?,
        layer: layer.parse().map_err(|source| ArnError::Name {
            text: text.to_owned(),
            source,
        })?,
    };
    Ok((layer, version))
}

impl FromStr for LayerArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        match parts(text, "", LAYER_EXAMPLE)? {
            (layer, None) => Ok(layer),
            (_, Some(_)) => Err(ArnError::WithVersion(text.to_owned())),
        }
    }
}

impl FromStr for LayerVersionArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let (layer, version) = parts(text, " version", VERSION_EXAMPLE)?;
        let version = version.ok_or_else(|| ArnError::NoVersion(text.to_owned()))?;
        let number = Some(version).filter(|version| is_digits(version));
        let number = number.and_then(|version| version.parse().ok());
        let number = number.filter(|&number| number > 0);
        let version = number.ok_or_else(|| ArnError::Version {
            text: text.to_owned(),
            version: version.to_owned(),
        })?;
        Ok(LayerVersionArn { layer, version })
    }
}

impl fmt::Display for LayerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayerArn {
            partition,
            region,
            account,
            layer,
        } = self;
        write!(f, "arn:{partition}:lambda:{region}:{account}:layer:{layer}")
    }
}

impl fmt::Display for LayerVersionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.layer, self.version)
    }
}

serde_as_text!(LayerArn, LayerVersionArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_every_partition_are_read_and_written() {
        for text in [
            "arn:aws:lambda:eu-central-1:123456789012:layer:r-runtime-4_5-x86_64:7",
            "arn:aws-cn:lambda:cn-north-1:123456789012:layer:r:1",
            "arn:aws-us-gov:lambda:us-gov-west-1:000000000001:layer:R_x:18446744073709551615",
            "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:layer:r:2",
        ] {
            let arn: LayerVersionArn = text.parse().unwrap();
            assert_eq!(arn.to_string(), text);
            assert_eq!(Partition::of(&arn.layer.region), arn.layer.partition);
            let layer = text.rsplit_once(':').unwrap().0;
            assert_eq!(layer.parse(), Ok(arn.layer));
        }
    }

    #[test]
    fn what_is_wrong_with_an_arn_is_named() {
        for (text, words) in [
            ("", "no ARN of a layer version"),
            (
                "r-runtime",
                "no ARN of a layer version; it looks like arn:aws:lambda",
            ),
            (
                "arn:aws:s3:eu-central-1:123456789012:layer:r:1",
                "no ARN of a layer",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:function:f:1",
                "the ARN of a function",
            ),
            (
                "arn:AWS:lambda:eu-central-1:123456789012:layer:r:1",
                "`AWS` is no partition",
            ),
            (
                "arn:aws:lambda:eu:123456789012:layer:r:1",
                "`eu` is no region",
            ),
            (
                "arn:aws:lambda:eu-central-1:12345678901:layer:r:1",
                "`12345678901` is no account (12 digits)",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r.4:1",
                "`r.4` is no name",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r:0",
                "the version `0` is no number from 1",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r:+1",
                "the version `+1`",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r",
                "add the version's number",
            ),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r:1:2",
                "no ARN of a layer version",
            ),
        ] {
            let error = text.parse::<LayerVersionArn>().unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
        let error = VERSION_EXAMPLE.parse::<LayerArn>().unwrap_err().to_string();
        assert!(error.contains("leave out its number"), "{error}");
    }

    #[test]
    fn organizations_have_ten_to_thirty_two_letters_and_digits() {
        for text in ["o-abcdef1234", &format!("o-{}", "a".repeat(32))] {
            assert!(text.parse::<OrganizationId>().is_ok(), "{text}");
        }
        for text in ["abcdef1234", "o-abc", "o-ABCDEF1234", "r-abcdef1234", "o-"] {
            let error = text.parse::<OrganizationId>().unwrap_err().to_string();
            assert!(error.contains("10 to 32"), "{error}");
        }
    }
}
