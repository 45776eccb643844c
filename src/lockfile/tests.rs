use super::*;

fn source(name: &str, version: &str) -> LockedSource {
    LockedSource {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        r: None,
        url: Some("https://cran.example/x.tar.gz".to_owned()),
        sha256: Sha256::of(name.as_bytes()),
    }
}

#[test]
fn a_lock_is_written_in_canonical_order_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut lock = Lockfile::read(folder.path()).unwrap();
    lock.pin(source("jsonlite", "2.0.0"));
    lock.pin(source("R", "4.4.3"));
    lock.write().unwrap();
    let text = fs_err::read_to_string(lock.path()).unwrap();
    assert!(
        text.find("\"R\"").unwrap() < text.find("\"jsonlite\"").unwrap(),
        "{text}"
    );
    let read = Lockfile::read(folder.path()).unwrap();
    assert_eq!(read.source("R", "4.4.3", None), Some(&source("R", "4.4.3")));
    assert_eq!(read.source("R", "4.4.2", None), None);
}

#[test]
fn binaries_are_locked_beside_the_source_and_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut lock = Lockfile::read(folder.path()).unwrap();
    let binary = |architecture, r: &str| LockedSource {
        architecture: Some(architecture),
        r: Some(r.to_owned()),
        ..source("jsonlite", "2.0.0")
    };
    lock.pin(source("jsonlite", "2.0.0"));
    for architecture in Architecture::ALL {
        for r in ["4.4", "4.5", "4.5"] {
            lock.pin(binary(architecture, r));
        }
    }
    lock.pin_r("release", "4.5.1");
    lock.pin_r("release", "4.5.2");
    lock.write().unwrap();
    let read = Lockfile::read(folder.path()).unwrap();
    assert_eq!(read.sources.len(), 5);
    let wanted = binary(Architecture::Arm64, "4.4");
    let built_for = wanted.built_for();
    assert_eq!(
        read.source("jsonlite", "2.0.0", built_for.as_ref()),
        Some(&wanted)
    );
    assert_eq!(read.versions("jsonlite", None).count(), 1);
    assert_eq!(read.resolved_r("release"), Some("4.5.2"));
    assert_eq!(read.resolved_r("oldrel"), None);
}

#[test]
fn an_image_stays_at_the_digest_it_had_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut lock = Lockfile::read(folder.path()).unwrap();
    let image = |architecture, content: &[u8]| LockedImage {
        reference: "localhost:5000/r:1".to_owned(),
        architecture,
        digest: Sha256::of(content),
    };
    lock.pin(source("R", "4.4.3"));
    lock.pin_image(image(Architecture::Arm64, b"arm"));
    lock.pin_image(image(Architecture::X86_64, b"first"));
    lock.pin_image(image(Architecture::X86_64, b"second"));
    lock.write().unwrap();
    let text = fs_err::read_to_string(lock.path()).unwrap();
    assert!(text.contains(&Sha256::of(b"first").oci()), "{text}");
    let read = Lockfile::read(folder.path()).unwrap();
    let digest = |architecture| read.image("localhost:5000/r:1", architecture);
    assert_eq!(digest(Architecture::X86_64), Some(Sha256::of(b"first")));
    assert_eq!(digest(Architecture::Arm64), Some(Sha256::of(b"arm")));
    assert_eq!(read.image("localhost:5000/r:2", Architecture::Arm64), None);
}

#[test]
fn what_is_no_lock_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join(Lockfile::NAME), "version = 1\nnonsense").unwrap();
    let error = Lockfile::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    fs_err::write(folder.path().join(Lockfile::NAME), "version = 9").unwrap();
    let error = Lockfile::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("newer r-layer"), "{error}");
}
