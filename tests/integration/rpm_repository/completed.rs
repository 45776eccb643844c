//! Layers that lack libraries, and get them.

use r_layer::elf::{LibraryFolders, LibraryOrigin};
use r_layer::layer::system_package::fetched_owners;

use super::making::{Made, loaded};
use super::{Run, Served, here};

#[test]
fn a_layer_gets_the_library_that_it_lacks_and_what_that_needs() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let completed = Run::new(folder.path())
        .complete(&served.mirror_list(), &mut tree)
        .unwrap();

    let added: Vec<(&str, String)> = completed
        .added
        .iter()
        .map(|library| match &library.from {
            LibraryOrigin::Rpm(package) => (library.path.as_str(), package.nevra()),
            LibraryOrigin::File(path) => panic!("{} is from {}", library.path, path.display()),
        })
        .collect();
    let machine = std::env::consts::ARCH;
    // Of two versions the newest as RPM compares them, whichever was read first.
    assert_eq!(
        added,
        [
            (
                "lib/libleaf.so.1",
                format!("leaf-libs-1.0-1.amzn2023.{machine}")
            ),
            (
                "lib/libmiddle.so.2",
                format!("middle-1.10-1.amzn2023.{machine}")
            ),
        ]
    );
    for library in &completed.added {
        let entry = tree.get(&library.path).unwrap();
        assert_eq!(entry.read().unwrap().len() as u64, library.size);
    }
    assert_eq!(loaded(&tree, "R/library/pkg/libs/pkg.so", "middle"), "42");

    // Another name of the same file, whose content the package holds once.
    let unpacked = std::fs::read_dir(folder.path().join("rpms")).unwrap();
    let again = |root: std::path::PathBuf| root.join("usr/lib64/libleaf-again.so.1");
    let again: Vec<_> = unpacked
        .map(|entry| again(entry.unwrap().path()))
        .filter(|path| path.exists())
        .collect();
    let [again] = &again[..] else {
        panic!("{again:?}")
    };
    let first = again.with_file_name("libleaf.so.1.2.0");
    assert_eq!(std::fs::read(again).unwrap(), std::fs::read(first).unwrap());

    let owners = fetched_owners(&completed.added);
    let owner = &owners["lib/libleaf.so.1"];
    assert_eq!(owner.license.as_deref(), Some("MIT AND Zlib"));
    let (url, _) = owner.fetched.as_ref().unwrap();
    assert!(
        url.starts_with(&served.server.base()) && url.ends_with(".rpm"),
        "{url}"
    );
}

#[test]
fn what_the_layers_below_have_is_not_added() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path());
    run.below.insert("libleaf.so.1".to_owned());
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let completed = run.complete(&served.mirror_list(), &mut tree).unwrap();
    assert_eq!(completed.added.len(), 1);
    assert!(tree.get("lib/libleaf.so.1").is_none());
}

#[test]
fn what_the_build_root_has_is_taken_from_there_and_the_rest_is_fetched() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let place = root.join("usr/lib64");
    std::fs::create_dir_all(&place).unwrap();
    let leaf = place.join("libleaf.so.1");
    std::fs::copy(made.library("libleaf.so.1"), &leaf).unwrap();
    let mut run = Run::new(&folder.path().join("cache"));
    run.root = Some(LibraryFolders::of_root(&root, here(), &[]));
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let completed = run.complete(&served.mirror_list(), &mut tree).unwrap();
    assert_eq!(completed.added[0].from, LibraryOrigin::File(leaf));
    assert!(matches!(completed.added[1].from, LibraryOrigin::Rpm(_)));
    let rpms = served
        .asked()
        .into_iter()
        .filter(|name| name.ends_with(".rpm"));
    assert_eq!(rpms.count(), 1);
    assert_eq!(loaded(&tree, "R/library/pkg/libs/pkg.so", "middle"), "42");
}

