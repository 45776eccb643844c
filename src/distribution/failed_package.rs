//! What is said of a package that did not compile, beside its log: what it lacked, and what to type.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::layer::library_rules::LibraryRules;
use crate::package::{PackageManager, Requirements, explain};

/// What those say that ask for a server when there is no network: curl, wget, git, R and the C library.
static ASKED_FOR_A_SERVER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)could not resolve (?:host|proxy|')|unable to resolve host|temporary failure in name resolution|name or service not known|network is unreachable|cannot open url|failed to connect to|unable to access 'https?://|couldn't connect to server",
    )
    .ok()
});

/// A URL, as far as a person has to see it.
static URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:https?|ftp|git)://[^\s'"`<>)]+"#).ok());

/// A program that was linked to a newer C library than the root's.
static NEWER_GLIBC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"version `GLIBC_([0-9.]+)' not found").ok());

/// What a log says of the reason, and what to do; nothing if it does not tell.
pub fn hint(log: &Path, manager: PackageManager) -> Option<String> {
    let log = fs_err::read(log).ok()?;
    hint_of(&String::from_utf8_lossy(&log), manager)
}

fn hint_of(log: &str, manager: PackageManager) -> Option<String> {
    let lacks = || {
        let rules = &LibraryRules::embedded().system_requirements;
        explain(log, &Requirements::new(rules).ok()?, manager)
    };
    let hints: Vec<String> = [old_root(log), lacks(), download(log)]
        .into_iter()
        .flatten()
        .collect();
    (!hints.is_empty()).then(|| hints.join("\n"))
}

/// R itself, or a package that was fetched, does not run in this root.
fn old_root(log: &str) -> Option<String> {
    let version = NEWER_GLIBC.as_ref()?.captures(log)?.get(1)?.as_str();
    Some(format!(
        "What runs here needs glibc {version}, which the build root is too old for. Name one as new as Lambda's system: \
         --build-root oci:public.ecr.aws/amazonlinux/amazonlinux:2023"
    ))
}

/// It wanted something of a server.
fn download(log: &str) -> Option<String> {
    let asked = ASKED_FOR_A_SERVER.as_ref()?.find(log)?;
    // The URL is in the same line, or was told shortly before.
    let line_end = log[asked.end()..]
        .find('\n')
        .map_or(log.len(), |end| asked.end() + end);
    let url = URL.as_ref()?.find_iter(&log[..line_end]).last();
    let from = url.map_or_else(String::new, |url| format!(" ({})", url.as_str()));
    Some(format!(
        "It wants to download something while it is compiled{from}, and a compilation has no network. If it is a system \
         library, its package makes the download needless: --system-package NAME; else take the package compiled already, \
         from a repository that has it so"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_what_was_missing_and_that_a_server_was_asked() {
        let hint = |log: &str| hint_of(log, PackageManager::Apt).unwrap_or_default();
        let missing = hint("a.c:1:10: fatal error: libxml/parser.h: No such file or directory\n");
        assert!(
            missing.contains("--system-package libxml2-dev"),
            "{missing}"
        );
        let both = hint(
            "trying URL 'https://github.com/org/lib/archive/v1.tar.gz'\n\
             Warning: cannot open URL 'https://github.com/org/lib/archive/v1.tar.gz'\n\
             x.c:1:10: fatal error: curl/curl.h: No such file or directory\nsee https://later.example/\n",
        );
        assert!(both.contains("libcurl4-openssl-dev"), "{both}");
        assert!(
            both.contains("(https://github.com/org/lib/archive/v1.tar.gz)"),
            "{both}"
        );
        let git = hint(
            "fatal: unable to access 'https://git.example/x/': Could not resolve host: git.example",
        );
        assert!(git.contains("(https://git.example/x/)"), "{git}");
        let old = hint(
            "/opt/R/bin/exec/R: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required",
        );
        assert!(
            old.contains("glibc 2.34") && old.contains("--build-root"),
            "{old}"
        );
        assert_eq!(
            hint("x.c:3: error: expected ';'\nsee https://some.example/\n"),
            ""
        );
    }
}
