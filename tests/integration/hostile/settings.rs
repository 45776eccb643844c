//! Settings that make no sense, in flags, the environment and files; and which of them counts.

use super::Place;
use crate::parts::fail;

#[test]
fn a_value_that_there_is_not_is_answered_with_those_that_there_are() {
    let place = Place::new();
    for (flag, value, words) in [
        (
            "--arch",
            "mips",
            "there is no architecture `mips` on Lambda; there are: x86_64, arm64",
        ),
        (
            "--target",
            "provided.al2",
            "there is no target `provided.al2`; there are: provided.al2023",
        ),
        (
            "--r-source",
            "conda",
            "`conda` is no source of R; there are: posit",
        ),
        (
            "--r-source",
            "dir:",
            "`dir:` is no source of R; there are: posit",
        ),
        (
            "--build-root",
            "fedora",
            "`fedora` is no root file system; there are: debian:SUITE",
        ),
        (
            "--build-root",
            "debian:../x",
            "`debian:../x` is no root file system; there are: debian:SUITE",
        ),
        (
            "--r-version",
            "4",
            "`4` is no version of R; type one as 4.5.0",
        ),
        ("--r-version", "4.5.0.1", "`4.5.0.1` is no version of R"),
        ("--r-version", "latest", "`latest` is no version of R"),
        ("--r-version", "../../4", "`../../4` is no version of R"),
        ("--r-source", "dir:/absent", "--r-source dir:/absent"),
    ] {
        place.assert_refused(place.build_offline().args([flag, value]), &[words]);
    }
}

#[test]
fn wrong_use_is_told_apart_from_failure() {
    let place = Place::new();
    for (flags, words) in [
        (
            &["--blas", "mkl"][..],
            "[possible values: reference, openblas]",
        ),
        (&["--jobs", "many"], "invalid digit found in string"),
        (&["--misspelt"], "unexpected argument '--misspelt'"),
        (&["more"], "unexpected argument 'more'"),
        (
            &["--build-on-host", "--build-root", "debian:bullseye"],
            "cannot be used with",
        ),
        (&["--quiet", "--verbose"], "cannot be used with"),
    ] {
        let error = fail(place.build().args(flags), 2);
        assert!(
            error.contains(words) && error.contains("try '--help'"),
            "{error}"
        );
    }
}

