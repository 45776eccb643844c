//! Libraries, RPMs and a repository, made by gcc, rpmbuild and createrepo_c.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use r_layer::checksum::Sha256;
use r_layer::layer::{Entry, LayerTree};

use crate::parts::succeed;

/// Path in the repository → content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A package to be made.
struct Spec<'a> {
    name: &'a str,
    epoch: u32,
    version: &'a str,
    /// `w19.zstdio`, as rpmbuild names it.
    payload: &'a str,
    noarch: bool,
    /// Where each file goes, and the file.
    files: &'a [(&'a str, &'a Path)],
    /// Links, and where they lead.
    links: &'a [(&'a str, &'a str)],
    /// Hard links, and the file.
    names: &'a [(&'a str, &'a str)],
}

const PLAIN: Spec<'_> = Spec {
    name: "",
    epoch: 0,
    version: "1.0",
    payload: "w19.zstdio",
    noarch: false,
    files: &[],
    links: &[],
    names: &[],
};

struct Bench(tempfile::TempDir);

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A shared library whose symbols have versions, of C source, that needs these others.
    fn library(
        &self,
        file: &str,
        soname: &str,
        source: &str,
        versions: &str,
        needs: &[&Path],
    ) -> PathBuf {
        let (path, map, code) = (
            self.path(file),
            self.path("versions"),
            self.path("source.c"),
        );
        std::fs::write(&map, versions).unwrap();
        std::fs::write(&code, source).unwrap();
        let mut gcc = Command::new("gcc");
        gcc.args(["-shared", "-fPIC", "-O1", "-g", "-o"])
            .arg(&path)
            .arg(&code)
            .arg(format!("-Wl,-soname,{soname}"))
            .arg(format!("-Wl,--version-script,{}", map.display()))
            .args(needs);
        succeed(&mut gcc);
        path
    }

    fn rpm(&self, spec: &Spec<'_>) {
        let machine = if spec.noarch {
            "noarch"
        } else {
            std::env::consts::ARCH
        };
        let mut install = String::new();
        let mut listed = String::new();
        let mut make_folder = |place: &str| {
            let folder = place.rsplit_once('/').unwrap().0;
            install += &format!("mkdir -p %{{buildroot}}{folder}\n");
            listed += &format!("{place}\n");
        };
        let all = spec.files.iter().map(|(place, _)| place);
        let links = spec.links.iter().chain(spec.names).map(|(place, _)| place);
        all.chain(links).for_each(|place| make_folder(place));
        for (place, file) in spec.files {
            install += &format!("cp {} %{{buildroot}}{place}\n", file.display());
        }
        for (place, target) in spec.links {
            install += &format!("ln -s {target} %{{buildroot}}{place}\n");
        }
        for (place, file) in spec.names {
            install += &format!("ln %{{buildroot}}{file} %{{buildroot}}{place}\n");
        }
        let Spec {
            name,
            epoch,
            version,
            payload,
            ..
        } = spec;
        let epoch = match epoch {
            0 => String::new(),
            epoch => format!("Epoch: {epoch}\n"),
        };
        let text = format!(
            "%global debug_package %{{nil}}\n%global _binary_payload {payload}\n%global __os_install_post %{{nil}}\n\
             Name: {name}\n{epoch}Version: {version}\nRelease: 1.amzn2023\nSummary: A test\nLicense: MIT AND Zlib\n\
             BuildArch: {machine}\n%description\nA test.\n%install\n{install}%files\n{listed}"
        );
        let file = self.path(&format!("{name}.spec"));
        std::fs::write(&file, text).unwrap();
        let mut rpmbuild = Command::new("rpmbuild");
        rpmbuild
            .args(["-bb", "--define"])
            .arg(format!("_topdir {}", self.path("top").display()))
            .arg("--define")
            .arg(format!(
                "_rpmdir {}",
                self.path("repository/Packages").display()
            ))
            .arg(file);
        succeed(&mut rpmbuild);
    }
}

/// What the repository is made of.
pub struct Made {
    bench: Bench,
    files: Files,
}

