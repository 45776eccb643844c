//! Faults of programs and libraries, each planted in real ELF files.

use object::elf::{self, Machine};

use super::making::{Planted, Verdict, Workbench, audit, file, link, program, zip};

/// A bootstrap that leaves Lambda's own order of folders, /lib64 first.
const LAMBDAS_ORDER: &str = "#!/bin/sh\nexec /opt/R/bin/exec/R\n";
/// One that puts the layer's libraries first.
const LAYER_FIRST: &str =
    "#!/bin/sh\nexport LD_LIBRARY_PATH=\"/opt/lib:$LD_LIBRARY_PATH\"\nexec /opt/R/bin/exec/R\n";

fn verdict(bench: &Workbench, entries: &[Planted], flags: &[&str]) -> Verdict {
    audit(&[&zip(bench.folder(), "layer.zip", entries)], flags)
}

#[test]
fn files_that_find_all_they_need_are_fine() {
    let bench = Workbench::new();
    let own = "libown.so.1";
    let entries = [
        program("bootstrap", LAYER_FIRST),
        program("bin/program", bench.program(&["-Wl,-rpath,/opt/lib"])),
        program(
            "lib/libstarted.so",
            bench.library("libstarted.so", "", &[], &[]),
        ),
        file(
            "lib/libown.so.1",
            bench.library(own, "int own(void) { return 1; }", &[], &[]),
        ),
        file(
            "R/library/x/libs/x.so",
            bench.needing(&[own, "libm.so.6", "libstdc++.so.6"], &[]),
        ),
        file("R/library/x/libs/x.o", bench.object()),
    ];
    let verdict = verdict(&bench, &entries, &["--runtime"]);
    verdict.assert_clean();
    assert_eq!(verdict.json["elf_files"], 4);
}

#[test]
fn a_library_that_is_nowhere() {
    let bench = Workbench::new();
    let entries = [file(
        "lib/libuser.so",
        bench.needing(&["libabsent.so.1"], &[]),
    )];
    verdict(&bench, &entries, &[]).assert_found(
        &[("missing-library", "lib/libuser.so")],
        "fault: layer.zip: lib/libuser.so: needs libabsent.so.1, which neither the layers nor Lambda have",
    );
}

#[test]
fn a_library_of_another_layer_is_there_if_its_folder_is_searched() {
    let bench = Workbench::new();
    let user = |flags: &[&str]| {
        let user = bench.needing(&["libother.so.1"], flags);
        zip(
            bench.folder(),
            "user.zip",
            &[file("R/library/x/libs/x.so", user)],
        )
    };
    let other = |name: &str, path: &str| {
        let other = bench.library("libother.so.1", "", &[], &[]);
        zip(bench.folder(), name, &[file(path, other)])
    };
    let searched = other("searched.zip", "lib/libother.so.1");
    let elsewhere = other("elsewhere.zip", "share/libother.so.1");
    audit(&[&user(&[]), &searched], &[]).assert_clean();
    audit(&[&user(&[]), &elsewhere], &[]).assert_found(
        &[("missing-library", "R/library/x/libs/x.so")],
        "user.zip: R/library/x/libs/x.so: needs libother.so.1",
    );
    let to_share = "-Wl,-rpath,$ORIGIN/../../../../share";
    for dtags in ["-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"] {
        audit(&[&user(&[to_share, dtags]), &elsewhere], &[]).assert_clean();
    }
}

/// Distributions name libraries by links: libown.so.1 → libown.so.1.2.3.
#[test]
fn a_library_behind_a_link_is_there() {
    let bench = Workbench::new();
    let own = bench.library("libown.so.1", "", &[], &[]);
    let user = bench.needing(&["libown.so.1"], &[]);
    let entries = |target: &str| {
        [
            file("lib/libuser.so", user.clone()),
            file("lib/real/libown.so.1.2.3", own.clone()),
            link("lib/libown.so.1", target),
        ]
    };
    verdict(&bench, &entries("real/libown.so.1.2.3"), &[]).assert_clean();
    verdict(&bench, &entries("real/libown.so.9"), &[]).assert_found(
        &[
            ("link-leaves", "lib/libown.so.1"),
            ("missing-library", "lib/libuser.so"),
        ],
        "is a link to `real/libown.so.9`, which is not in the layer",
    );
}

