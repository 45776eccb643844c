//! What a compilation that failed lacked, by the words of its log.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::system_requirements::{PackageManager, Requirements, SystemRequirement};

/// What kind of thing was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Header,
    Link,
    Module,
    Program,
    /// A library or program, in the words of a `configure`.
    Words,
}

/// Patterns of what compilers, linkers, shells and the `configure` scripts of R packages say, each with the missing thing
/// in its first group.
static SAID: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    [
        (Kind::Header, r"fatal error: '?([^\s':]+)'?:? (?:No such file or directory|file not found)"),
        (Kind::Header, r"error: ([^\s':]+\.h(?:pp)?): No such file or directory"),
        (Kind::Header, r"(?i)(?:header (?:file )?|cannot find )[<'`]?([\w./+-]+\.h(?:pp)?)[>']? (?:not found|is missing|header)"),
        (Kind::Link, r"cannot find -l:?(?:lib)?([\w+.-]+?)(?:\.so)?(?::|\s|$)"),
        (Kind::Link, r"(?i)unable to find library '?-l([\w+.-]+)"),
        (Kind::Link, r"library not found for -l([\w+.-]+)"),
        // pkg-config.
        (Kind::Module, r"Package '?([\w+.-]+)'?,? (?:was not found|required by .* not found|not found)"),
        (Kind::Module, r"No package '([\w+.-]+)' found"),
        // Shells and make.
        (Kind::Program, r"(?:^|[\s:])([\w+-]+): (?:command )?not found"),
        (Kind::Program, r"make: ([\w+-]+): No such file or directory"),
        (Kind::Program, r"(?i)(?:executable|program|command) [`']?([\w+-]+)[`']? (?:was )?not found"),
        // The scripts of jeroen's packages, and those that were written after them.
        (Kind::Words, r"Configuration failed (?:because|to find) (?:the )?(.+?)(?: was not found| library| development|[.!]|$)"),
        (Kind::Words, r"(?i)configure: error: (.+)"),
        (Kind::Words, r"(?i)^(?:error: )?(?:could not|cannot|can't|unable to) (?:find|locate) (?:the )?(.+)"),
    ]
    .into_iter()
    .filter_map(|(kind, pattern)| Some((kind, Regex::new(&format!("(?m){pattern}")).ok()?)))
    .collect()
});

/// Something that was missed, and what has it.
struct Missed<'a> {
    /// As it is told: `the header curl/curl.h`.
    what: String,
    rule: &'a SystemRequirement,
}

/// What a failed compilation lacked, by its log, and the packages that have it; nothing if the log does not say so, or if
/// it is not known what has it.
pub fn explain(
    log: &str,
    requirements: &Requirements<'_>,
    manager: PackageManager,
) -> Option<String> {
    let mut missed: BTreeMap<&str, Missed<'_>> = BTreeMap::new();
    for (kind, pattern) in SAID.iter() {
        // What a configure says in its words is a guess, for where nothing else was said.
        if *kind == Kind::Words && !missed.is_empty() {
            break;
        }
        for found in pattern.captures_iter(log) {
            let Some(name) = found.get(1).map(|name| name.as_str().trim()) else {
                continue;
            };
            for (what, rule) in lookup(*kind, name, requirements) {
                missed.entry(&rule.name).or_insert(Missed { what, rule });
            }
        }
    }
    let lines: Vec<String> = missed
        .values()
        .map(|missed| line(missed, manager))
        .collect();
    let packages: Vec<&str> = missed
        .values()
        .flat_map(|missed| missed.rule.packages(manager))
        .map(String::as_str)
        .collect();
    match (lines.is_empty(), packages.is_empty()) {
        (true, _) => None,
        (false, true) => Some(lines.join("\n")),
        (false, false) => {
            let flags: Vec<String> = packages
                .iter()
                .map(|package| format!("--system-package {package}"))
                .collect();
            Some(format!("{}\nAdd: {}", lines.join("\n"), flags.join(" ")))
        }
    }
}

fn line(missed: &Missed<'_>, manager: PackageManager) -> String {
    let Missed { what, rule } = missed;
    match rule.packages(manager) {
        [] => format!(
            "{what} is missing: it belongs to {}, of which this distribution has no package",
            rule.name
        ),
        packages => format!(
            "{what} is missing: {} has it ({}: {})",
            rule.name,
            manager.command(),
            packages.join(" ")
        ),
    }
}