impl Made {
    /// Made once a run of the tests.
    pub fn once() -> &'static Made {
        static MADE: OnceLock<Made> = OnceLock::new();
        MADE.get_or_init(make)
    }

    /// The repository's files.
    pub fn files(&self) -> Files {
        self.files.clone()
    }

    /// A library that was made, by its soname.
    pub fn library(&self, soname: &str) -> PathBuf {
        self.bench.path(soname)
    }

    /// The repository's files with the list of packages compressed in another way.
    pub fn with_list(&self, end: &str, compress: impl Fn(&[u8]) -> Vec<u8>) -> Files {
        let mut files = self.files();
        let is_list = |path: &&String| path.ends_with("-primary.xml.gz");
        let path = files.keys().find(is_list).unwrap().clone();
        let old = files.remove(&path).unwrap();
        let mut text = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(&old[..]), &mut text).unwrap();
        let new = compress(&text);
        let renamed = path.replace("xml.gz", end);
        let repomd = files.get_mut("repodata/repomd.xml").unwrap();
        let told = String::from_utf8(std::mem::take(repomd)).unwrap();
        *repomd = told
            .replace(&path, &renamed)
            .replace(
                &format!("<checksum type=\"sha256\">{}</checksum>", Sha256::of(&old)),
                &format!("<checksum type=\"sha256\">{}</checksum>", Sha256::of(&new)),
            )
            .into_bytes();
        files.insert(renamed, new);
        files
    }

    /// The tree of a layer with one package whose library needs these.
    pub fn layer(&self, needs: &[&str]) -> LayerTree {
        let files: Vec<PathBuf> = needs.iter().map(|name| self.bench.path(name)).collect();
        let needs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let bench = Bench(tempfile::tempdir().unwrap());
        let source = "int in_package(void) { return 1; }";
        let flags = Path::new("-Wl,--no-as-needed");
        let needs: Vec<&Path> = std::iter::once(flags).chain(needs).collect();
        let library = bench.library("pkg.so", "pkg.so", source, "{ global: *; };", &needs);
        let mut tree = LayerTree::default();
        let content = std::fs::read(library).unwrap();
        tree.insert("R/library/pkg/libs/pkg.so", Entry::bytes(content, true));
        tree.insert(
            "R/library/pkg/DESCRIPTION",
            Entry::bytes("Package: pkg\n", false),
        );
        tree
    }
}

const LEAF: &str = "int leaf(void) { return 40; }";

fn make() -> Made {
    let bench = Bench(tempfile::tempdir().unwrap());
    leaf_and_middle(&bench);
    with_data(&bench);
    create_repository(&bench.path("repository"));
    let files = read(&bench.path("repository"));
    Made { bench, files }
}

/// A library that needs another: the one with its soname as a link and as other names of it, the other in two versions.
fn leaf_and_middle(bench: &Bench) {
    let leaf = bench.library(
        "libleaf.so.1",
        "libleaf.so.1",
        LEAF,
        "LEAF_1.0 { global: leaf; local: *; };",
        &[],
    );
    bench.rpm(&Spec {
        name: "leaf-libs",
        files: &[("/usr/lib64/libleaf.so.1.2.0", &leaf)],
        links: &[
            ("/usr/lib64/libleaf.so.1", "libleaf.so.1.2.0"),
            ("/usr/lib64/libleaf.so", "/usr/lib64/libleaf.so.1"),
        ],
        names: &[(
            "/usr/lib64/libleaf-again.so.1",
            "/usr/lib64/libleaf.so.1.2.0",
        )],
        ..PLAIN
    });
    for (version, payload, answer) in [("1.10", "w9.gzdio", 2), ("1.9", "w6.xzdio", 1)] {
        let source = format!("int leaf(void); int middle(void) {{ return leaf() + {answer}; }}");
        let versions = "MIDDLE_1.0 { global: middle; local: *; };";
        let middle = bench.library(
            "libmiddle.so.2",
            "libmiddle.so.2",
            &source,
            versions,
            &[&leaf],
        );
        bench.rpm(&Spec {
            name: "middle",
            version,
            payload,
            files: &[("/usr/lib64/middle/libmiddle.so.2", &middle)],
            ..PLAIN
        });
    }
    // Not in the repository: another version of it is.
    let other = "int other(void) { return 1; }";
    bench.library(
        "libother.so.1",
        "libother.so.1",
        other,
        "{ global: *; };",
        &[],
    );
    let newer = bench.library(
        "libother.so.16",
        "libother.so.16",
        other,
        "{ global: *; };",
        &[],
    );
    bench.rpm(&Spec {
        name: "other",
        epoch: 2,
        files: &[("/usr/lib64/libother.so.16", &newer)],
        ..PLAIN
    });
}

