//! Names at AWS, and the templates that they are made from: of layers, of S3 buckets, of parameters.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use super::arn::{AccountId, Region};
use super::text::serde_as_text;
use crate::package::RVersion;
use crate::target::Architecture;

const LONGEST_NAME: usize = 140;

/// The name that a layer has at AWS: 1 to 140 letters, digits, `-` and `_`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>, `LayerName`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedName(String);

/// A text that no layer can be named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a layer; AWS takes letters, digits, `-` and `_`, at most {LONGEST_NAME}"
)]
pub struct NameError(pub String);

impl PublishedName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublishedName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_taken) {
            true => Ok(PublishedName(name.to_owned())),
            false => Err(NameError(name.to_owned())),
        }
    }
}

impl fmt::Display for PublishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a template leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The layer's logical name: `r-runtime`, `r-models`, `r-models-2`.
    Name,
    /// R's minor version: `4.5`.
    RMinor,
    /// R's version: `4.5.0`.
    RVersion,
    /// The processor as AWS names it: `x86_64`, `arm64`.
    Arch,
    /// The Lambda runtime: `provided.al2023`.
    Target,
    /// The region that is published in.
    Region,
    /// The account that publishes.
    Account,
}

use Placeholder::{Account, Arch, Name, RMinor, Target};

impl Placeholder {
    const ALL: [Placeholder; 7] = [
        Name,
        RMinor,
        Placeholder::RVersion,
        Arch,
        Target,
        Placeholder::Region,
        Account,
    ];

    fn word(self) -> &'static str {
        match self {
            Name => "name",
            RMinor => "r_minor",
            Placeholder::RVersion => "r_version",
            Arch => "arch",
            Target => "target",
            Placeholder::Region => "region",
            Account => "account",
        }
    }
}

/// What is put in the place of placeholders.
#[derive(Clone, Copy, Debug)]
pub struct TemplateValues<'a> {
    /// The layer's logical name.
    pub logical_name: &'a str,
    /// R's version.
    pub r_version: &'a RVersion,
    /// The processor.
    pub architecture: Architecture,
    /// The Lambda runtime's name.
    pub target: &'a str,
    /// The region, where there is one.
    pub region: Option<&'a Region>,
    /// The account, where it is known.
    pub account: Option<&'a AccountId>,
}

impl TemplateValues<'_> {
    fn value(&self, placeholder: Placeholder) -> Option<String> {
        Some(match placeholder {
            Name => self.logical_name.to_owned(),
            RMinor => self.r_version.minor_text(),
            Placeholder::RVersion => self.r_version.to_string(),
            Arch => self.architecture.aws_name().to_owned(),
            Target => self.target.to_owned(),
            Placeholder::Region => self.region?.to_string(),
            Account => self.account?.to_string(),
        })
    }
}

/// What a template makes: which placeholders it can have, and what its result has to be.
pub trait TemplateKind {
    /// What it makes, for messages: `layer's name`.
    const WHAT: &'static str;
    /// The placeholders that it takes.
    const PLACEHOLDERS: &'static [Placeholder];
    /// Brings a filled-in text into the form that AWS takes.
    fn adapt(filled: String) -> String {
        filled
    }
    /// Is that form taken?
    ///
    /// # Errors
    /// What AWS takes.
    fn check(name: &str) -> Result<(), &'static str>;
}

/// Why a template cannot be used, or what it makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A placeholder that there is not.
    #[error("`{template}`: there is no {{{placeholder}}} in a {what}; there are: {known}")]
    Unknown {
        /// The template.
        template: String,
        /// The word between the braces.
        placeholder: String,
        /// What the template makes.
        what: &'static str,
        /// The placeholders that there are.
        known: String,
    },
    /// A brace without its other.
    #[error("`{template}`: `{{` and `}}` come in pairs, around one of: {known}")]
    Brace {
        /// The template.
        template: String,
        /// The placeholders that there are.
        known: String,
    },
    /// The result is not what AWS takes.
    #[error("`{template}` gives `{result}`, which is no {what}: {reason}")]
    Result {
        /// The template.
        template: String,
        /// What it makes.
        what: &'static str,
        /// What came out.
        result: String,
        /// What AWS takes.
        reason: &'static str,
    },
    /// What it needs is not known where it is filled in.
    #[error("`{template}`: {{{placeholder}}} is not known here")]
    NotKnown {
        /// The template.
        template: String,
        /// The placeholder.
        placeholder: &'static str,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Open(Placeholder),
}

/// A text with placeholders in braces.
pub struct Template<K> {
    text: String,
    parts: Vec<Part>,
    kind: PhantomData<K>,
}

impl<K: TemplateKind> Template<K> {
    /// Puts values in the place of placeholders.
    ///
    /// # Errors
    /// If what comes out is not what AWS takes.
    pub fn fill(&self, values: &TemplateValues) -> Result<String, TemplateError> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Open(placeholder) => {
                    let value = values.value(*placeholder);
                    filled += &value.ok_or_else(|| TemplateError::NotKnown {
                        template: self.text.clone(),
                        placeholder: placeholder.word(),
                    })?;
                }
            }
        }
        self.finish(filled)
    }

    /// The same with `*` for what is not known: a pattern for policies.
    pub fn pattern(&self, value: impl Fn(Placeholder) -> Option<String>) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Open(placeholder) => value(*placeholder).unwrap_or_else(|| "*".to_owned()),
        });
        K::adapt(parts.collect())
    }

    /// Does it leave that open?
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Open(placeholder))
    }

    fn finish(&self, filled: String) -> Result<String, TemplateError> {
        let name = K::adapt(filled);
        match K::check(&name) {
            Ok(()) => Ok(name),
            Err(reason) => Err(TemplateError::Result {
                template: self.text.clone(),
                what: K::WHAT,
                result: name,
                reason,
            }),
        }
    }

    fn known() -> String {
        let known = K::PLACEHOLDERS.iter();
        let known: Vec<String> = known.map(|known| format!("{{{}}}", known.word())).collect();
        known.join(", ")
    }
}