/// R is compiled for the machine that it is compiled on.
#[test]
fn the_other_architecture_is_refused_with_what_to_type() {
    let place = Place::new();
    let (this, other) = match std::env::consts::ARCH {
        "x86_64" => ("x86_64", "arm64"),
        _ => ("aarch64", "x86_64"),
    };
    let words = format!("this one is {this}; type --arch {this}, or run this on {other}");
    place.assert_refused(place.build_offline().args(["--arch", other]), &[&words]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let place = Place::new();
    place.write("file", "in the way");
    for out in ["file", "file/below"] {
        let words = format!("nothing can be written to {out}; name another folder with --out");
        place.assert_refused(place.build_offline().args(["--out", out]), &[&words]);
    }
    for cache in ["file", "file/below"] {
        let cache = place.path("project").join(cache);
        let words = [
            &format!("the cache at {}", cache.display()),
            "cannot be written",
            "set R_LAYER_CACHE to a folder",
        ];
        place.assert_refused(place.build_offline().env("R_LAYER_CACHE", &cache), &words);
    }
}

#[test]
fn a_root_that_is_none_is_named() {
    let place = Place::new();
    let cran = place.path("cran").display().to_string();
    place.assert_refused(
        place
            .build_offline()
            .args(["--build-root", &format!("dir:{cran}")]),
        &[&format!("{cran} is no root file system: it has no /usr")],
    );
    place.assert_refused(
        place.build_offline().args(["--build-root", "dir:/absent"]),
        &["/absent"],
    );
}

#[test]
fn a_manifest_that_is_not_understood_is_named_with_its_line() {
    let place = Place::new();
    for (manifest, words) in [
        (
            "[runtime]\nr-versoin = \"4.4.3\"\n",
            &["line 2", "unknown field `r-versoin`", "`r-version`"][..],
        ),
        (
            "[runtime]\nr-version = 4.4\n",
            &[
                "line 2",
                "invalid type: floating point `4.4`, expected a text in quotes",
            ],
        ),
        (
            "[runtime]\ncran = \"https://cran.example\"\n",
            &["line 2", "expected a sequence"],
        ),
        (
            "[runtime]\n\n[runtme]\n",
            &["line 3", "unknown field `runtme`"],
        ),
        (
            "[publish]\nbucket = \"x\"\n",
            &["line 2", "unknown field `bucket`"],
        ),
        ("[runtime\n", &["line 1"]),
        (
            "[runtime]\nblas = \"mkl\"\n",
            &["there is no BLAS `mkl`; there are: reference, openblas"],
        ),
    ] {
        place.write("r-layer.toml", manifest);
        place.assert_refused(
            &mut place.build_offline(),
            &[&["r-layer.toml"], words].concat(),
        );
    }
    place.write("r-layer.toml", b"[runtime]\n# \xff\n");
    place.assert_refused(&mut place.build_offline(), &["r-layer.toml", "UTF-8"]);
}

#[test]
fn a_lock_that_is_not_understood_is_named_with_its_line() {
    let place = Place::new();
    let source = "version = 1\n[[source]]\nname = \"R\"\nversion = \"4.4.9\"\n";
    for (lock, words) in [
        (
            "version = 1\nnonsense\n".to_owned(),
            ["is not a lock that this r-layer can read", "line 2"],
        ),
        (
            "version = 1\n[[surce]]\n".to_owned(),
            ["unknown field `surce`", "line 2"],
        ),
        (
            "version = 9\n".to_owned(),
            ["has version 9", "take a newer r-layer"],
        ),
        (
            format!("{source}sha256 = \"abc\"\n"),
            ["`abc` is not a sha256 (64 hexadecimal digits)", "line 5"],
        ),
        (source.to_owned(), ["missing field `sha256`", "line 2"]),
        (String::new(), ["missing field `version`", "is not a lock"]),
        (
            "<<<<<<< HEAD\nversion = 1\n".to_owned(),
            ["is not a lock that this r-layer can read", "line 1"],
        ),
    ] {
        let path = place.write("r-layer.lock", &lock);
        place.assert_refused(
            &mut place.build_offline(),
            &[&words[..], &["r-layer.lock"]].concat(),
        );
        assert_eq!(std::fs::read_to_string(path).unwrap(), lock);
    }
}

/// Each setting is given a value that cannot be, so that the error tells which one counted.
#[test]
fn flags_count_before_the_environment_before_the_manifest() {
    let place = Place::new();
    for folder in ["a", "b", "c"] {
        std::fs::create_dir(place.path("project").join(folder)).unwrap();
        place.write(&format!("{folder}/R-4.4.9.tar.gz"), "not a tarball");
    }
    for (key, is_list, told) in [
        ("r-version", false, "`{}` is no version of R"),
        ("r-source", false, "`{}` is no source of R"),
        ("build-root", false, "`{}` is no root file system"),
        ("arch", false, "there is no architecture `{}`"),
        ("target", false, "there is no target `{}`"),
        ("cran", true, "{}/src/base/R-4/R-4.4.9.tar.gz: "),
        (
            "sources",
            true,
            "{}/R-4.4.9.tar.gz: what is there is not a .tar.gz",
        ),
    ] {
        let variable = format!("R_LAYER_{}", key.to_uppercase().replace('-', "_"));
        let flag = format!("--{key}");
        let value = if is_list { "[\"a\"]" } else { "\"a\"" };
        let needed = if is_list {
            "r-version = \"4.4.9\"\nr-source = \"cran\"\n"
        } else {
            ""
        };
        place.write(
            "r-layer.toml",
            format!("[runtime]\n{needed}{key} = {value}\n"),
        );
        for (in_environment, as_flag, counts) in [
            (None, None, "a"),
            (Some("b"), None, "b"),
            (None, Some("c"), "c"),
            (Some("b"), Some("c"), "c"),
        ] {
            // A CRAN that has nothing, so that no network is asked; unless it is what is tried here.
            let mut command = if matches!(key, "cran" | "r-source") {
                place.build()
            } else {
                place.build_offline()
            };
            command.envs(in_environment.map(|value| (&variable, value)));
            command.args(as_flag.iter().flat_map(|value| [&flag[..], value]));
            place.assert_refused(&mut command, &[&told.replace("{}", counts)]);
        }
    }
    // Two that have no environment variable.
    place.write(
        "r-layer.toml",
        "[runtime]\nr-version = \"4.4.9\"\nr-tarball = [\"absent\"]\n",
    );
    place.assert_refused(&mut place.build_offline(), &["\n  absent: no such file"]);
    place.assert_refused(
        place.build_offline().args(["--r-tarball", "other"]),
        &["\n  other: no such file"],
    );
    place.write(
        "r-layer.toml",
        "[runtime]\nblas = \"a\"\nr-version = \"b\"\n",
    );
    place.assert_refused(&mut place.build_offline(), &["there is no BLAS `a`"]);
    place.assert_refused(
        place.build_offline().args(["--blas", "reference"]),
        &["`b` is no version of R"],
    );
}
