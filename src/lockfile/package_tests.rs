//! Layers, packages and libraries: kept, found again, compared.

use super::*;
use crate::manifest::PackageType;
use crate::package::RpmPackage;
use crate::public_url::PublicUrl;

fn name(text: &str) -> LayerName {
    text.parse().unwrap()
}

fn target(architecture: Architecture) -> LayerTarget {
    LayerTarget {
        architecture,
        r: "4.5".to_owned(),
    }
}

const X86: Architecture = Architecture::X86_64;
const ARM: Architecture = Architecture::Arm64;

fn package(name: &str, version: &str, is_binary: bool) -> LockedPackage {
    LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        origin: PackageOrigin::Repository {
            name: "cran".to_owned(),
            url: PublicUrl::new(&format!(
                "https://ann:sesame@cran.example/{name}_{version}.tar.gz"
            )),
            sha256: Sha256::of(name.as_bytes()),
            is_binary,
        },
        dependencies: vec!["rlang".to_owned(), "cli".to_owned()],
        build_only: false,
    }
}

fn with_origin(name: &str, origin: PackageOrigin) -> LockedPackage {
    LockedPackage {
        origin,
        dependencies: Vec::new(),
        ..package(name, "1.0-2", false)
    }
}

fn inputs(requests: &[&str]) -> LayerInputs {
    LayerInputs {
        requests: requests.iter().map(|&text| text.to_owned()).collect(),
        repositories: vec!["cran https://cran.example".to_owned()],
        ..LayerInputs::default()
    }
}

fn empty() -> Lockfile {
    Lockfile::parse("version = 1\n", PathBuf::from("r-layer.lock")).unwrap()
}

fn reread(lock: &Lockfile) -> Lockfile {
    let text = lock.text().unwrap();
    let read = Lockfile::parse(&text, lock.path.clone()).unwrap();
    assert_eq!(read.text().unwrap(), text);
    read
}

fn every_origin() -> Vec<LockedPackage> {
    let (url, sha256) = (PublicUrl::new("https://host.example/x"), Sha256::of(b"x"));
    let commit = "0123456789abcdef".to_owned();
    vec![
        package("binary", "1.0", true),
        package("source", "1.0", false),
        with_origin(
            "url",
            PackageOrigin::Url {
                url: url.clone(),
                sha256,
            },
        ),
        with_origin(
            "git",
            PackageOrigin::Git {
                url: url.clone(),
                commit: commit.clone(),
                folder: None,
            },
        ),
        with_origin(
            "sub",
            PackageOrigin::Git {
                url,
                commit,
                folder: Some("pkg".to_owned()),
            },
        ),
        with_origin(
            "local",
            PackageOrigin::Local {
                path: "../pkg".to_owned(),
                sha256,
            },
        ),
        with_origin("Matrix", PackageOrigin::WithR),
        LockedPackage {
            build_only: true,
            ..package("cpp11", "0.5", false)
        },
    ]
}

#[test]
fn packages_of_every_origin_are_read_back_as_they_were_written() {
    let mut lock = empty();
    let layer = LockedLayer::new(
        LayerInputs {
            package_type: PackageType::Source,
            from_source: vec!["curl".to_owned()],
            ..inputs(&["zoo", "dplyr>=1.1", "zoo"])
        },
        every_origin(),
    );
    lock.pin_layer(&name("models"), &target(X86), layer.clone());
    lock.pin_rpms(&[rpm("libpq", "15.8", "libpq.so.5")]);
    let read = reread(&lock);
    assert_eq!(read.layer(&name("models"), &target(X86)), Some(&layer));
    assert_eq!(read.layer(&name("models"), &target(ARM)), None);
    assert_eq!(layer.inputs.requests, ["dplyr>=1.1", "zoo"]);
    assert_eq!(read.rpms(), [rpm("libpq", "15.8", "libpq.so.5")]);
    let text = read.text().unwrap();
    assert!(!text.contains("sesame"), "{text}");
    assert!(
        text.contains("dependencies = [\"cli\", \"rlang\"]"),
        "{text}"
    );
}