impl<K: TemplateKind> FromStr for Template<K> {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let brace = || TemplateError::Brace {
            template: text.to_owned(),
            known: Self::known(),
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            let inside = from.strip_prefix('{').ok_or_else(brace)?;
            let (word, after) = inside.split_once('}').ok_or_else(brace)?;
            let known = K::PLACEHOLDERS.iter().find(|known| known.word() == word);
            let placeholder = known.ok_or_else(|| TemplateError::Unknown {
                template: text.to_owned(),
                placeholder: word.to_owned(),
                what: K::WHAT,
                known: Self::known(),
            })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Open(*placeholder));
            rest = after;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Template {
            text: text.to_owned(),
            parts,
            kind: PhantomData,
        };
        template.try_out()?;
        Ok(template)
    }
}

impl<K: TemplateKind> Template<K> {
    /// Fills it in with what is short and plain, so that what no value can mend is found at once.
    fn try_out(&self) -> Result<(), TemplateError> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Open(_) => "000",
        });
        self.finish(parts.collect()).map(|_| ())
    }
}

impl<K> Clone for Template<K> {
    fn clone(&self) -> Self {
        Template {
            text: self.text.clone(),
            parts: self.parts.clone(),
            kind: PhantomData,
        }
    }
}

impl<K> fmt::Debug for Template<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.text)
    }
}

impl<K> PartialEq for Template<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Template<K> {}

impl<K> fmt::Display for Template<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> serde::Serialize for Template<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: TemplateKind> serde::Deserialize<'de> for Template<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

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
        self.fill(values).map(PublishedName)
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

serde_as_text!(PublishedName);

#[cfg(test)]
mod tests {
    use super::*;

    fn filled<K: TemplateKind>(template: &str) -> Result<String, String> {
        let region = "eu-central-1".parse().unwrap();
        let account = "123456789012".parse().unwrap();
        let values = TemplateValues {
            logical_name: "r-runtime",
            r_version: &"4.5.0".parse().unwrap(),
            architecture: Architecture::X86_64,
            target: "provided.al2023",
            region: Some(&region),
            account: Some(&account),
        };
        let template: Template<K> = template.parse().map_err(|e: TemplateError| e.to_string())?;
        template.fill(&values).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_layers_have_no_dots() {
        let default = LayerNameTemplate::default();
        assert_eq!(default.to_string().parse(), Ok(default.clone()));
        assert_eq!(
            default.parts,
            default.text.parse::<LayerNameTemplate>().unwrap().parts
        );
        for (template, name) in [
            ("{name}-{r_minor}-{arch}", "r-runtime-4_5-x86_64"),
            ("acme_{name}.{r_version}", "acme_r-runtime_4_5_0"),
            ("{arch}{target}", "x86_64provided_al2023"),
            ("fixed", "fixed"),
        ] {
            assert_eq!(filled::<OfLayer>(template).unwrap(), name);
        }
    }

    #[test]
    fn a_template_that_cannot_be_is_told_with_what_can() {
        for (template, words) in [
            (
                "{nmae}",
                "no {nmae} in a layer's name; there are: {name}, {r_minor}",
            ),
            (
                "{region}",
                "there are: {name}, {r_minor}, {r_version}, {arch}, {target}",
            ),
            ("{name", "come in pairs"),
            ("name}", "come in pairs"),
            ("{name} x", "which is no layer's name"),
            ("", "which is no layer's name"),
        ] {
            let error = filled::<OfLayer>(template).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
        let long = "x".repeat(139) + "{name}";
        let error = filled::<OfLayer>(&long).unwrap_err();
        assert!(error.contains("at most 140"), "{error}");
    }

    #[test]
    fn buckets_and_parameters_have_rules_of_their_own() {
        let bucket = filled::<OfBucket>("layers-{account}-{region}");
        assert_eq!(bucket.unwrap(), "layers-123456789012-eu-central-1");
        for bucket in ["Layers", "a", "a..b", "-ab", "s3://bucket", "bucket/folder"] {
            let error = filled::<OfBucket>(bucket).unwrap_err();
            assert!(error.contains("S3 takes"), "{error}");
        }
        let error = filled::<OfBucket>("{name}").unwrap_err();
        assert!(error.contains("there are: {region}, {account}"), "{error}");
        let parameter = filled::<OfParameter>("/r/{name}/{r_minor}/{arch}");
        assert_eq!(parameter.unwrap(), "/r/r-runtime/4.5/x86_64");
        for parameter in ["/r//x", "r/x", "/r/", "/aws/x", "a b", &"/x".repeat(16)] {
            assert!(filled::<OfParameter>(parameter).is_err(), "{parameter}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_star_in_a_pattern() {
        let template = LayerNameTemplate::default();
        let minor = |placeholder| (placeholder == RMinor).then(|| "4.5".to_owned());
        assert_eq!(template.pattern(minor), "*-4_5-*");
    }
}
