use super::*;
use crate::manifest::PackageType;

fn document(text: &str) -> ManifestDocument {
    ManifestDocument::parse(text, PathBuf::from(Manifest::NAME)).unwrap()
}

fn layer(name: &str) -> LayerName {
    name.parse().unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn added(before: &str, to: &str, requests: &[&str]) -> String {
    let mut document = document(before);
    document.add_packages(&layer(to), &texts(requests)).unwrap();
    document.text()
}

fn removed(before: &str, from: &str, packages: &[&str]) -> String {
    let mut document = document(before);
    document
        .remove_packages(&layer(from), &texts(packages))
        .unwrap();
    document.text()
}

#[test]
fn a_layer_is_made_where_there_is_none() {
    let section = "[layers.models]\npackages = [\"data.table\", \"dplyr>=1.1\"]\n";
    let requests = &["dplyr>=1.1", "data.table"];
    assert_eq!(added("", "models", requests), section);
    assert_eq!(
        added(
            "[runtime]\nr-version = \"4.5\" # ours\n",
            "models",
            requests
        ),
        format!("[runtime]\nr-version = \"4.5\" # ours\n\n{section}")
    );
    assert_eq!(
        added("# Our layers.\n", "models", requests),
        format!("# Our layers.\n\n{section}")
    );
    assert_eq!(
        added("[runtime]\n\n# the end\n", "models", requests),
        format!("[runtime]\n\n# the end\n\n{section}")
    );
    assert_eq!(
        added(
            "[layers.a]\npackages = [\"x\"]\n\n[publish]\ns3-bucket = \"bucket\"\n",
            "models",
            requests
        ),
        format!("[layers.a]\npackages = [\"x\"]\n\n{section}\n[publish]\ns3-bucket = \"bucket\"\n")
    );
}

#[test]
fn a_layer_takes_the_form_of_the_others() {
    for (before, after) in [
        (
            "layers.a.packages = [\"x\"] # dotted\n",
            "layers.a.packages = [\"x\"] # dotted\nlayers.b.packages = [\"y\"]\n",
        ),
        (
            "layers = { a = { packages = [\"x\"] } }\n",
            "layers = { a = { packages = [\"x\"] } , b = { packages = [\"y\"] }}\n",
        ),
        (
            "[layers]\na = { packages = [\"x\"] }\n",
            "[layers]\na = { packages = [\"x\"] }\n\n[layers.b]\npackages = [\"y\"]\n",
        ),
    ] {
        let result = added(before, "b", &["y"]);
        assert_eq!(document(&result).manifest().layers.len(), 2, "{result}");
        assert_eq!(result.replace(' ', ""), after.replace(' ', ""));
    }
}

#[test]
fn packages_are_added_in_every_form_that_a_layer_can_have() {
    for (before, after) in [
        (
            "# top\n[layers.a] # mine\ndescription = 'd' # why\npackages = [\"x\"] # these\nkeep = []\n",
            "# top\n[layers.a] # mine\ndescription = 'd' # why\npackages = [\"x\", \"y\"] # these\nkeep = []\n",
        ),
        (
            "[layers.a]\nkeep = []\n",
            "[layers.a]\nkeep = []\npackages = [\"y\"]\n",
        ),
        ("[layers.a]\n", "[layers.a]\npackages = [\"y\"]\n"),
        (
            "layers.a.packages = [\"x\"] # d\n",
            "layers.a.packages = [\"x\", \"y\"] # d\n",
        ),
        (
            "[layers]\na.packages = [\"x\"]\n",
            "[layers]\na.packages = [\"x\", \"y\"]\n",
        ),
        (
            "[layers]\na = { packages = [\"x\"] } # i\n",
            "[layers]\na = { packages = [\"x\", \"y\"] } # i\n",
        ),
        (
            "layers = {a={packages=[\"x\"]}}\n",
            "layers = {a={packages=[\"x\", \"y\"]}}\n",
        ),
        (
            "[layers.\"a\"]\npackages = ['x']\n",
            "[layers.\"a\"]\npackages = ['x', \"y\"]\n",
        ),
        (
            "[layers.a]\npackages = [\"x\"]",
            "[layers.a]\npackages = [\"x\", \"y\"]\n",
        ),
    ] {
        assert_eq!(added(before, "a", &["y"]), after);
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    assert_eq!(
        added(
            "\u{feff}# a\r\n[layers.a]\r\npackages = [\r\n  \"x\", # x\r\n]\r\n",
            "a",
            &["y"]
        ),
        "\u{feff}# a\r\n[layers.a]\r\npackages = [\r\n  \"x\", # x\r\n  \"y\",\r\n]\r\n"
    );
    assert_eq!(
        added("[runtime]\r\n", "a", &["y"]),
        "[runtime]\r\n\r\n[layers.a]\r\npackages = [\"y\"]\r\n"
    );
}

#[test]
fn a_bound_replaces_another_and_a_bare_name_does_not() {
    let before = "[layers.a]\npackages = [\"cli\", \"dplyr>=1.0\"]\n";
    let mut document = document(before);
    let changes = document
        .add_packages(
            &layer("a"),
            &texts(&["dplyr", "cli==3.6.0", "dplyr>=1.1", "dplyr>=1.1", "x"]),
        )
        .unwrap();
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "cli → cli==3.6.0 in a",
            "dplyr>=1.0 → dplyr>=1.1 in a",
            "+ x in a"
        ]
    );
    assert_eq!(
        document.text(),
        "[layers.a]\npackages = [\"cli==3.6.0\", \"dplyr>=1.1\", \"x\"]\n"
    );
    assert!(
        document
            .add_packages(&layer("a"), &texts(&["x"]))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn packages_are_removed_and_a_layer_without_any_goes() {
    let before = "# Company layers.\n\n# the models\n[layers.a]\npackages = [\"x>=1\", \"y\"]\n\n# data\n[layers.b]\npackages = [\"z\"]\n";
    assert_eq!(
        removed(before, "a", &["x"]),
        before.replace("\"x>=1\", ", "")
    );
    assert_eq!(
        removed(before, "a", &["x", "y"]),
        "# Company layers.\n\n# data\n[layers.b]\npackages = [\"z\"]\n"
    );
    assert_eq!(
        removed(before, "b", &["z"]),
        "# Company layers.\n\n# the models\n[layers.a]\npackages = [\"x>=1\", \"y\"]\n"
    );
    assert_eq!(removed("[layers.a]\npackages = [\"x\"]\n", "a", &["x"]), "");
    assert_eq!(removed("layers.a.packages = [\"x\"]\n", "a", &["x"]), "");
    assert_eq!(
        removed(
            "[runtime]\n[layers]\na = { packages = [\"x\"] }\n",
            "a",
            &["x"]
        ),
        "[runtime]\n"
    );
    let mut document = document(before);
    let changes = document
        .remove_packages(&layer("b"), &texts(&["z"]))
        .unwrap();
    assert_eq!(
        changes[1].to_string(),
        "- [layers.b], which has no packages any more"
    );
    assert!(!document.manifest().layers.contains_key(&layer("b")));
}

#[test]
fn what_is_not_there_is_told_with_what_is_near_and_nothing_is_changed() {
    let before = "[layers.models]\npackages = [\"dplyr\", \"Matrix\"]\n[layers.data]\npackages = [\"readr\"]\n";
    let mut document = document(before);
    let error = |document: &mut ManifestDocument, from: &str, packages: &[&str]| {
        document
            .remove_packages(&layer(from), &texts(packages))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(&mut document, "models", &["dplyr", "matrix"]),
        "r-layer.toml, [layers.models] does not list `matrix`; did you mean Matrix?"
    );
    assert_eq!(
        error(&mut document, "models", &["readr"]),
        "r-layer.toml, [layers.models] does not list `readr`; it is in data: type r-layer remove-packages readr \
         --layer data"
    );
    assert_eq!(
        error(&mut document, "model", &["dplyr"]),
        "r-layer.toml: there is no layer `model`; did you mean models?"
    );
    assert_eq!(document.text(), before);
}

#[test]
fn repositories_are_added_behind_the_others_without_credentials() {
    let mut document = document("[repositories.cran]\nurl = \"https://cran.example\"\n");
    let date = "2025-04-01".parse().unwrap();
    let url = "https://ann:sesame@r.example/cran";
    let change = document
        .add_repository("company", url, Some(&date))
        .unwrap()
        .unwrap();
    assert_eq!(
        change.to_string(),
        "+ [repositories.company] https://r.example/cran"
    );
    assert_eq!(
        document.text(),
        "[repositories.cran]\nurl = \"https://cran.example\"\n\n[repositories.company]\n\
         url = \"https://r.example/cran\"\nsnapshot = \"2025-04-01\"\n"
    );
    assert_eq!(
        document
            .add_repository("cran", "https://other.example", None)
            .unwrap(),
        None
    );
    assert!(
        document
            .add_repository("a b", "https://other.example", None)
            .is_err()
    );
    let names: Vec<&str> = document
        .manifest()
        .repositories
        .0
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["cran", "company"]);
}

#[test]
fn a_manifest_is_written_whole_and_a_malformed_one_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Manifest::NAME);
    let mut document = ManifestDocument::read(folder.path()).unwrap();
    document.write().unwrap();
    assert!(!path.exists());
    document.add_packages(&layer("a"), &texts(&["x"])).unwrap();
    document.write().unwrap();
    assert_eq!(
        fs_err::read_to_string(&path).unwrap(),
        "[layers.a]\npackages = [\"x\"]\n"
    );
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    for malformed in [
        "[layers.a\n",
        "[layers.a]\npackges = []\n",
        "[layers.a]\npackages = [1]\n",
    ] {
        fs_err::write(&path, malformed).unwrap();
        assert!(ManifestDocument::read(folder.path()).is_err());
        assert_eq!(fs_err::read_to_string(&path).unwrap(), malformed);
    }
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (real, project) = (
        folder.path().join("real.toml"),
        folder.path().join("project"),
    );
    fs_err::create_dir(&project).unwrap();
    fs_err::write(&real, "[runtime]\n").unwrap();
    set_mode(&real, 0o600).unwrap();
    std::os::unix::fs::symlink(&real, project.join(Manifest::NAME)).unwrap();
    let mut document = ManifestDocument::read(&project).unwrap();
    document.add_packages(&layer("a"), &texts(&["x"])).unwrap();
    document.write().unwrap();
    assert!(project.join(Manifest::NAME).is_symlink());
    let mode = fs_err::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        fs_err::read_to_string(&real)
            .unwrap()
            .contains("[layers.a]")
    );
}