/// Lambda's image has a libcurl of its own, which is another build than the layer's.
#[test]
fn a_library_that_the_images_own_would_answer_for() {
    let bench = Workbench::new();
    let copy = bench.library("libcurl.so.4", "int curl(void) { return 4; }", &[], &[]);
    let entries = |bootstrap: &str, flags: &[&str]| {
        [
            program("bootstrap", bootstrap),
            file("lib/libcurl.so.4", copy.clone()),
            file(
                "R/modules/internet.so",
                bench.needing(&["libcurl.so.4"], flags),
            ),
        ]
    };
    let shadowed = "needs libcurl.so.4: Lambda's own is found before the layer's lib/libcurl.so.4";
    let found = [("shadowed", "R/modules/internet.so")];
    let to_lib = "-Wl,-rpath,$ORIGIN/../../lib";
    let verdict =
        |bootstrap, flags: &[&str]| verdict(&bench, &entries(bootstrap, flags), &["--runtime"]);
    verdict(LAMBDAS_ORDER, &[]).assert_found(&found, shadowed);
    verdict(LAYER_FIRST, &[]).assert_clean();
    // The loader reads DT_RPATH before LD_LIBRARY_PATH, and DT_RUNPATH after it.
    verdict(LAMBDAS_ORDER, &[to_lib, "-Wl,--disable-new-dtags"]).assert_clean();
    verdict(LAMBDAS_ORDER, &[to_lib, "-Wl,--enable-new-dtags"]).assert_found(&found, shadowed);
}

#[test]
fn a_library_that_only_the_image_has_is_a_matter_of_policy() {
    let bench = Workbench::new();
    let entries = [file(
        "lib/libuser.so",
        bench.needing(&["libcurl.so.4"], &[]),
    )];
    let found = [("not-guaranteed", "lib/libuser.so")];
    let words =
        "needs libcurl.so.4, which only Lambda's container image has (--policy image allows it)";
    verdict(&bench, &entries, &[]).assert_found(&found, words);
    verdict(&bench, &entries, &["--policy", "strict"]).assert_found(&found, words);
    verdict(&bench, &entries, &["--policy", "image"]).assert_clean();
}

const CALL: &str = "int called(void); int user(void) { return called(); }";
const CALLED: &str = "int called(void) { return 1; }";

#[test]
fn a_symbol_of_a_newer_glibc() {
    for (version, fault) in [("2.34", false), ("2.38", true)] {
        let bench = Workbench::new();
        bench.versioned(
            "libc.so.6",
            CALLED,
            &format!("GLIBC_{version} {{ global: called; }};"),
        );
        let entries = [file(
            "lib/libuser.so",
            bench.library("libuser.so", CALL, &["libc.so.6"], &[]),
        )];
        let verdict = verdict(&bench, &entries, &[]);
        assert_eq!(verdict.json["glibc"], version);
        if fault {
            verdict.assert_found(
                &[("symbol-version", "lib/libuser.so")],
                "asks libc.so.6 for GLIBC_2.38, which it does not have (it ends at GLIBC_2.34): built for a newer system",
            );
        } else {
            verdict.assert_clean();
        }
    }
}

#[test]
fn a_symbol_version_that_the_layers_own_library_lacks() {
    let bench = Workbench::new();
    let older = bench.versioned("libown.so.1", CALLED, "OWN_1 { global: called; };");
    let newer = bench.versioned(
        "libown.so.1",
        CALLED,
        "OWN_1 { }; OWN_2 { global: called; } OWN_1;",
    );
    let user = bench.library("libuser.so", CALL, &["libown.so.1"], &[]);
    let entries = |own: &[u8]| {
        [
            file("lib/libown.so.1", own),
            file("lib/libuser.so", user.clone()),
        ]
    };
    verdict(&bench, &entries(&newer), &[]).assert_clean();
    verdict(&bench, &entries(&older), &[]).assert_found(
        &[("symbol-version", "lib/libuser.so")],
        "asks libown.so.1 for OWN_2, which it does not have",
    );
}

/// Where an ELF file says 32 or 64 bit, and for which processor it is.
const CLASS: usize = 4;
const MACHINE: std::ops::Range<usize> = 18..20;

#[test]
fn a_file_for_another_processor() {
    let bench = Workbench::new();
    let native = bench.needing(&[], &[]);
    let (own, other) = match std::env::consts::ARCH {
        "x86_64" => ("x86_64", ("arm64", elf::EM_AARCH64)),
        _ => ("arm64", ("x86_64", elf::EM_X86_64)),
    };
    let layer = |machine: Machine| {
        let mut foreign = native.clone();
        foreign[MACHINE].copy_from_slice(&machine.0.to_le_bytes());
        let [one, two] = ["lib/liba.so", "lib/libb.so"].map(|path| file(path, native.clone()));
        [one, two, file("lib/libforeign.so", foreign)]
    };
    let found = [("wrong-architecture", "lib/libforeign.so")];
    verdict(&bench, &layer(other.1), &[]).assert_found(
        &found,
        &format!("lib/libforeign.so: is for {}, the layer for {own}", other.0),
    );
    verdict(&bench, &layer(elf::EM_RISCV), &[])
        .assert_found(&found, "is for a processor that Lambda does not have");
    let both = ["lib/liba.so", "lib/libb.so"].map(|path| ("wrong-architecture", path));
    verdict(&bench, &layer(other.1), &["--arch", other.0])
        .assert_found(&both, &format!("is for {own}, the layer for {}", other.0));
}