#[test]
fn a_source_of_all_targets_stands_once_and_one_that_differs_for_each() {
    let mut lock = empty();
    for architecture in Architecture::ALL {
        let packages = [
            package("same", "1.0", false),
            package("binary", "1.0", true),
        ];
        lock.pin_layer(
            &name("a"),
            &target(architecture),
            LockedLayer::new(inputs(&["same"]), packages),
        );
    }
    let count = |lock: &Lockfile, of: &str| {
        lock.text()
            .unwrap()
            .matches(&format!("name = \"{of}\""))
            .count()
    };
    assert_eq!((count(&lock, "same"), count(&lock, "binary")), (1, 2));
    let mut lock = reread(&lock);
    // Another version for one target leaves the other as it was.
    let newer = LockedLayer::new(inputs(&["same"]), [package("same", "1.1", false)]);
    lock.pin_layer(&name("a"), &target(ARM), newer);
    assert_eq!(count(&lock, "same"), 2);
    let read = reread(&lock);
    let version = |architecture| {
        &read
            .layer(&name("a"), &target(architecture))
            .unwrap()
            .packages["same"]
            .version
    };
    assert_eq!(
        (version(X86).as_str(), version(ARM).as_str()),
        ("1.0", "1.1")
    );
}

#[test]
fn the_order_of_pinning_makes_no_difference() {
    let layers = ["b", "a", "c"];
    let pinned = |order: &[usize]| {
        let mut lock = empty();
        for &index in order {
            let mut packages = every_origin();
            packages.rotate_left(index);
            let layer = LockedLayer::new(inputs(&["x"]), packages);
            lock.pin_layer(&name(layers[index]), &target(X86), layer.clone());
            lock.pin_layer(&name(layers[index]), &target(ARM), layer);
        }
        lock.text().unwrap()
    };
    assert_eq!(pinned(&[0, 1, 2]), pinned(&[2, 0, 1]));
}

#[test]
fn what_is_pinned_as_it_is_locked_is_no_change() {
    let mut lock = empty();
    let layer = || LockedLayer::new(inputs(&["x"]), every_origin());
    lock.pin_layer(&name("a"), &target(X86), layer());
    lock.changed = false;
    lock.pin_layer(&name("a"), &target(X86), layer());
    lock.retain_layers(|_, _| true);
    assert!(!lock.changed);
    lock.retain_layers(|layer, _| layer.as_str() != "a");
    assert!(lock.changed);
    assert_eq!(lock.layers().count(), 0);
}

#[test]
fn a_manifest_that_changed_since_is_told_by_what_changed() {
    let mut lock = empty();
    let (a, x86) = (name("a"), target(X86));
    let refused = |lock: &Lockfile, inputs: &LayerInputs| {
        lock.layer_as_locked(&name("a"), &target(X86), inputs)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&lock, &inputs(&["x"])),
        "the layer a is not locked for x86_64, R 4.5; type r-layer lock"
    );
    lock.pin_layer(&a, &x86, LockedLayer::new(inputs(&["x", "dplyr"]), []));
    assert!(
        lock.layer_as_locked(&a, &x86, &inputs(&["dplyr", "x"]))
            .is_ok()
    );
    assert_eq!(
        refused(&lock, &inputs(&["x", "dplyr>=1.1"])),
        "the manifest has changed since the layer a was locked for x86_64, R 4.5: - dplyr, + dplyr>=1.1; type r-layer \
         lock"
    );
    let elsewhere = LayerInputs {
        repositories: vec!["cran https://other.example".to_owned()],
        ..inputs(&["x", "dplyr"])
    };
    assert!(refused(&lock, &elsewhere).contains("+ repository cran https://other.example"));
    let compiled = LayerInputs {
        package_type: PackageType::Source,
        ..inputs(&["x", "dplyr"])
    };
    assert!(refused(&lock, &compiled).contains("another package-type"));
}

