//! Libraries that must not be loaded, where the loader looks first.

use std::path::PathBuf;
use std::process::Command;

use r_layer::sandbox::{Mount, Sandbox};

use crate::emulated::{like_lambda, read_only};
use crate::parts::{functions, succeed};

/// Shared libraries with the names of the image's, of versions that nothing was linked to; the process that loads
/// one of them ends at once.
pub struct Decoys {
    folder: tempfile::TempDir,
}

impl Decoys {
    /// Those that R of this build needs and brings along.
    pub const NEEDED: [&str; 6] = [
        "libpcre2-8.so.0",
        "liblzma.so.5",
        "libbz2.so.1.0",
        "libgfortran.so.5",
        "libssl.so.1.1",
        "libcrypto.so.1.1",
    ];
    /// Those that R must not even look for.
    pub const UNUSED: [&str; 2] = ["libcurl.so.4", "libssl.so.3"];

    /// Makes them.
    pub fn make() -> Decoys {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let decoys = Decoys { folder };
        fs_err::write(decoys.path("decoy.c"), Self::SOURCE).expect("the source is written");
        let versions = "DECOY_1.0 { global: decoy_*; local: *; };";
        fs_err::write(decoys.path("decoy.map"), versions).expect("the versions are written");
        Self::names().for_each(|name| decoys.link(name));
        decoys
    }

    const SOURCE: &str = r#"
        #include <stdlib.h>
        #include <unistd.h>
        int decoy_of_another_version(void) { return 1; }
        __attribute__((constructor)) static void loaded(void)
        {
            static const char said[] = "the decoy " NAME " was loaded\n";
            if (write(2, said, sizeof said - 1) > 0)
                abort();
        }
    "#;

    /// Their sonames.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NEEDED.into_iter().chain(Self::UNUSED)
    }

    fn link(&self, name: &str) {
        let mut gcc = Command::new("gcc");
        gcc.current_dir(self.folder.path())
            .args(["-shared", "-fPIC", "-O1", "-o", name, "decoy.c"])
            .arg(format!("-DNAME=\"{name}\""))
            .arg(format!("-Wl,-soname,{name}"))
            .arg("-Wl,--version-script=decoy.map");
        succeed(&mut gcc);
    }

    /// Where one is on this machine.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The mount that puts a decoy where Lambda's loader looks first.
    pub fn mount(&self, name: &str) -> Mount {
        read_only(&self.path(name), &format!("/usr/lib64/{name}"))
    }
}

/// The proof functions in a root whose /lib64 is full of decoys.
pub fn among_decoys(decoys: &Decoys, code: &str) -> Sandbox {
    let mut sandbox = like_lambda(&functions(code));
    sandbox
        .mounts
        .extend(Decoys::names().map(|name| decoys.mount(name)));
    sandbox
}
