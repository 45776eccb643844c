//! `build graphics`: pictures with text in them, drawn by a handler in a root like Lambda's.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::package_layers::{packages, project, result, zips};
use crate::package_repository::making::Package;
use crate::parts::{build_root, fail, functions, only_zip, portable_r, r_layer, succeed};
use crate::rpm_repository::making::{Rpm, repository_with};

/// `invoke` of a handler of tests/fixtures/functions/graphics with these layers.
fn invoke(layers: &[&Path], handler: &str) -> Command {
    let mut command = r_layer(Path::new("/tmp"));
    command.args(["invoke", "--event", "{}", "--timeout", "60"]);
    command.args(["--handler", handler]).arg("--code");
    command.arg(functions("graphics"));
    for layer in layers {
        command.arg("--layer").arg(layer);
    }
    command
}

/// The pixels of a picture in grey, row by row, and how many a row has.
fn grey(png: &[u8]) -> (Vec<u8>, usize) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a picture");
    let each = info.color_type.samples();
    let grey = pixels.chunks(each).map(|pixel| pixel[0]).collect();
    (grey, info.width as usize)
}

/// How many dark pixels there are in the rows of the title.
fn dark_in_title(png: &[u8]) -> usize {
    let (pixels, width) = grey(png);
    assert_eq!((width, pixels.len() / width), (480, 480));
    let title = &pixels[20 * width..50 * width];
    title.iter().filter(|&&pixel| pixel < 100).count()
}

/// Every device draws, with letters of the font that is asked for.
fn assert_pictures(layers: &[&Path]) {
    let output = succeed(invoke(layers, "script.pictures").arg("--json"));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let drawn = &printed["result"];
    let file = |name: &str| {
        let text = drawn[name].as_str().expect(name).replace('\n', "");
        STANDARD.decode(text).expect("base64")
    };
    assert_eq!(drawn["bitmap_type"], "cairo");
    let (labelled, bare) = (file("png"), file("bare_png"));
    if let Some(folder) = std::env::var_os("R_LAYER_TEST_PICTURES") {
        let name = layers[0].file_stem().expect("a name");
        let path = PathBuf::from(folder).join(name).with_extension("png");
        std::fs::write(path, &labelled).expect("the picture is written");
    }
    // Ten open circles, without a line of text.
    let (points, _) = grey(&bare);
    assert!(points.iter().filter(|&&pixel| pixel < 200).count() > 100);
    assert_eq!(dark_in_title(&bare), 0);
    let dark = dark_in_title(&labelled);
    // Boxes in the place of letters would be as many and thin; these have strokes.
    assert!((150..3000).contains(&dark), "{dark} dark pixels");
    assert!(file("jpeg").starts_with(&[0xff, 0xd8, 0xff]));
    assert!(file("tiff").starts_with(b"II*\0"));
    let svg = String::from_utf8(file("svg")).expect("SVG is text");
    assert!(svg.contains("<svg") && svg.contains("glyph"), "{svg}");
    let pdf = file("cairo_pdf");
    let has = |text: &str| pdf.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("%PDF") && has("LiberationSerif"));
    assert!(file("pdf").starts_with(b"%PDF"));
}

#[test]
fn a_compiled_r_draws_with_the_graphics_layer_and_says_what_is_missing_without() {
    let project = project();
    let changed = result(&mut packages(project.path(), &["build", "graphics"]));
    let record = &changed["layers"][0];
    assert_eq!(record["zip"], "r-graphics-4.5-al2023-x86_64.zip");
    assert_eq!(record["check"], "passed");
    assert_eq!(record["packages"], serde_json::json!({}));
    let size = record["zipped_size"].as_u64().expect("a size");
    println!("{size} bytes zipped, {} unzipped", record["unzipped_size"]);
    assert!(size < 16_000_000, "{size}");
    let libraries = record["added_libraries"].as_object().expect("libraries");
    assert!(libraries.contains_key("lib/libcairo.so.2"), "{libraries:?}");
    let sources = record["sources"].to_string();
    assert!(
        sources.contains("fonts-dejavu-core") && sources.contains("OFL-1.1"),
        "{sources}"
    );
    let [graphics] = &zips(project.path())[..] else {
        panic!("one layer")
    };
    let bill = fs_err::read_to_string(graphics.with_extension("cdx.json")).expect("a bill");
    assert!(bill.contains("pkg:deb/debian/fonts-liberation2@"), "{bill}");
    let runtime = crate::parts::runtime_layer();
    assert_pictures(&[runtime, graphics]);
    let error = fail(&mut invoke(&[runtime], "script.one_picture"), 1);
    assert!(
        error.contains("png() needs") && error.contains("r-layer build graphics"),
        "{error}"
    );

    assert_packages_share_its_libraries(project.path(), libraries);

    let first = fs_err::read(graphics).expect("the zip");
    let again = ["build", "graphics", "--locked", "--offline", "--no-check"];
    succeed(&mut packages(project.path(), &again));
    assert_eq!(fs_err::read(graphics).expect("the zip"), first);
}

