use super::super::fixtures::layers;
use super::*;
use crate::target::Target;

fn question() -> Question<'static> {
    Question {
        architecture: Architecture::X86_64,
        code_unzipped: Some(1000),
        limits: &Target::named(Target::DEFAULT).unwrap().limits,
    }
}

/// The messages of what is wrong with these layers.
fn faults(layers: &[FunctionLayer]) -> Vec<String> {
    let faults = check(layers, &question());
    faults.iter().map(ToString::to_string).collect()
}

/// The one message, which has these words.
fn only_fault(layers: &[FunctionLayer], words: &[&str]) {
    let faults = faults(layers);
    assert_eq!(faults.len(), 1, "{faults:?}");
    for word in words {
        assert!(faults[0].contains(word), "{word}: {}", faults[0]);
    }
}

#[test]
fn what_goes_together_is_not_found_fault_with() {
    assert_eq!(
        faults(&layers("runtime:1 models:1 tables:1 other:1 third:1")),
        [""; 0]
    );
    assert_eq!(unknowns(&layers("runtime:1 other:1"), &question()), [""; 0]);
}

#[test]
fn one_layer_starts_and_no_other() {
    let words = ["a layer of packages alone cannot start", "--layer runtime"];
    only_fault(&layers("models:1"), &words);
    only_fault(&layers("other:1"), &words);
    let mut two = layers("runtime:1 other:1");
    two[1].content.has_bootstrap = Some(true);
    only_fault(
        &two,
        &[
            "2 runtime layers",
            "r-runtime-4_5-x86_64:1, other:1",
            "r-layer detach --layer ARN",
        ],
    );
    // Somebody else's runtime is one.
    assert_eq!(faults(&two[1..]), [""; 0]);
    // What nobody could look into may be one.
    let mut hidden = layers("models:1 other:1");
    hidden[1].content.has_bootstrap = None;
    assert_eq!(faults(&hidden), [""; 0]);
    let unknown = unknowns(&hidden, &question());
    assert!(
        unknown[0].contains("what is in other:1 could not be looked at"),
        "{unknown:?}"
    );
}

#[test]
fn layers_are_for_the_functions_processor() {
    let mut layers = layers("runtime:1 models:1 other:1");
    layers[1].content.architectures = vec!["arm64".to_owned()];
    layers[2].content.architectures = Vec::new();
    only_fault(
        &layers,
        &[
            "r-models-4_5-x86_64:1 is for arm64, and the function is for x86_64",
            "--arch x86_64",
        ],
    );
    layers[1].content.architectures.push("x86_64".to_owned());
    assert_eq!(faults(&layers), [""; 0]);
}

#[test]
fn there_are_five_at_most_and_each_once() {
    let six = layers("runtime:1 models:1 tables:1 other:1 other2:1 third:1");
    only_fault(
        &six,
        &[
            "6 layers, and Lambda takes 5",
            "third:1",
            "r-layer build --merge",
            "r-layer detach",
        ],
    );
    only_fault(
        &layers("runtime:1 other:1 other:2"),
        &["other twice, as versions 1 and 2", "name one"],
    );
}

#[test]
fn ours_are_for_one_r() {
    let mut layers = layers("runtime:1 models:1 other:1");
    layers[1].content.r_minor = Some("4.4".to_owned());
    // Somebody else's layer is no matter of ours.
    layers[2].content.r_minor = Some("3.6".to_owned());
    only_fault(
        &layers,
        &[
            "R 4.4: r-models-4_5-x86_64:1; R 4.5: r-runtime-4_5-x86_64:1",
            "attach all for one of them",
        ],
    );
    layers[1].content.r_minor = None;
    assert_eq!(faults(&layers), [""; 0]);
}

#[test]
fn layers_and_code_fit_together_as_far_as_their_sizes_are_known() {
    let mut layers = layers("runtime:1 models:1");
    layers[0].content.unzipped = Some(200_000_000);
    layers[1].content.unzipped = Some(62_143_000);
    assert_eq!(faults(&layers), [""; 0]);
    layers[1].content.unzipped = Some(62_143_001);
    only_fault(
        &layers,
        &[
            "262144001 bytes unzipped, and Lambda takes 262144000",
            "r-runtime-4_5-x86_64:1 200000000, r-models-4_5-x86_64:1 62143001, the function's code 1000",
            "r-layer image build",
        ],
    );
    layers[1].content.unzipped = None;
    assert_eq!(faults(&layers), [""; 0]);
    let question = Question {
        code_unzipped: None,
        ..question()
    };
    let unknown = unknowns(&layers, &question);
    assert!(
        unknown[0].contains("not known of r-models-4_5-x86_64:1, the function's code")
            && unknown[0].contains("262144000"),
        "{unknown:?}"
    );
}

#[test]
fn a_package_in_two_layers_is_the_same_in_both() {
    let mut layers = layers("runtime:1 models:1 other:1");
    let mut put = |layer: usize, version: Option<&str>| {
        let packages = &mut layers[layer].content.packages;
        packages.insert("cli".to_owned(), version.map(ToOwned::to_owned));
        faults(&layers)
    };
    assert_eq!(put(1, Some("3.6.0")), [""; 0]);
    assert_eq!(put(2, Some("3.6.0")), [""; 0]);
    let found = put(2, Some("3.6.1"));
    assert!(
        found[0].contains("cli is in r-models-4_5-x86_64:1 (3.6.0) and in other:1 (3.6.1)")
            && found[0].contains("r-layer build --all"),
        "{found:?}"
    );
    assert_eq!(put(2, None), [""; 0]);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut layers = layers("models:1 models:2");
    layers[0].content.r_minor = Some("4.4".to_owned());
    layers[0].content.architectures = vec!["arm64".to_owned()];
    assert_eq!(faults(&layers).len(), 4);
}
