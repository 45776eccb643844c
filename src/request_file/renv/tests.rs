use super::*;
use crate::request_file::{Origin, RepositoryOrigin};

fn parsed(text: &str) -> RenvLock {
    RenvLock::parse(text, Path::new("renv.lock")).unwrap()
}

/// A lock with the fields of one record.
fn record(fields: &str) -> RenvLock {
    parsed(&format!(
        "{{\"R\": {{\"Version\": \"4.5.0\", \"Repositories\": [{{\"Name\": \"company\", \"URL\": \
         \"https://r.example/cran\"}}]}}, \"Packages\": {{\"pkg\": {{\"Package\": \"pkg\", \"Version\": \"1.2-3\", \
         {fields}}}}}}}"
    ))
}

fn typed(fields: &str) -> String {
    let lock = record(fields);
    assert!(lock.unmet.is_empty(), "{:?}", lock.unmet);
    lock.requests[0].to_string()
}

fn unmet(fields: &str) -> String {
    let lock = record(fields);
    assert!(lock.requests.is_empty(), "{:?}", lock.requests);
    lock.unmet[0].to_string()
}

const FLAT: &str = r#"{
  "R": {
    "Version": "4.4.3",
    "Repositories": [
      { "Name": "P3M", "URL": "https://packagemanager.posit.co/cran/__linux__/jammy/2025-03-01" },
      { "Name": "company", "URL": "https://ann:sesame@r.example/cran" }
    ]
  },
  "Bioconductor": { "Version": "3.20" },
  "Packages": {
    "renv": { "Package": "renv", "Version": "1.0.7", "Source": "Repository", "Repository": "CRAN" },
    "mime": {
      "Package": "mime", "Version": "0.12", "Source": "Repository", "Repository": "CRAN",
      "Requirements": ["tools"], "Hash": "18e9c28c1d3ca1560ce30658b22ce104"
    },
    "inhouse": { "Package": "inhouse", "Version": "2.0-1", "Source": "Repository", "Repository": "company" },
    "Biobase": { "Package": "Biobase", "Version": "2.66.0", "Source": "Bioconductor" }
  }
}"#;

#[test]
fn a_flat_lock_is_read() {
    let lock = parsed(FLAT);
    assert_eq!(lock.r_version.to_string(), "4.4.3");
    assert_eq!(
        lock.repositories[0].url.as_str(),
        "https://packagemanager.posit.co/cran"
    );
    assert_eq!(
        lock.repositories[0].snapshot.as_ref().unwrap().to_string(),
        "2025-03-01"
    );
    assert_eq!(lock.repositories[1].url.as_str(), "https://r.example/cran");
    let shown: Vec<String> = lock.requests.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["Biobase==2.66.0", "inhouse==2.0-1", "mime==0.12"]);
    assert_eq!(
        lock.requests[0].origin,
        Origin::Bioconductor {
            release: Some("3.20".to_owned())
        }
    );
    let Origin::Repository(inhouse) = &lock.requests[1].origin else {
        panic!("{:?}", lock.requests[1]);
    };
    assert_eq!(
        inhouse.url.as_ref().unwrap().as_str(),
        "https://r.example/cran"
    );
    let Origin::Repository(mime) = &lock.requests[2].origin else {
        panic!("{:?}", lock.requests[2]);
    };
    // What a package says of itself: any repository of the lock.
    assert_eq!((mime.name.as_deref(), &mime.url), (Some("CRAN"), &None));
    assert_eq!(
        (lock.unmet.len(), lock.left_out),
        (0, vec!["renv".to_owned()])
    );
}

/// As renv writes since 1.1: the whole DESCRIPTION, with lists and texts of several lines.
#[test]
fn a_lock_with_whole_descriptions_is_read() {
    let lock = parsed(
        r#"{
  "R": { "Version": "4.5.0", "Repositories": [ { "Name": "CRAN", "URL": "https://cloud.r-project.org" } ] },
  "Packages": {
    "R6": {
      "Package": "R6", "Version": "2.6.1", "Source": "Repository", "Title": "Encapsulated Classes",
      "Authors@R": "c(\n person(\"Winston\", \"Chang\", , \"winston@posit.co\", role = c(\"aut\", \"cre\")),\n )",
      "License": "MIT + file LICENSE", "URL": "https://r6.r-lib.org, https://github.com/r-lib/R6",
      "Depends": [ "R (>= 3.6)" ], "Suggests": [ "lobstr", "testthat (>= 3.0.0)" ],
      "Config/Needs/website": "tidyverse/tidytemplate", "Encoding": "UTF-8", "NeedsCompilation": "no",
      "Author": "Winston Chang [aut, cre]", "Repository": "CRAN"
    },
    "cli": {
      "Package": "cli", "Version": "3.6.4.9000", "Source": "GitHub", "Imports": [ "utils" ], "Remotes": "r-lib/x",
      "RemoteType": "github", "RemoteHost": "api.github.com", "RemoteUsername": "r-lib", "RemoteRepo": "cli",
      "RemoteRef": "main", "RemoteSha": "89abcdef0123456789abcdef0123456789abcdef", "Hash": "00"
    }
  }
}"#,
    );
    let shown: Vec<String> = lock.requests.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "R6==2.6.1",
            "github::r-lib/cli@89abcdef0123456789abcdef0123456789abcdef"
        ]
    );
    assert_eq!(lock.requests[1].bounds[0].version, "3.6.4.9000");
    let Origin::Repository(RepositoryOrigin { url: Some(url), .. }) = &lock.requests[0].origin
    else {
        panic!("{:?}", lock.requests[0]);
    };
    assert_eq!(url.as_str(), "https://cloud.r-project.org");
}