/// A package that draws by itself brings no second copy of what the graphics layer has.
fn assert_packages_share_its_libraries(
    project: &Path,
    of_graphics: &serde_json::Map<String, Value>,
) {
    let code = "#include <cairo.h>\nint f(void) { return cairo_version(); }\n";
    let package = Package::new("drawing", "1.0")
        .field("Title", "Draws by Itself")
        .field("Description", "Is linked to cairo.")
        .field("Author", "A")
        .field("Maintainer", "A <a@b.c>")
        .field("NeedsCompilation", "yes")
        .field("SystemRequirements", "cairo (>= 1.14)")
        .file("NAMESPACE", "useDynLib(drawing)\n")
        .file("src/a.c", code)
        .file(
            "src/Makevars",
            "PKG_CPPFLAGS = $(shell pkg-config --cflags cairo)\nPKG_LIBS = $(shell pkg-config --libs cairo)\n",
        );
    fs_err::write(project.join("drawing.tar.gz"), package.tarball()).expect("a tarball");
    let add = [
        "add-packages",
        "./drawing.tar.gz",
        "--layer",
        "drawing",
        "--offline",
    ];
    let changed = result(&mut packages(project, &add));
    let record = &changed["layers"][0];
    assert_eq!(record["check"], "passed");
    let own = record["added_libraries"].as_object().expect("libraries");
    let twice: Vec<&String> = own
        .keys()
        .filter(|path| of_graphics.contains_key(*path))
        .collect();
    assert!(twice.is_empty() && own.is_empty(), "{own:?}");
    for entry in fs_err::read_dir(project.join("dist")).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains("r-drawing-") {
            fs_err::remove_file(path).expect("it is removed");
        }
    }
}

/// What a prebuilt R lacks comes from RPMs: libexpat, and the fonts.
fn rpms(folder: &Path) -> PathBuf {
    let root = build_root();
    let at = |path: &str| root.join(path);
    let expat = at("usr/lib/x86_64-linux-gnu/libexpat.so.1");
    let expat = fs_err::canonicalize(expat).expect("libexpat");
    let fonts = |family: &str, folder: &str, files: &[&str]| {
        let from = at("usr/share/fonts/truetype").join(folder);
        let file = |name: &&str| {
            let place = format!("/usr/share/fonts/{family}/{name}");
            (place, from.join(name))
        };
        files.iter().map(file).collect::<Vec<_>>()
    };
    let all = [
        (
            "expat",
            vec![("/usr/lib64/libexpat.so.1".to_owned(), expat)],
        ),
        (
            "dejavu-sans-fonts",
            fonts("dejavu-sans-fonts", "dejavu", &["DejaVuSans.ttf"]),
        ),
        (
            "liberation-sans-fonts",
            fonts(
                "liberation-sans",
                "liberation2",
                &["LiberationSans-Regular.ttf"],
            ),
        ),
        (
            "liberation-serif-fonts",
            fonts(
                "liberation-serif",
                "liberation2",
                &["LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf"],
            ),
        ),
    ];
    let packages = all.iter().map(|(name, files)| Rpm {
        name,
        files: files
            .iter()
            .map(|(to, from)| (to.as_str(), from.as_path()))
            .collect(),
    });
    repository_with(folder, packages)
}

#[test]
fn a_prebuilt_r_draws_with_its_own_libraries_and_what_they_lack_from_rpms() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources = portable_r().parent().expect("its folder").to_owned();
    let build = |arguments: &[&str]| {
        let mut command = r_layer(folder.path());
        command.arg("build").args(arguments);
        command.args(["--r-source", "posit"]);
        command.arg("--sources").arg(&sources);
        command
    };
    succeed(&mut build(&["runtime"]));
    let runtime = only_zip(&folder.path().join("dist"));
    let rpms = rpms(folder.path()).display().to_string();
    let changed = result(&mut build(&["graphics", "--rpm-repository", &rpms]));
    let record = &changed["layers"][0];
    assert_eq!(record["check"], "passed");
    println!(
        "{} bytes zipped, {} unzipped",
        record["zipped_size"], record["unzipped_size"]
    );
    let libraries = record["added_libraries"].as_object().expect("libraries");
    let added: Vec<&String> = libraries.keys().collect();
    assert_eq!(added, ["lib/libexpat.so.1"]);
    assert!(
        record["sources"]
            .to_string()
            .contains("a package of amzn, MIT AND Zlib"),
        "{record}"
    );
    let graphics = folder.path().join("dist/r-graphics-4.5-al2023-x86_64.zip");
    let bill = fs_err::read_to_string(graphics.with_extension("cdx.json")).expect("a bill");
    for component in ["deb/debian/libcairo2@", "rpm/amzn/dejavu-sans-fonts@"] {
        assert!(bill.contains(component), "{component}: {bill}");
    }
    let lock = fs_err::read_to_string(folder.path().join("r-layer.lock")).expect("a lock");
    assert!(
        lock.contains("dejavu-sans-fonts") && lock.contains("expat"),
        "{lock}"
    );
    assert_pictures(&[&runtime, &graphics]);
}