#[test]
fn a_second_run_fetches_the_index_alone_and_offline_nothing() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut trees = [(); 3].map(|()| made.layer(&["libmiddle.so.2"]));
    let [first, second, third] = &mut trees;
    let place = served.mirror_list();
    Run::new(folder.path()).complete(&place, first).unwrap();
    let after_first = served.asked().len();

    Run::new(folder.path()).complete(&place, second).unwrap();
    assert_eq!(served.asked()[after_first..], ["mirror.list", "repomd.xml"]);

    let mut offline = Run::new(folder.path());
    offline.offline = true;
    offline.complete(&place, third).unwrap();
    assert_eq!(served.asked().len(), after_first + 2);
    let paths = |tree: &r_layer::layer::LayerTree| -> Vec<String> {
        tree.iter().map(|(path, _)| path.to_owned()).collect()
    };
    assert_eq!(paths(second), paths(first));
    assert_eq!(paths(third), paths(first));
}

#[test]
fn what_is_locked_is_taken_without_asking_for_the_index() {
    let made = Made::once();
    let served = Served::start(made.files());
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = served.mirror_list();
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let completed = Run::new(one.path()).complete(&place, &mut tree).unwrap();
    let before = served.asked().len();

    // As the lock keeps it.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Lock {
        rpm: Vec<r_layer::repository::rpm_repository::LockedRpm>,
    }
    let text = toml::to_string(&Lock {
        rpm: completed.locked.clone(),
    })
    .unwrap();
    let mut run = Run::new(other.path());
    run.pinned = toml::from_str::<Lock>(&text).unwrap().rpm;
    let mut again = made.layer(&["libmiddle.so.2"]);
    let repeated = run.complete(&place, &mut again).unwrap();
    assert_eq!(repeated.locked, completed.locked);
    let asked = &served.asked()[before..];
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|name| name.ends_with(".rpm")), "{asked:?}");
}

#[test]
fn data_of_a_library_come_from_their_own_package_with_the_variable_that_names_them() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&["libproj.so.25"]);
    let completed = Run::new(folder.path())
        .complete(&served.mirror_list(), &mut tree)
        .unwrap();
    let database = tree.get("share/proj/proj.db").unwrap().read().unwrap();
    assert!(database.starts_with(b"SQLite"));
    assert!(
        completed.data.absent.is_empty(),
        "{:?}",
        completed.data.absent
    );
    let settings = tree.get("r-layer/environment.d/models.sh").unwrap();
    let settings = String::from_utf8(settings.read().unwrap().to_vec()).unwrap();
    assert!(
        settings.contains("PROJ_DATA:=/opt/share/proj"),
        "{settings}"
    );
    let names: Vec<&str> = completed
        .locked
        .iter()
        .map(|rpm| rpm.package.name.as_str())
        .collect();
    assert!(names.contains(&"proj-data"), "{names:?}");
}

#[test]
fn a_repository_may_be_a_folder_and_its_metadata_compressed_in_any_way() {
    let made = Made::once();
    let xz = |text: &[u8]| {
        let mut compressed = Vec::new();
        let mut reader = liblzma::read::XzEncoder::new(text, 1);
        std::io::copy(&mut reader, &mut compressed).unwrap();
        compressed
    };
    let repositories = [
        ("xml.gz", made.files()),
        ("xml.xz", made.with_list("xml.xz", xz)),
        (
            "xml.zst",
            made.with_list("xml.zst", |text| zstd::encode_all(text, 1).unwrap()),
        ),
        ("xml", made.with_list("xml", <[u8]>::to_vec)),
    ];
    for (compression, files) in repositories {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in &files {
            let path = folder.path().join("repository").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let place = folder.path().join("repository");
        let mut tree = made.layer(&["libmiddle.so.2"]);
        Run::new(&folder.path().join("cache"))
            .complete(place.to_str().unwrap(), &mut tree)
            .unwrap_or_else(|error| panic!("{compression}: {error}"));
        assert!(tree.get("lib/libleaf.so.1").is_some());
    }
}
