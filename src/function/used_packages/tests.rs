//! What is found in the fixtures, each line of which says with `uses:` what it asks for.

use super::*;

fn fixtures() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/used_packages");
    let entries = fs_err::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let read = paths.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs_err::read_to_string(&path).unwrap())
    });
    read.collect()
}

/// (package, line) by the words after `uses:`.
fn expected(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().zip(1..).filter_map(|(line, number)| {
        let (_, packages) = line.split_once("uses: ")?;
        Some((packages.trim_end_matches("-->"), number))
    });
    let uses = lines.flat_map(|(packages, line)| {
        let packages = packages.split(", ");
        packages.map(move |package| (package.trim().to_owned(), line))
    });
    uses.collect()
}

#[test]
fn what_the_fixtures_ask_for_is_found_and_nothing_else() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 4);
    for (name, text) in fixtures {
        let by = |uses: Vec<(String, usize)>| {
            by_package(uses.into_iter().map(|(package, line)| (package, "", line)))
        };
        let expected = expected(&text);
        assert!(!expected.is_empty(), "{name} says nothing");
        assert_eq!(by(in_code(&r_code(&name, &text))), by(expected), "{name}");
    }
}

#[test]
fn places_are_in_the_order_of_files_and_lines_and_base_is_not_told() {
    let sources = [
        (
            "b.R",
            "library(MASS)\nlibrary(stats); utils::head; MASS::area",
        ),
        ("a.Rmd", "```{r}\nlibrary(MASS); MASS::area\n```"),
        ("tests/testthat.R", "library(testthat)"),
        ("renv/activate.R", "renv::load()"),
    ];
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let places: Vec<String> = in_folder(&sources)["MASS"]
        .iter()
        .map(Place::to_string)
        .collect();
    assert_eq!(places, ["a.Rmd:2", "b.R:1", "b.R:2"]);
    assert_eq!(in_folder(&sources).len(), 1);
}

#[test]
fn whatever_the_text_is_it_is_read_to_its_end() {
    let pieces = [
        "library", "(", ")", "\"", "'", "`", "::", "r\"", "(", "[", "]", "#", "\n", "%", "\\",
        "MASS", "=", ",", "ü", "-",
    ];
    // Every sequence of three pieces, and then some code.
    for one in pieces {
        for two in pieces {
            for three in pieces {
                let text = format!("{one}{two}{three}");
                in_code(&text);
                r_code(
                    "a.Rmd",
                    &format!("```{{r}}\n{text}\n{one}```{two}\n`r {three}`"),
                );
            }
        }
    }
}