/// What has a missing thing, with the words for it.
fn lookup<'a>(
    kind: Kind,
    name: &str,
    requirements: &Requirements<'a>,
) -> Vec<(String, &'a SystemRequirement)> {
    let (what, rule) = match kind {
        Kind::Header => (format!("the header {name}"), requirements.of_header(name)),
        Kind::Link => (format!("the library -l{name}"), requirements.of_link(name)),
        Kind::Module => (
            format!("what pkg-config knows as {name}"),
            requirements.of_module(name),
        ),
        Kind::Program => (format!("the program {name}"), requirements.of_program(name)),
        Kind::Words => {
            let rules = requirements.of_field(name).into_iter();
            return rules
                // Every configure speaks of these, and of what they are for.
                .filter(|rule| {
                    !["pkg-config", "GNU make", "C++ compiler"].contains(&&rule.name[..])
                })
                .map(|rule| (rule.name.clone(), rule))
                .collect();
        }
    };
    rule.map(|rule| (what, rule)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::library_rules::LibraryRules;

    fn explained(log: &str, manager: PackageManager) -> Option<String> {
        let rules = &LibraryRules::embedded().system_requirements;
        explain(log, &Requirements::new(rules).unwrap(), manager)
    }

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(SAID.len(), 14);
    }

    #[test]
    fn what_logs_say_leads_to_the_package_to_install() {
        let cases = [
            (
                "xml2_init.cpp:3:10: fatal error: libxml/parser.h: No such file or directory\n    3 | #include",
                "libxml2-dev",
            ),
            (
                "foo.c:1:10: fatal error: 'curl/curl.h' file not found",
                "libcurl4-openssl-dev",
            ),
            (
                "/usr/bin/ld: cannot find -lz\ncollect2: error: ld returned 1 exit status",
                "zlib1g-dev",
            ),
            (
                "/usr/bin/ld: cannot find -lglpk: No such file or directory",
                "libglpk-dev",
            ),
            (
                "Package fontconfig was not found in the pkg-config search path.\nPerhaps you should",
                "libfontconfig1-dev",
            ),
            ("No package 'libxml-2.0' found", "libxml2-dev"),
            (
                "Package 'cairo', required by 'virtual:world', not found",
                "libcairo2-dev",
            ),
            ("./configure: line 12: cmake: command not found", "cmake"),
            ("sh: 1: gdal-config: not found", "libgdal-dev"),
            (
                "Configuration failed because openssl was not found. Try installing:",
                "libssl-dev",
            ),
            (
                "Configuration failed to find libgit2 library. Try installing:",
                "libgit2-dev",
            ),
            (
                "configure: error: libudunits2.a not found, udunits-2 is needed",
                "libudunits2-dev",
            ),
            (
                "configure: error: gdal-config not found or not executable.",
                "libgdal-dev",
            ),
            (
                "configure: error: GNU MP not found, or not 4.1.4 or up, see http://gmplib.org (gmp)",
                "libgmp-dev",
            ),
        ];
        for (log, package) in cases {
            let said = explained(&format!("* installing\n{log}\nERROR"), PackageManager::Apt);
            let said = said.unwrap_or_else(|| panic!("nothing is said of {log}"));
            assert!(
                said.contains(&format!("--system-package {package}")),
                "{log}: {said}"
            );
        }
    }

    #[test]
    fn several_are_told_together_and_each_once() {
        let log = "a.c:1:10: fatal error: png.h: No such file or directory\n\
                   b.c:1:10: fatal error: png.h: No such file or directory\n\
                   c.c:1:10: fatal error: tiffio.h: No such file or directory\n";
        let said = explained(log, PackageManager::Dnf).unwrap();
        assert_eq!(
            said,
            "the header png.h is missing: libpng has it (dnf: libpng-devel)\n\
             the header tiffio.h is missing: libtiff has it (dnf: libtiff-devel)\n\
             Add: --system-package libpng-devel --system-package libtiff-devel"
        );
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for log in [
            "mine.c:1:10: fatal error: mine.h: No such file or directory",
            "error: 'x' undeclared\nmake: *** [a.o] Error 1",
            "checking for libxml2... yes\nchecking for curl... yes\nError in loadNamespace(x)",
            "",
        ] {
            assert_eq!(explained(log, PackageManager::Apt), None, "{log}");
        }
        let said = explained(
            "grpc.c:1: fatal error: grpc/grpc.h: No such file or directory",
            PackageManager::Dnf,
        )
        .unwrap();
        assert!(
            said.contains("no package") && !said.contains("Add:"),
            "{said}"
        );
    }
}