#[test]
fn what_flags_say_of_a_layer_is_written_once_and_comments_stay() {
    let text = "[layers.models]\npackages = [\"MASS\"] # for fractions()\nkeep = [\"doc\"] # read by the handler\n";
    let mut document = ManifestDocument::parse(text, "r-layer.toml".into()).unwrap();
    let models: LayerName = "models".parse().unwrap();
    let options = LayerOptions {
        package_type: Some(PackageType::Source),
        keep: vec!["help".to_owned(), "doc".to_owned()],
        system_packages: vec!["libpq-dev".to_owned()],
        ..LayerOptions::default()
    };
    let changes = document.set_options(&models, &options).unwrap();
    let texts: Vec<String> = changes.iter().map(ManifestChange::to_string).collect();
    assert_eq!(
        texts,
        [
            "package-type = \"source\" in models",
            "keep = [\"doc\", \"help\"] in models",
            "system-packages = [\"libpq-dev\"] in models",
        ]
    );
    let now = document.text();
    assert!(
        now.contains("keep = [\"doc\", \"help\"] # read by the handler\n"),
        "{now}"
    );
    assert!(
        now.contains("# for fractions()") && now.contains("package-type = \"source\"\n"),
        "{now}"
    );
    assert!(document.set_options(&models, &options).unwrap().is_empty());
    let other: LayerName = "model".parse().unwrap();
    let error = document
        .set_options(&other, &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean models?"), "{error}");
}
