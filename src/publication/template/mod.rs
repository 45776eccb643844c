//! Templates that names at AWS are made from: of layers, of S3 buckets, of parameters.

mod kinds;
mod placeholder;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

pub use kinds::{BucketTemplate, LayerNameTemplate, ParameterTemplate};
pub use placeholder::{Placeholder, TemplateValues};

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
