//! Why packages do not load, in R's words and with what to do.

use std::fmt;

use serde::Serialize;

/// Packages that do not load.
#[derive(Debug, Serialize)]
pub struct CheckError {
    /// Each of them, by name.
    pub failures: Vec<LoadFailure>,
}

impl std::error::Error for CheckError {}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "packages do not load on Lambda, so the layer is not kept (--no-check keeps it all the same):"
        )?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        Ok(())
    }
}

/// A package that does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadFailure {
    /// The package.
    pub package: String,
    /// R's message, or how R ended.
    pub message: String,
    /// What is missing, where R's message tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wants: Option<Want>,
    /// The last lines that R printed.
    pub log: Vec<String>,
}

/// What a package lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "missing", rename_all = "kebab-case")]
pub enum Want {
    /// A shared library.
    Library {
        /// Its soname.
        soname: String,
        /// The file that needs it, in the layer.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// A package.
    Package {
        /// Its name.
        name: String,
    },
    /// A package of a version that is not there.
    Version {
        /// Its name.
        name: String,
    },
}

impl LoadFailure {
    /// A failure, with what R's message tells of its cause.
    pub fn new(package: &str, message: &str, log: Vec<String>) -> LoadFailure {
        LoadFailure {
            package: package.to_owned(),
            message: message.trim().to_owned(),
            wants: wanted(message),
            log,
        }
    }
}

impl fmt::Display for LoadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.lines().map(str::trim);
        let message: Vec<&str> = message.filter(|line| !line.is_empty()).collect();
        write!(f, "{}: {}", self.package, message.join(" "))?;
        match &self.wants {
            Some(Want::Library { soname, file }) => {
                let file = file.as_deref().unwrap_or("one of its files");
                write!(
                    f,
                    "\n    {file} opens {soname} when it is loaded, and no layer has it: name the system's package that has it \
                     with --system-package"
                )
            }
            Some(Want::Package { name }) => {
                write!(
                    f,
                    "\n    it needs the package {name}: type r-layer add-packages {name}"
                )
            }
            Some(Want::Version { name }) => write!(
                f,
                "\n    another version of {name} is needed: type r-layer lock --upgrade {name}"
            ),
            None => {
                for line in &self.log {
                    write!(f, "\n    | {line}")?;
                }
                Ok(())
            }
        }
    }
}

/// Where layers are.
const OPT: &str = "/opt/";

/// What R's message says is missing. R's quotes are those of UTF-8 or plain.
fn wanted(message: &str) -> Option<Want> {
    let library = " cannot open shared object file";
    if let Some((before, _)) = message.split_once(library) {
        let soname = before.trim_end_matches(':').rsplit([' ', '\n']).next()?;
        let file = quoted(before, "unable to load shared object ");
        return Some(Want::Library {
            soname: soname.to_owned(),
            file: file.map(|file| file.trim_start_matches(OPT).to_owned()),
        });
    }
    if let Some(name) = quoted(message, "there is no package called ") {
        let name = name.to_owned();
        return Some(Want::Package { name });
    }
    // "namespace ‘rlang’ 1.0.0 is being loaded, but >= 1.1 is required", "… is already loaded, but …"
    let is_version = message.contains(" loaded, but ") && message.contains(" is required");
    let name = is_version.then(|| quoted(message, "namespace "))??;
    Some(Want::Version {
        name: name.to_owned(),
    })
}

/// What stands in quotes behind some words.
fn quoted<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(words)?;
    let rest = rest.strip_prefix(['‘', '\'', '"'])?;
    Some(&rest[..rest.find(['’', '\'', '"'])?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> String {
        LoadFailure::new("models", message, vec!["Killed".to_owned()]).to_string()
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_type() {
        let told_of_library = told(
            "unable to load shared object '/opt/R/library/xml2/libs/xml2.so':\n  libxml2.so.2: cannot open shared object file: \
             No such file or directory",
        );
        assert!(
            told_of_library.starts_with("models: unable to load"),
            "{told_of_library}"
        );
        assert!(
            told_of_library.contains("R/library/xml2/libs/xml2.so opens libxml2.so.2")
                && told_of_library.contains("--system-package"),
            "{told_of_library}"
        );
        for quotes in [["‘", "’"], ["'", "'"]] {
            let message = format!("there is no package called {}", quotes.join("rlang"));
            let told = told(&message);
            assert!(told.ends_with("type r-layer add-packages rlang"), "{told}");
        }
        let version = "namespace ‘rlang’ 1.0.0 is being loaded, but >= 1.1.0 is required";
        assert!(told(version).ends_with("lock --upgrade rlang"));
    }

    #[test]
    fn what_is_not_understood_is_told_with_the_end_of_the_log() {
        let told = told("the runtime ended (signal: 11)");
        assert_eq!(told, "models: the runtime ended (signal: 11)\n    | Killed");
    }
}