#[test]
fn records_of_hosts_and_git_are_commits() {
    for (fields, text) in [
        (
            r#""Source": "GitHub", "RemoteUsername": "o", "RemoteRepo": "pkg", "RemoteSubdir": "r/pkg", "RemoteSha": "abc""#,
            "github::o/pkg/r/pkg@abc",
        ),
        (
            r#""Source": "GitHub", "RemoteHost": "ghe.example/api/v3", "RemoteUsername": "o", "RemoteRepo": "other",
               "RemoteRef": "v1""#,
            "git+https://ghe.example/o/other.git@v1",
        ),
        (
            r#""Source": "GitLab", "RemoteHost": "gitlab.com", "RemoteUsername": "group/subgroup", "RemoteRepo": "pkg",
               "RemoteSubdir": "r", "RemoteSha": "111""#,
            "git+https://gitlab.com/group/subgroup/pkg.git@111#subdirectory=r",
        ),
        (
            r#""Source": "Bitbucket", "RemoteHost": "api.bitbucket.org/2.0", "RemoteUsername": "o", "RemoteRepo": "pkg",
               "RemoteSha": "222""#,
            "git+https://bitbucket.org/o/pkg.git@222",
        ),
        (
            r#""Source": "git", "RemoteType": "git", "RemoteUrl": "https://t:oken@git.example/o/pkg.git", "RemoteSha": "333""#,
            "git+https://git.example/o/pkg.git@333",
        ),
        (
            r#""Source": "xgit", "RemoteUrl": "git@git.example:o/pkg.git", "RemoteRef": "main""#,
            "git+ssh://git@git.example/o/pkg.git@main",
        ),
        (
            r#""Source": "URL", "RemoteUrl": "https://h.example/pkg_1.2-3.tar.gz""#,
            "https://h.example/pkg_1.2-3.tar.gz",
        ),
        (r#""Source": "Local", "RemoteUrl": "../pkg""#, "../pkg"),
        (
            r#""Source": "Local", "RemoteUrl": "local/pkg""#,
            "./local/pkg",
        ),
        (
            r#""Source": "Local", "RemoteUrl": "pkg_1.2-3.tar.gz""#,
            "./pkg_1.2-3.tar.gz",
        ),
        (r#""Source": "/srv/pkg""#, "/srv/pkg"),
    ] {
        assert_eq!(typed(fields), text);
    }
}

#[test]
fn repositories_are_known_by_name_by_url_and_by_what_pak_writes() {
    for (fields, url) in [
        (
            r#""Source": "Repository", "Repository": "company""#,
            Some("https://r.example/cran"),
        ),
        (r#""Source": "Repository", "Repository": "RSPM""#, None),
        (r#""Source": "CRAN""#, None),
        (
            r#""RemoteType": "standard", "RemoteRepos": "https://cran.rstudio.com", "Repository": "CRAN""#,
            None,
        ),
        (
            r#""Source": "Repository", "RemoteType": "standard", "RemoteRepos": "https://other.example", "Repository": "other""#,
            Some("https://other.example"),
        ),
        (
            r#""Source": "Repository", "Repository": "https://x.r-universe.dev/""#,
            Some("https://x.r-universe.dev"),
        ),
        (
            r#""Source": "Repository", "RemoteUrl": "https://x.r-universe.dev""#,
            Some("https://x.r-universe.dev"),
        ),
    ] {
        let lock = record(fields);
        let Origin::Repository(origin) = &lock.requests[0].origin else {
            panic!("{fields}: {:?}", lock.requests[0]);
        };
        assert_eq!(origin.url.as_ref().map(|url| url.as_str()), url, "{fields}");
        assert_eq!(lock.requests[0].to_string(), "pkg==1.2-3");
    }
}

#[test]
fn r_universe_says_which_commit_a_version_was_made_from() {
    let lock = record(
        r#""Source": "Repository", "Repository": "https://x.r-universe.dev", "RemoteUrl": "https://github.com/x/pkg",
           "RemoteRef": "HEAD", "RemoteSha": "abc""#,
    );
    let Origin::Repository(RepositoryOrigin {
        upstream: Some(upstream),
        ..
    }) = &lock.requests[0].origin
    else {
        panic!("{:?}", lock.requests[0]);
    };
    assert_eq!(
        (upstream.url.as_str(), upstream.revision.as_deref()),
        ("https://github.com/x/pkg", Some("abc"))
    );
}

#[test]
fn bioconductor_is_known_by_its_names_and_its_release_by_the_branch() {
    for fields in [
        r#""Source": "Bioconductor", "git_branch": "RELEASE_3_20""#,
        r#""Source": "Repository", "Repository": "Bioconductor 3.20", "git_branch": "RELEASE_3_20""#,
        r#""Source": "Repository", "Repository": "BioCsoft", "git_branch": "RELEASE_3_20""#,
    ] {
        let release = Some("3.20".to_owned());
        assert_eq!(
            record(fields).requests[0].origin,
            Origin::Bioconductor { release }
        );
    }
    let release = None;
    assert_eq!(
        record(r#""Source": "Bioconductor""#).requests[0].origin,
        Origin::Bioconductor { release }
    );
}

#[test]
fn what_cannot_be_had_is_named_with_its_reason() {
    for (fields, words) in [
        (
            r#""Source": "unknown""#,
            "renv does not know where it came from",
        ),
        (r#""Hash": "0""#, "renv does not know where it came from"),
        (r#""Source": "svn""#, "it came from `svn`"),
        (
            r#""Source": "GitHub", "RemoteRepo": "pkg", "RemoteSha": "1""#,
            "lacks RemoteUsername",
        ),
        (
            r#""Source": "GitHub", "RemoteUsername": "o", "RemoteRepo": "pkg""#,
            "neither RemoteSha nor RemoteRef",
        ),
        (r#""Source": "git", "RemoteSha": "1""#, "lacks RemoteUrl"),
        (
            r#""Source": "git", "RemoteUrl": "https://git.example/x""#,
            "neither RemoteSha nor RemoteRef",
        ),
        (r#""Source": "URL""#, "RemoteUrl"),
        (
            r#""Source": "Local""#,
            "r-layer add-packages ./PACKAGE.tar.gz",
        ),
        (r#""Source": "Cellar""#, "which the record does not name"),
        (r#""Source": "Repository", "Version": "one""#, "no version"),
    ] {
        let fields = fields.replace("\"Version\": \"one\"", "\"X\": \"\"");
        let text = match words {
            "no version" => {
                let lock = parsed(
                    "{\"R\": {\"Version\": \"4.5.0\"}, \"Packages\": {\"pkg\": {\"Source\": \"Repository\"}}}",
                );
                lock.unmet[0].to_string()
            }
            _ => unmet(&fields),
        };
        assert!(text.starts_with("pkg: ") && text.contains(words), "{text}");
    }
}

#[test]
fn another_minor_version_of_r_is_told_with_what_to_type() {
    let lock = parsed(FLAT);
    assert!(lock.check_r(&"4.4.0".parse().unwrap()).is_ok());
    let error = lock
        .check_r(&"4.5.0".parse().unwrap())
        .unwrap_err()
        .to_string();
    for words in [
        "with R 4.4.3",
        "has R 4.5.0",
        "--r-version 4.4.3",
        "r-version = \"4.4.3\"",
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn repositories_in_the_older_form_keep_their_order() {
    let lock = parsed(
        r#"{"R": {"Version": "4.5.0", "Repositories": {"b": "https://b.example", "a": "https://a.example"}}}"#,
    );
    let names: Vec<&str> = lock
        .repositories
        .iter()
        .map(|repository| repository.name.as_str())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["a", "b"]);
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn what_is_no_lock_says_so() {
    for (text, words) in [
        ("{", "renv.lock is not a lock of renv: EOF"),
        ("[renv]\nVersion=0.1.0\n", "before 0.6"),
        ("<<<<<<< HEAD\n{}", "line 1"),
        ("{\"Packages\": {}}", "missing field `R`"),
        ("{\"R\": {}}", "nothing of R's version"),
        ("{\"R\": {\"Version\": \"four\"}}", "nothing of R's version"),
        (
            "{\"R\": {\"Version\": \"4.5.0\"}, \"Packages\": []}",
            "is not a lock of renv",
        ),
    ] {
        let error = RenvLock::parse(text, Path::new("renv.lock"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}