#[test]
fn entries_that_make_no_sense_together_are_named() {
    let layer = "version = 1\n[[layer]]\nname = \"a\"\narchitecture = \"x86_64\"\nr = \"4.5\"\nrequests = []\n";
    let package = "[[package]]\nlayer = \"a\"\nname = \"x\"\nversion = \"1\"\n";
    let sha256 = format!("sha256 = \"{}\"\n", "0".repeat(64));
    let url = format!("url = \"https://h.example/x\"\n{sha256}");
    for (entries, words) in [
        (
            format!("{layer}{layer}").replacen("version = 1\n", "", 2),
            "missing field `version`",
        ),
        (
            format!("{layer}{}", layer.replace("version = 1\n", "")),
            "the layer a is there twice for x86_64, R 4.5",
        ),
        (
            format!("{layer}{package}kind = \"source\"\n{url}{package}kind = \"source\"\n{url}"),
            "the package x is there twice in a",
        ),
        (
            format!("version = 1\n{package}kind = \"source\"\n{url}"),
            "the package x is of a, which is no layer of the lock",
        ),
        (
            format!("{layer}{package}kind = \"binary\"\n{url}"),
            "a binary is for an `architecture`",
        ),
        (
            format!("{layer}{package}kind = \"source\"\nr = \"4.5\"\n{url}"),
            "belong together",
        ),
        (
            format!("{layer}{package}kind = \"source\"\ngit = \"https://h.example/x\"\n"),
            "`git` needs a `commit`",
        ),
        (
            format!("{layer}{package}kind = \"source\"\n{sha256}"),
            "either of a `url` with a `sha256`",
        ),
        (
            format!("{layer}{package}kind = \"with-r\"\n{url}"),
            "has no place of its own",
        ),
        (
            format!("{layer}{package}kind = \"wheel\"\n"),
            "unknown variant `wheel`",
        ),
    ] {
        let error = Lockfile::parse(&entries, PathBuf::from("r-layer.lock"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn differences_are_listed_by_name_and_by_layer_if_there_are_several() {
    let lock = |packages: Vec<LockedPackage>| {
        let mut lock = empty();
        for architecture in Architecture::ALL {
            let layer = LockedLayer::new(inputs(&["x"]), packages.clone());
            lock.pin_layer(&name("models"), &target(architecture), layer);
        }
        lock
    };
    let old = lock(vec![
        package("dplyr", "1.1.3", false),
        package("plyr", "1.8", false),
        package("cli", "3.6", true),
        package("same", "1", false),
    ]);
    let mut new = lock(vec![
        package("dplyr", "1.1.4", false),
        package("vctrs", "0.6.5", false),
        package("cli", "3.6", false),
        package("same", "1", false),
    ]);
    let difference = LockDifference::between(&old, &new);
    assert_eq!(
        difference.to_string(),
        "cli 3.6 (binary → source)\ndplyr 1.1.3 → 1.1.4\n- plyr 1.8\n+ vctrs 0.6.5\n"
    );
    assert!(LockDifference::between(&new, &new).is_empty());
    new.pin_layer(
        &name("data"),
        &target(X86),
        LockedLayer::new(inputs(&[]), [package("x", "1", true)]),
    );
    let text = LockDifference::between(&old, &new).to_string();
    assert!(
        text.starts_with("data:\n  + x 1\nmodels:\n  cli 3.6"),
        "{text}"
    );
}

#[test]
fn a_further_target_of_the_same_versions_is_no_difference() {
    let mut old = empty();
    let layer = LockedLayer::new(inputs(&["x"]), [package("x", "1", true)]);
    old.pin_layer(&name("a"), &target(X86), layer.clone());
    let mut new = old.clone();
    new.pin_layer(&name("a"), &target(ARM), layer);
    assert!(LockDifference::between(&old, &new).is_empty());
}

fn rpm(name: &str, version: &str, soname: &str) -> LockedRpm {
    LockedRpm {
        libraries: [soname.to_owned()].into(),
        package: RpmPackage {
            name: name.to_owned(),
            epoch: 0,
            version: version.to_owned(),
            release: "1.amzn2023".to_owned(),
            architecture: "x86_64".to_owned(),
            license: None,
            url: "https://cdn.example/x.rpm".to_owned(),
            sha256: Sha256::of(version.as_bytes()),
        },
    }
}

#[test]
fn libraries_change_by_their_rpm() {
    let (mut old, mut new) = (empty(), empty());
    old.pin_rpms(&[rpm("libpq", "15.8", "libpq.so.5")]);
    new.pin_rpms(&[rpm("libpq", "15.8", "libpqxx.so.1")]);
    new.pin_rpms(&[rpm("libpq", "15.9", "libpq.so.5")]);
    assert_eq!(
        LockDifference::between(&old, &new).to_string(),
        "libpq 15.8-1.amzn2023 → 15.9-1.amzn2023\n"
    );
    // Two layers take different libraries of the same package.
    let [both] = new.rpms() else {
        panic!("{:?}", new.rpms())
    };
    assert_eq!(both.libraries.len(), 2);
    new.forget_rpms();
    assert!(reread(&new).rpms().is_empty());
}
