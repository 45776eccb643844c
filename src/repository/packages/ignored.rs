//! What of a package's folder is no part of its source: what `.Rbuildignore` names, and what `R CMD build` always
//! leaves out («Writing R Extensions», «Building package tarballs»).

use std::path::Path;

use fancy_regex::Regex;

use super::PackageError;

/// By their path in the package, as Perl writes patterns.
const ALWAYS: [&str; 17] = [
    r"^\.Rbuildignore$",
    r"(^|/)\.DS_Store$",
    r"(^|/)\.(RData|Rhistory|Rproj\.user)$",
    r"~$",
    r"\.(bak|swp)$",
    r"(^|/)\.#[^/]*$",
    r"(^|/)#[^/]*#$",
    r"(^|/)\._[^/]*$",
    r"^config\.(cache|log|status)$",
    r"(^|/)autom4te\.cache$",
    r"^src/.*\.(d|o|so|sl|dylib|dll|mod)$",
    r"^src/(Makedeps|so_locations)$",
    r"^(TITLE|data/00Index|inst/doc/00Index\.dcf)$",
    r"^inst/doc/Rplots\.(ps|pdf)$",
    r"(^|/)(GNUMakefile|Read-and-delete-me)$",
    // A git submodule or worktree has a file of this name where others have a folder.
    r"(^|/)\.git$",
    r"^\.gitattributes$",
];

/// By their name, folders only.
const FOLDERS: [&str; 6] = ["CVS", ".svn", ".bzr", ".hg", "_darcs", ".arch-ids"];

/// What is left out of a package.
pub struct Ignored {
    patterns: Vec<Regex>,
}

impl Ignored {
    /// Of a package of that name, with the text of its `.Rbuildignore`.
    ///
    /// # Errors
    /// A line of it that is no pattern.
    pub fn of(package: &str, build_ignore: &str, folder: &Path) -> Result<Ignored, PackageError> {
        let mut patterns = Vec::new();
        let own = format!(
            r"^{}_[0-9.-]+\.(tar\.gz|tgz|zip)$",
            fancy_regex::escape(package)
        );
        for pattern in ALWAYS.into_iter().chain([own.as_str()]) {
            patterns.extend(Regex::new(pattern));
        }
        for (number, line) in build_ignore.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let pattern = Regex::new(&format!("(?i){line}"));
            patterns.push(pattern.map_err(|error| PackageError::NotAPackage {
                file: folder.to_owned(),
                reason: format!(
                    "line {} of its .Rbuildignore, `{line}`, is no pattern: {error}",
                    number + 1
                ),
            })?);
        }
        Ok(Ignored { patterns })
    }

    /// Is a file or folder left out? By its path in the package, parted by `/`.
    pub fn has(&self, path: &str, is_folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let by_name = || {
            FOLDERS.contains(&name)
                || name.ends_with(".Rcheck")
                || name.ends_with("Old")
                || name.ends_with("old")
        };
        // A pattern that takes too long to match matches nothing.
        let matches = |pattern: &Regex| pattern.is_match(path).unwrap_or(false);
        (is_folder && by_name()) || self.patterns.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_r_cmd_build_leaves_out_is_left_out() {
        let ignore = "^.*\\.Rproj$\n\n^docs$\n^(?!R|DESC|src|NAMESPACE).*\\.md$\n";
        let ignored = Ignored::of("my.pkg", ignore, Path::new("/x")).unwrap();
        for (path, is_folder) in [
            (".git", true),
            ("src/a.o", false),
            ("src/deep/a.so", false),
            ("my.pkg_1.0.tar.gz", false),
            ("my.pkg.Rcheck", true),
            ("X.rproj", false),
            ("docs", true),
            ("NEWS.md", false),
            ("R/a.R~", false),
            (".Rbuildignore", false),
        ] {
            assert!(ignored.has(path, is_folder), "{path}");
        }
        for path in [
            "R/a.R",
            "src/a.c",
            "inst/a.so",
            "DESCRIPTION",
            "R/scaffold",
            "myxpkg_1.0.tar.gz",
        ] {
            assert!(!ignored.has(path, false), "{path}");
        }
    }

    #[test]
    fn a_line_that_is_no_pattern_is_named() {
        let error = Ignored::of("ab", "^ok$\n(\n", Path::new("/x"))
            .err()
            .unwrap();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
