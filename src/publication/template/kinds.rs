//! What templates make, and what AWS takes of that.

use std::marker::PhantomData;

use super::Placeholder::{self, Account, Arch, Name, RMinor, Target};
use super::{Part, Template, TemplateError, TemplateKind, TemplateValues};
use crate::publication::PublishedName;

/// Makes names of layers; what comes out is [`PublishedName`].
#[derive(Clone, Copy, Debug)]
pub enum OfLayer {}

/// The template of layers' names; `{name}-{r_minor}-{arch}` if none is given.
pub type LayerNameTemplate = Template<OfLayer>;

impl TemplateKind for OfLayer {
    const WHAT: &'static str = "layer's name";
    const PLACEHOLDERS: &'static [Placeholder] =
        &[Name, RMinor, Placeholder::RVersion, Arch, Target];

    /// Layers' names have no dots: they become `_`.
    fn adapt(filled: String) -> String {
        filled.replace('.', "_")
    }

    fn check(name: &str) -> Result<(), &'static str> {
        let checked = name.parse::<PublishedName>();
        checked
            .map(|_| ())
            .map_err(|_| "AWS takes letters, digits, `-` and `_`, at most 140")
    }
}

impl Default for LayerNameTemplate {
    fn default() -> Self {
        let open = [Name, RMinor, Arch].map(Part::Open);
        let [name, minor, architecture] = open;
        let hyphen = || Part::Text("-".to_owned());
        Template {
            text: "{name}-{r_minor}-{arch}".to_owned(),
            parts: vec![name, hyphen(), minor, hyphen(), architecture],
            kind: PhantomData,
        }
    }
}

impl LayerNameTemplate {
    /// The name of a layer.
    ///
    /// # Errors
    /// If it is too long.
    pub fn name(&self, values: &TemplateValues) -> Result<PublishedName, TemplateError> {
        self.fill(values).map(PublishedName::checked)
    }
}

/// Makes names of S3 buckets.
#[derive(Clone, Copy, Debug)]
pub enum OfBucket {}

/// The template of the bucket that large zips go through: `layers-{account}-{region}`.
pub type BucketTemplate = Template<OfBucket>;

impl TemplateKind for OfBucket {
    const WHAT: &'static str = "bucket's name";
    const PLACEHOLDERS: &'static [Placeholder] = &[Placeholder::Region, Account];

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
    fn check(name: &str) -> Result<(), &'static str> {
        let is_taken = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let within = |c: char| is_taken(c) || c == '-' || c == '.';
        let is_name = (3..=63).contains(&name.len())
            && name.chars().all(within)
            && name.starts_with(is_taken)
            && name.ends_with(is_taken)
            && !name.contains("..");
        match is_name {
            true => Ok(()),
            false => Err(
                "S3 takes 3 to 63 small letters, digits, `-` and single `.`, a letter or digit first and last",
            ),
        }
    }
}

/// Makes names of parameters of the Systems Manager's Parameter Store.
#[derive(Clone, Copy, Debug)]
pub enum OfParameter {}

/// The template of the parameter that holds a layer version's ARN: `/r/{name}/{arch}`.
pub type ParameterTemplate = Template<OfParameter>;

impl TemplateKind for OfParameter {
    const WHAT: &'static str = "parameter's name";
    const PLACEHOLDERS: &'static [Placeholder] = &Placeholder::ALL;

    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
    fn check(name: &str) -> Result<(), &'static str> {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
        let levels = name.matches('/').count();
        let first = name.trim_start_matches('/').to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(is_taken) {
            return Err("the Parameter Store takes letters, digits, `_`, `.`, `-` and `/`");
        }
        if name.contains("//") || name.ends_with('/') {
            return Err("between `/` and at the end there is a word");
        }
        if levels > 0 && !name.starts_with('/') {
            return Err("a name with `/` begins with it");
        }
        if levels > 15 || name.len() > 1011 {
            return Err("the Parameter Store takes 15 levels and 1011 characters");
        }
        if first.starts_with("aws") || first.starts_with("ssm") {
            return Err("names that begin with aws or ssm are AWS's own");
        }
        Ok(())
    }
}