#[test]
fn files_that_no_loader_takes() {
    let bench = Workbench::new();
    let whole = bench.needing(&["libm.so.6"], &[]);
    let mut narrow = whole.clone();
    narrow[CLASS] = elf::ELFCLASS32.0;
    let mut nowhere = whole.clone();
    // Where the section headers are said to be.
    nowhere[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    for (content, words) in [
        (
            narrow,
            "lib/libuser.so: is a 32-bit ELF file; Lambda runs 64-bit ones only",
        ),
        (
            whole[..whole.len() / 2].to_vec(),
            "lib/libuser.so: is a damaged ELF file",
        ),
        (
            whole[..10].to_vec(),
            "lib/libuser.so: is a damaged ELF file",
        ),
        (nowhere, "lib/libuser.so: is a damaged ELF file"),
    ] {
        let entries = [file("lib/libuser.so", content)];
        verdict(&bench, &entries, &[]).assert_found(&[("damaged-elf", "lib/libuser.so")], words);
    }
}

#[test]
fn a_search_path_into_the_folder_that_it_was_built_in() {
    let bench = Workbench::new();
    for dtags in ["-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"] {
        let built =
            |path: &str| bench.needing(&["libm.so.6"], &[&format!("-Wl,-rpath,{path}"), dtags]);
        for folder in ["/home/x", "$ORIGIN/../../../build"] {
            let entries = [file("lib/libuser.so", built(&format!("/opt/lib:{folder}")))];
            verdict(&bench, &entries, &[]).assert_found(
                &[("build-path", "lib/libuser.so")],
                &format!("looks for libraries in {folder}, which is not there on Lambda"),
            );
        }
        let entries = [file(
            "lib/libuser.so",
            built("/opt/lib:$ORIGIN/more:/var/task/lib:/usr/lib64"),
        )];
        verdict(&bench, &entries, &[]).assert_clean();
    }
}

#[test]
fn a_program_that_asks_for_a_loader_of_another_system() {
    let bench = Workbench::new();
    for loader in [
        "/nix/store/glibc/ld-linux-x86-64.so.2",
        "/lib/ld-musl-x86_64.so.1",
    ] {
        let entries = [
            program(
                "bin/program",
                bench.program(&[&format!("-Wl,--dynamic-linker={loader}")]),
            ),
            file(
                "lib/libstarted.so",
                bench.library("libstarted.so", "", &[], &[]),
            ),
        ];
        verdict(&bench, &entries, &[]).assert_found(
            &[("wrong-interpreter", "bin/program")],
            &format!("asks for the loader {loader}, which is not there on Lambda"),
        );
    }
}

#[test]
fn a_library_is_found_by_the_rpath_of_what_led_to_it_or_because_it_is_loaded() {
    let bench = Workbench::new();
    let low = bench.library("liblow.so.1", "int low(void) { return 1; }", &[], &[]);
    let source = "int low(void); int middle(void) { return low(); }";
    let middle = bench.library("libmiddle.so.1", source, &["liblow.so.1"], &[]);
    let rest = [
        program("bootstrap", "#!/bin/sh\n"),
        file("R/library/p/libs/.libs/liblow.so.1", low.clone()),
        file("R/library/p/libs/.libs/libmiddle.so.1", middle),
    ];
    let audited = |name: &str, top: Vec<u8>| {
        let entries: Vec<_> = rest
            .iter()
            .cloned()
            .chain([file("R/library/p/libs/p.so", top)])
            .collect();
        audit(&[&zip(bench.folder(), name, &entries)], &[])
    };
    let source = "int middle(void); int top(void) { return middle(); }";
    let rpath = ["-Wl,--disable-new-dtags,-rpath,$ORIGIN/.libs"];
    let runpath = ["-Wl,--no-as-needed,--enable-new-dtags,-rpath,$ORIGIN/.libs"];
    audited(
        "rpath.zip",
        bench.library("p.so", source, &["libmiddle.so.1"], &rpath),
    )
    .assert_clean();
    let both = ["liblow.so.1", "libmiddle.so.1"];
    audited("loaded.zip", bench.library("p.so", source, &both, &runpath)).assert_clean();
    // A DT_RUNPATH counts for the file itself, and not for what it needs.
    let lone = audited(
        "runpath.zip",
        bench.library("p.so", source, &["libmiddle.so.1"], &runpath),
    );
    lone.assert_found(
        &[("missing-library", "R/library/p/libs/.libs/libmiddle.so.1")],
        "needs liblow.so.1, which neither the layers nor Lambda have",
    );
}
