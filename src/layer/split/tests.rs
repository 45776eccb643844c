use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::target::Target;

const MB: u64 = 1_000_000;

fn package(name: &str, zipped_mb: u64, needs: &[&str]) -> PackageSize {
    PackageSize {
        name: name.to_owned(),
        zipped: zipped_mb * MB,
        unzipped: zipped_mb * MB,
        needs: needs.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn library(path: &str, zipped_mb: u64, needed_by: &[&str]) -> LibrarySize {
    LibrarySize {
        path: path.to_owned(),
        zipped: zipped_mb * MB,
        unzipped: zipped_mb * MB,
        needed_by: needed_by.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn allowance() -> Allowance {
    Allowance {
        limits: Target::named("al2023").unwrap().limits,
        others_unzipped: 30 * MB,
        other_layers: 1,
        has_s3: false,
    }
}

fn parts(packages: &[PackageSize], libraries: &[LibrarySize]) -> Vec<Part> {
    split("models", packages, libraries, &allowance(), &[]).unwrap()
}

fn members(parts: &[Part]) -> Vec<Vec<&str>> {
    let of = |part: &Part| -> Vec<String> { part.packages.clone() };
    assert!(parts.iter().all(|part| of(part).is_sorted()));
    parts
        .iter()
        .map(|part| part.packages.iter().map(String::as_str).collect())
        .collect()
}

#[test]
fn what_fits_into_a_request_is_one_layer_of_that_name() {
    let one = parts(&[package("b", 20, &["a"]), package("a", 29, &[])], &[]);
    assert_eq!(members(&one), [["a", "b"]]);
    assert_eq!((one[0].name.as_str(), one[0].needs_s3), ("models", false));
    assert_eq!((one[0].zipped, one[0].unzipped), (49 * MB, 49 * MB));
    assert_eq!(members(&parts(&[], &[])), [Vec::<&str>::new()]);
}

#[test]
fn what_a_package_needs_is_in_its_part_or_an_earlier_one() {
    let all = [
        package("ggplot", 30, &["scales", "base"]),
        package("scales", 10, &["base"]),
        package("base", 5, &[]),
        package("sf", 35, &["units"]),
        package("units", 5, &[]),
    ];
    let two = parts(&all, &[]);
    assert_eq!(
        members(&two),
        [vec!["base", "ggplot", "scales"], vec!["sf", "units"]]
    );
    assert_eq!(
        (two[0].name.as_str(), two[1].name.as_str()),
        ("models-1", "models-2")
    );
    let chain = [
        package("a", 30, &["b"]),
        package("b", 30, &["c"]),
        package("c", 30, &[]),
    ];
    assert_eq!(members(&parts(&chain, &[])), [["c"], ["b"], ["a"]]);
}

#[test]
fn fewer_parts_count_more_than_related_ones_together() {
    // In the order of needs these are three: 30 + 15, 25 + 10, 25. Two hold them all.
    let all = [
        package("a", 30, &["b"]),
        package("b", 15, &[]),
        package("c", 25, &["d"]),
        package("d", 20, &[]),
        package("e", 5, &["a"]),
        package("f", 7, &["c"]),
    ];
    let found = parts(&all, &[]);
    assert_eq!(found.len(), 2, "{:?}", members(&found));
    // One after the other, these are three; 26 + 16 + 10 and 20 + 18 + 14 are two.
    let sizes = [26, 20, 18, 16, 14, 10];
    let tight: Vec<PackageSize> = sizes
        .iter()
        .enumerate()
        .map(|(index, &size)| package(&format!("p{index}"), size, &[]))
        .collect();
    assert_eq!(parts(&tight, &[]).len(), 2);
}

#[test]
fn packages_that_need_each_other_in_a_circle_are_not_lost() {
    let all = [
        package("a", 30, &["b"]),
        package("b", 30, &["a"]),
        package("c", 1, &["c", "absent"]),
    ];
    let found = parts(&all, &[]);
    assert_eq!(
        found.iter().map(|part| part.packages.len()).sum::<usize>(),
        3
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn a_package_over_the_limit_is_a_part_by_itself_and_needs_s3() {
    let all = [
        package("small", 1, &["huge"]),
        package("huge", 60, &[]),
        package("other", 2, &[]),
    ];
    let found = parts(&all, &[]);
    assert_eq!(members(&found), [vec!["huge"], vec!["other", "small"]]);
    assert_eq!((found[0].needs_s3, found[1].needs_s3), (true, false));
    let with_library = parts(
        &[package("a", 30, &[])],
        &[library("lib/libbig.so.1", 25, &["a"])],
    );
    assert!(with_library[0].needs_s3);
}

#[test]
fn a_package_that_needs_a_huge_one_comes_after_it() {
    let all = [package("huge", 60, &["base"]), package("base", 10, &[])];
    assert_eq!(members(&parts(&all, &[])), [["base"], ["huge"]]);
}

#[test]
fn with_s3_nothing_is_split() {
    let all = [package("a", 40, &[]), package("b", 40, &[])];
    let with_s3 = Allowance {
        has_s3: true,
        ..allowance()
    };
    let found = split("models", &all, &[], &with_s3, &[]).unwrap();
    assert_eq!(members(&found), [["a", "b"]]);
    assert_eq!(
        (found[0].name.as_str(), found[0].needs_s3),
        ("models", true)
    );
}

#[test]
fn a_library_is_in_the_first_part_that_needs_it_and_only_there() {
    let all = [
        package("a", 30, &["b"]),
        package("b", 30, &[]),
        package("c", 5, &["b"]),
    ];
    let libraries = [
        library("lib/liborphan.so.1", 1, &["absent"]),
        library("lib/libshared.so.1", 10, &["a", "b"]),
        library("lib/liba.so.1", 2, &["a"]),
    ];
    let found = parts(&all, &libraries);
    assert_eq!(members(&found), [vec!["b", "c"], vec!["a"]]);
    assert_eq!(
        found[0].libraries,
        ["lib/liborphan.so.1", "lib/libshared.so.1"]
    );
    assert_eq!(found[1].libraries, ["lib/liba.so.1"]);
    assert_eq!((found[0].zipped, found[1].zipped), (46 * MB, 32 * MB));
}

#[test]
fn a_library_that_a_huge_package_brings_is_there_for_the_others() {
    let libraries = [library("lib/libgdal.so.1", 40, &["sf", "terra"])];
    let found = parts(
        &[package("sf", 15, &[]), package("terra", 20, &[])],
        &libraries,
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found.iter().filter(|part| part.needs_s3).count(), 1);
}

#[test]
fn too_much_unzipped_is_told_with_the_heaviest_and_what_would_help() {
    let all: Vec<PackageSize> = (1..=30)
        .map(|index| package(&format!("p{index:02}"), index, &[]))
        .collect();
    let savings = [
        PossibleSaving {
            how: "nothing".to_owned(),
            unzipped: 0,
        },
        PossibleSaving {
            how: "without --keep help".to_owned(),
            unzipped: 12_340_000,
        },
    ];
    let error = split("models", &all, &[], &allowance(), &savings).unwrap_err();
    assert_eq!(error.heaviest.len(), 10);
    assert_eq!(error.heaviest[0].name, "p30");
    let text = error.to_string();
    for words in [
        "the layer models is too large",
        "465.0 MB unzipped and 30.0 MB of the other layers",
        "takes 262.1 MB",
        "30.0 MB   30.0 MB  p30",
        "12.3 MB  without --keep help",
        "type r-layer image build",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("nothing"), "{text}");
}

#[test]
fn the_limit_counts_the_other_layers_to_the_byte() {
    let limit = allowance().limits.unzipped;
    let mut one = package("a", 1, &[]);
    one.unzipped = limit - 30 * MB;
    assert!(split("x", std::slice::from_ref(&one), &[], &allowance(), &[]).is_ok());
    one.unzipped += 1;
    assert!(split("x", &[one], &[], &allowance(), &[]).is_err());
}

#[test]
fn more_layers_than_a_function_has_are_an_error() {
    let all: Vec<PackageSize> = (1..=5)
        .map(|index| package(&format!("p{index}"), 40, &[]))
        .collect();
    let error = split("models", &all, &[], &allowance(), &[]).unwrap_err();
    assert_eq!(
        error.too_much,
        TooMuch::Layers {
            parts: 5,
            others: 1,
            limit: 5
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("becomes 5 layers, beside 1 more") && text.contains("--s3-bucket"),
        "{text}"
    );
    assert_eq!(
        split("models", &all[..4], &[], &allowance(), &[])
            .unwrap()
            .len(),
        4
    );
}

/// It was once told that it is too large, and to take a bucket, which makes no room for it.
#[test]
fn a_layer_too_many_is_told_as_that_and_what_makes_room() {
    let full = Allowance {
        other_layers: 5,
        ..allowance()
    };
    let small = [package("a", 1, &[])];
    let text = split("models", &small, &[], &full, &[])
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("one too many") && text.contains("--merge NAME"),
        "{text}"
    );
    assert!(
        !text.contains("too large") && !text.contains("--s3-bucket"),
        "{text}"
    );
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }
}

fn random_load(numbers: &mut Numbers) -> (Vec<PackageSize>, Vec<LibrarySize>) {
    let count = 1 + numbers.below(40);
    let name = |index: u64| format!("p{index}");
    let packages = (0..count).map(|index| {
        let needs = numbers.below(4);
        PackageSize {
            name: name(index),
            zipped: numbers.below(9 * MB),
            unzipped: numbers.below(6 * MB),
            needs: (0..needs).map(|_| name(numbers.below(count + 2))).collect(),
        }
    });
    let packages = packages.collect();
    let libraries = (0..numbers.below(8)).map(|index| LibrarySize {
        path: format!("lib/lib{index}.so"),
        zipped: numbers.below(9 * MB),
        unzipped: numbers.below(MB),
        needed_by: (0..numbers.below(5))
            .map(|_| name(numbers.below(count)))
            .collect(),
    });
    (packages, libraries.collect())
}

#[test]
fn nothing_is_lost_limits_are_kept_and_the_order_given_makes_no_difference() {
    let mut numbers = Numbers(5);
    let plenty = Allowance {
        limits: Limits {
            layers: 50,
            unzipped: u64::MAX,
            ..allowance().limits
        },
        ..allowance()
    };
    for round in 0..150 {
        let (mut packages, mut libraries) = random_load(&mut numbers);
        let found = split("x", &packages, &libraries, &plenty, &[]).unwrap();
        check(&found, &packages, &libraries);
        numbers.shuffle(&mut packages);
        numbers.shuffle(&mut libraries);
        let again = split("x", &packages, &libraries, &plenty, &[]).unwrap();
        assert_eq!(found, again, "round {round}");
    }
}

fn check(parts: &[Part], packages: &[PackageSize], libraries: &[LibrarySize]) {
    let limit = allowance().limits.zipped_in_request;
    let all: Vec<&String> = parts.iter().flat_map(|part| &part.packages).collect();
    let distinct: BTreeSet<&String> = all.iter().copied().collect();
    assert_eq!(
        (all.len(), distinct.len()),
        (packages.len(), packages.len())
    );
    let all: Vec<&String> = parts.iter().flat_map(|part| &part.libraries).collect();
    let distinct: BTreeSet<&String> = all.iter().copied().collect();
    assert_eq!(
        (all.len(), distinct.len()),
        (libraries.len(), libraries.len())
    );
    let zipped: BTreeMap<&str, u64> = packages
        .iter()
        .map(|package| (package.name.as_str(), package.zipped))
        .collect();
    for part in parts {
        assert!(part.zipped < limit || part.needs_s3);
        assert!(!part.needs_s3 || part.packages.len() == 1, "{part:?}");
        let sum: u64 = part.packages.iter().map(|name| zipped[name.as_str()]).sum();
        assert!(sum <= part.zipped);
    }
    for library in libraries {
        let has = |part: &Part| part.libraries.contains(&library.path);
        let needs = |part: &Part| {
            library
                .needed_by
                .iter()
                .any(|name| part.packages.contains(name))
        };
        let first = parts.iter().position(needs).unwrap_or(0);
        assert_eq!(parts.iter().position(has), Some(first), "{}", library.path);
    }
}

/// Compared with every way to part few packages.
#[test]
fn there_are_never_more_parts_than_need_be() {
    let mut numbers = Numbers(7);
    let limit = allowance().limits.zipped_in_request - PART_OVERHEAD;
    for _ in 0..60 {
        let sizes: Vec<u64> = (0..8).map(|_| MB + numbers.below(35 * MB)).collect();
        let packages: Vec<PackageSize> = sizes
            .iter()
            .enumerate()
            .map(|(index, &zipped)| PackageSize {
                zipped,
                unzipped: 1,
                ..package(&format!("p{index}"), 0, &["p0"])
            })
            .collect();
        let wide = Allowance {
            limits: Limits {
                layers: 50,
                ..allowance().limits
            },
            ..allowance()
        };
        let found = split("x", &packages, &[], &wide, &[]).unwrap().len();
        assert_eq!(found, fewest(&sizes, &mut Vec::new(), limit), "{sizes:?}");
    }
}

fn fewest(sizes: &[u64], loads: &mut Vec<u64>, limit: u64) -> usize {
    let Some((&size, rest)) = sizes.split_first() else {
        return loads.len();
    };
    let mut best = usize::MAX;
    for index in 0..loads.len() {
        if loads[index] + size < limit {
            loads[index] += size;
            best = best.min(fewest(rest, loads, limit));
            loads[index] -= size;
        }
    }
    loads.push(size);
    best = best.min(fewest(rest, loads, limit));
    loads.pop();
    best
}