/// A library whose data are in a package of their own.
fn with_data(bench: &Bench) {
    let proj = bench.library(
        "libproj.so.25",
        "libproj.so.25",
        "int proj(void) { return 1; }",
        "{ global: *; };",
        &[],
    );
    let database = bench.path("proj.db");
    std::fs::write(&database, "SQLite format 3\0").unwrap();
    bench.rpm(&Spec {
        name: "proj",
        files: &[("/usr/lib64/libproj.so.25", &proj)],
        ..PLAIN
    });
    bench.rpm(&Spec {
        name: "proj-data",
        noarch: true,
        files: &[("/usr/share/proj/proj.db", &database)],
        ..PLAIN
    });
}

/// A repository in a folder with one package: these files at these places, and these links.
pub fn repository_of(
    folder: &Path,
    name: &str,
    files: &[(&str, &Path)],
    links: &[(&str, &str)],
) -> PathBuf {
    let bench = Bench(tempfile::tempdir().unwrap());
    bench.rpm(&Spec {
        name,
        files,
        links,
        ..PLAIN
    });
    let repository = folder.join("rpm-repository");
    succeed(
        Command::new("cp")
            .arg("-R")
            .arg(bench.path("repository"))
            .arg(&repository),
    );
    create_repository(&repository);
    repository
}

/// A package of this machine's processor: its name, and where each file goes.
pub struct Rpm<'a> {
    pub name: &'a str,
    pub files: Vec<(&'a str, &'a Path)>,
}

/// A repository in a folder with several packages.
pub fn repository_with<'a>(folder: &Path, packages: impl IntoIterator<Item = Rpm<'a>>) -> PathBuf {
    let bench = Bench(tempfile::tempdir().unwrap());
    for package in packages {
        bench.rpm(&Spec {
            name: package.name,
            files: &package.files,
            ..PLAIN
        });
    }
    let repository = folder.join("rpm-repository");
    let made = bench.path("repository");
    succeed(Command::new("cp").arg("-R").arg(made).arg(&repository));
    create_repository(&repository);
    repository
}

fn create_repository(folder: &Path) {
    let mut createrepo = Command::new("createrepo_c");
    succeed(createrepo.arg("--quiet").arg(folder));
}

fn read(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

/// What a program prints that opens a layer's library, with the layer's `lib` as the loader's folder.
pub fn loaded(tree: &LayerTree, library: &str, function: &str) -> String {
    let bench = Bench(tempfile::tempdir().unwrap());
    for (path, entry) in tree.iter() {
        let path = bench.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, entry.read().unwrap()).unwrap();
    }
    let source = format!(
        "#include <dlfcn.h>\n#include <stdio.h>\nint main(void) {{\n\
         void *library = dlopen(\"{}\", RTLD_NOW | RTLD_GLOBAL);\n\
         if (!library) {{ puts(dlerror()); return 1; }}\n\
         int (*function)(void) = (int (*)(void)) dlsym(RTLD_DEFAULT, \"{function}\");\n\
         if (!function) {{ puts(dlerror()); return 1; }}\n\
         printf(\"%d\", function());\nreturn 0;\n}}\n",
        bench.path(library).display()
    );
    std::fs::write(bench.path("main.c"), source).unwrap();
    let mut gcc = Command::new("gcc");
    succeed(
        gcc.arg("-o")
            .arg(bench.path("main"))
            .arg(bench.path("main.c"))
            .arg("-ldl"),
    );
    let mut program = Command::new(bench.path("main"));
    program.env("LD_LIBRARY_PATH", bench.path("lib"));
    String::from_utf8_lossy(&succeed(&mut program).stdout).into_owned()
}
